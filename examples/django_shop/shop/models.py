# SPDX-License-Identifier: Apache-2.0
"""Customers, whose address and card the database never sees."""

import uuid

from django.db import models

from pythemis.fields.django import BlindIndex, SealedField, SealedManager


class Customer(models.Model):
    """Find them by email; what is sealed is bound to its row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.TextField()
    email = SealedField(
        models.EmailField(), index=BlindIndex(bits=96, normalize=str.casefold), unique=True
    )
    card = SealedField(models.TextField(null=True, blank=True))

    objects = SealedManager()

    def __str__(self) -> str:
        return self.name
