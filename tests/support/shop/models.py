# SPDX-License-Identifier: Apache-2.0
"""Models with sealed fields of every type and binding."""

import uuid

from django.db import models

from pythemis.fields.django import BlindIndex, SealedField, SealedManager


class Customer(models.Model):
    """Bound to its row, searchable; 8 bits of city collide."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = SealedField(
        models.EmailField(), index=BlindIndex(bits=96, normalize=str.casefold), unique=True
    )
    card = SealedField(models.TextField(null=True, blank=True), db_column="card_cell")
    city = SealedField(
        models.CharField("Town", max_length=50, default="", blank=True), index=BlindIndex(bits=8)
    )
    nickname = models.TextField(default="", blank=True)
    visits = models.IntegerField(default=0)

    objects = SealedManager()
    plain = models.Manager()


class Order(models.Model):
    """A counted primary key, so its value is bound to the column."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders", null=True)
    note = SealedField(models.TextField(), bind="column", index=BlindIndex(bits=64))

    objects = SealedManager()
    plain = models.Manager()


class Typed(models.Model):
    """Every type."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    number = SealedField(models.IntegerField(null=True))
    price = SealedField(models.DecimalField(max_digits=8, decimal_places=2, null=True))
    flag = SealedField(models.BooleanField(null=True))
    day = SealedField(models.DateField(null=True))
    hour = SealedField(models.TimeField(null=True))
    moment = SealedField(models.DateTimeField(null=True), padding=64)
    key = SealedField(models.UUIDField(null=True))
    raw = SealedField(models.BinaryField(null=True, editable=True))
    data = SealedField(models.JSONField(null=True, default=dict))
    host = SealedField(models.GenericIPAddressField(null=True))
    size = SealedField(
        models.CharField(max_length=1, null=True, choices=[("s", "small"), ("l", "large")])
    )

    objects = SealedManager()


class Seat(models.Model):
    """A primary key of two parts."""

    pk = models.CompositePrimaryKey("hall", "number")
    hall = models.CharField(max_length=20)
    number = models.IntegerField()
    guest = SealedField(models.TextField(), index=BlindIndex(bits=96))

    objects = SealedManager()
    plain = models.Manager()


class Member(Customer):
    """A table of its own for what it adds."""

    level = SealedField(models.TextField(), index=BlindIndex(bits=32))


class Legacy(models.Model):
    """Columns of before, and the sealed fields that take their values."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    card_old = models.TextField(null=True)
    card = SealedField(models.TextField(null=True), index=BlindIndex(bits=32))
    born_old = models.DateField(null=True)
    born = SealedField(models.DateField(null=True))
    inside = SealedField(models.TextField(null=True))
    name_old = models.TextField(null=True)
    name = SealedField(models.TextField(null=True), index=BlindIndex(bits=96), unique=True)

    objects = SealedManager()


class History(models.Model):
    """What a row of another table was: it has a key of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    of = models.UUIDField()
    card = SealedField(models.TextField(null=True), names=("shop_history", "card"))

    objects = SealedManager()
