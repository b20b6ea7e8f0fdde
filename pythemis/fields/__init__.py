# SPDX-License-Identifier: Apache-2.0
"""Database fields that are sealed: bound to their row, searchable, with keys that can change.

A `FieldCipher` seals values under a keyring. Each is bound to its table, column and row, so that it
cannot be moved (formats, section 10). A blind index, under keys of its own, finds rows by a value.

``pythemis.fields.sqlalchemy`` has columns for SQLAlchemy. This module needs no library.
"""

from __future__ import annotations

from ._cipher import FieldCipher
from ._errors import FieldError, FieldTypeError, FieldValueError
from ._field import Field
from ._plan import IndexPlan, IndexSize, index_plan

__all__ = [
    "Field",
    "FieldCipher",
    "FieldError",
    "FieldTypeError",
    "FieldValueError",
    "IndexPlan",
    "IndexSize",
    "index_plan",
]
