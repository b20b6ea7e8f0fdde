# SPDX-License-Identifier: Apache-2.0
"""How large a blind index should be, and what it tells."""

from __future__ import annotations

from typing import NamedTuple

from pythemis._core.errors import wrong_type, wrong_value

from ._errors import ERRORS

LEAST_BITS, MOST_BITS = 8, 256
_SIZES = (8, 16, 24, 32, 48, 64, 96, 128)
_UNIQUE_BITS = 96
_FEW = 10_000  # distinct values: fewer can be told by how often they occur


class IndexSize(NamedTuple):
    """What to expect of one size of index.

    Attributes:
        bits: the size.
        others: the rows that a search for one value also finds, on average.
        alike: the values that share the index of a value with it, itself included, on average;
            what a reader of the table is left to guess among.
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


def index_plan(*, rows: int, distinct: int, bits: int | None = None) -> IndexPlan:
    """Return what blind indexes of several sizes cost and tell (formats, section 10.4).

    Fewer bits blur which rows are equal, and a search finds more rows that it must open and drop.

    Args:
        rows: the rows that the table will have.
        distinct: the different values that the column will hold.
        bits: the only size to compute, 8 to 256; None: those that are usual.

    Raises:
        FieldError: numbers that are not positive, more distinct values than rows, or a size that
            is not offered.
    """
    for name, number in (("rows", rows), ("distinct", distinct), ("bits", bits)):
        if number is None and name == "bits":
            continue
        if isinstance(number, bool) or not isinstance(number, int):
            wrong_type(ERRORS, f"{name} must be an integer, not {type(number).__name__}")
    if not 1 <= distinct <= rows:
        wrong_value(ERRORS, f"distinct is {distinct}; it must be 1 to the {rows} rows")
    if bits is not None and not LEAST_BITS <= bits <= MOST_BITS:
        wrong_value(ERRORS, f"bits is {bits}; a blind index has {LEAST_BITS} to {MOST_BITS}")
    sizes = tuple(
        IndexSize(
            size,
            others=(rows - rows / distinct) / 2**size,
            alike=1 + (distinct - 1) / 2**size,
            unique=size >= _UNIQUE_BITS,
        )
        for size in (_SIZES if bits is None else (bits,))
    )
    warning = ""
    if distinct < _FEW:
        warning = (
            f"{distinct} distinct values are few: how often each index occurs is likely to tell "
            "the values. Use no index; open the rows and compare"
        )
    return IndexPlan(rows, distinct, sizes, warning)
