# SPDX-License-Identifier: Apache-2.0
"""Sealed fields for Django models; the extra ``django`` brings Django 5.2 or later.

`SealedField` wraps a field of Django, and `SealedManager` seals what bulk operations write. No way
to write stores plain text: it seals, or it raises `pythemis.fields.FieldError`.
"""

from __future__ import annotations

from ._field import BlindIndex, SealedField, SealedIndexField
from ._opening import open_all
from ._queries import SealedManager, SealedQuerySet

__all__ = [
    "BlindIndex",
    "SealedField",
    "SealedIndexField",
    "SealedManager",
    "SealedQuerySet",
    "open_all",
]
