# SPDX-License-Identifier: Apache-2.0
"""The table of the command ``manage.py sealed``: how far its runs are."""

from __future__ import annotations

from django.db import models


class Checkpoint(models.Model):  # type: ignore[misc, unused-ignore]
    """Where a run over a table stands; it is written in the transaction of the rows.

    It holds primary keys, and neither values nor keys of a ring.
    """

    id = models.CharField(primary_key=True, max_length=64)  # the SHA-256 of the job, in hex
    job = models.TextField()
    target = models.TextField()  # the ids of the keys that values are written under
    position = models.TextField()  # the primary key of the last row, as JSON
    rows = models.BigIntegerField()
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        """As migration 0001 has it."""

        app_label = "sealed_fields"
        default_permissions = ()
        verbose_name = "checkpoint of sealed fields"
        verbose_name_plural = "checkpoints of sealed fields"

    def __str__(self) -> str:
        return str(self.job)
