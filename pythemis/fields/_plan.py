# SPDX-License-Identifier: Apache-2.0
"""How large a blind index should be, and what it tells."""

from __future__ import annotations

from typing import NamedTuple

from pythemis._core.errors import wrong_type, wrong_value

from ._errors import ERRORS

_SIZES = (8, 16, 24, 32, 48, 64, 96, 128)
_UNIQUE_BITS = 96
_FEW = 10_000  # distinct values: fewer can be told by how often they occur


class IndexSize(NamedTuple):
    """What to expect of one size of index.

    Attributes:
        bits: the size.
        others: the rows that a search for one value also finds, on average.
        alike: the values that share an index, on average; what a reader of the table is left to
            guess among.
        unique: whether it can serve a unique column.
    """

    bits: int
    others: float
    alike: float
    unique: bool


class IndexPlan(NamedTuple):
    """What `index_plan` returns; ``print`` it.

    Attributes:
        rows: the rows of the table.
        distinct: the different values in the column.
        sizes: what to expect of each size.
        warning: why this column should have no index; empty if nothing speaks against it.
    """

    rows: int
    distinct: int
    sizes: tuple[IndexSize, ...]
    warning: str

    def __str__(self) -> str:
        lines = [
            f"{self.rows} rows, {self.distinct} distinct values",
            "bits  other rows per search  values per index  unique columns",
        ]
        for size in self.sizes:
            unique = "yes" if size.unique else "no"
            lines.append(f"{size.bits:4}  {size.others:21.4g}  {size.alike:16.4g}  {unique:>14}")
        lines.append("Each index shows which rows are equal, and so how often each value occurs.")
        if self.warning:
            lines.append(f"Warning: {self.warning}")
        return "\n".join(lines)


def index_plan(*, rows: int, distinct: int) -> IndexPlan:
    """Return what blind indexes of several sizes cost and tell (formats, section 10.4).

    Fewer bits blur which rows are equal, and a search finds more rows that it must open and drop.

    Args:
        rows: the rows that the table will have.
        distinct: the different values that the column will hold.

    Raises:
        FieldError: numbers that are not positive, or more distinct values than rows.
    """
    for name, number in (("rows", rows), ("distinct", distinct)):
        if isinstance(number, bool) or not isinstance(number, int):
            wrong_type(ERRORS, f"{name} must be an integer, not {type(number).__name__}")
    if not 1 <= distinct <= rows:
        wrong_value(ERRORS, f"distinct is {distinct}; it must be 1 to the {rows} rows")
    sizes = tuple(
        IndexSize(
            bits,
            others=(rows - rows / distinct) / 2**bits,
            alike=max(1.0, distinct / 2**bits),
            unique=bits >= _UNIQUE_BITS,
        )
        for bits in _SIZES
    )
    warning = ""
    if distinct < _FEW:
        warning = (
            f"{distinct} distinct values are few: how often each index occurs is likely to tell "
            "the values. Use no index; open the rows and compare"
        )
    return IndexPlan(rows, distinct, sizes, warning)
