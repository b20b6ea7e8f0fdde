# SPDX-License-Identifier: Apache-2.0
"""Some columns of a table at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ._cipher import ColumnCipher, Type
from ._errors import ColumnError, wrong_type, wrong_value
from ._libraries import library_of

if TYPE_CHECKING:
    from types import ModuleType

Ciphers: TypeAlias = Mapping[str, ColumnCipher]
Rows: TypeAlias = str | Sequence[str] | None
TableT = TypeVar("TableT")


def seal(table: TableT, ciphers: Ciphers, rows: Rows, *, threads: int = 1) -> TableT:
    """Encrypt columns of a table.

    Args:
        table: a Table or RecordBatch of pyarrow, a DataFrame of Polars or pandas, a LazyFrame.
        ciphers: the names of columns, and the cipher of each.
        rows: the name of the column of row ids, or a list of the names of all columns of the
            primary key, in its order; None binds the values to their columns alone.
        threads: as in `ColumnCipher.encrypt`.

    Returns:
        A table of the same library, in which these columns are encrypted.

    Raises:
        ColumnError: a column that is not in the table or that is refused; it begins with the name.
    """

    def work(cipher: ColumnCipher, _: str, values: Any, ids: Any) -> Any:
        return cipher.encrypt(values, ids, threads=threads)

    return _replaced(table, ciphers, rows, work)


def unseal(
    table: TableT,
    ciphers: Ciphers,
    rows: Rows,
    *,
    types: Mapping[str, Type] | None = None,
    threads: int = 1,
) -> TableT:
    """Decrypt columns of a table.

    Args:
        table: as in `seal`.
        ciphers: the names of columns, and the cipher of each.
        rows: as in `seal`.
        types: the types of columns that do not hold bytes, as ``{"email": "text"}``: see
            `ColumnCipher.decrypt`.
        threads: as in `seal`.

    Returns:
        A table of the same library, in which these columns are decrypted.

    Raises:
        ColumnError: as in `seal`.
    """
    kinds = dict(types or {})
    for name in kinds:
        if name not in ciphers:
            wrong_value(f"types names the column {name!r}, which has no cipher here")

    def work(cipher: ColumnCipher, name: str, values: Any, ids: Any) -> Any:
        return cipher.decrypt(values, ids, type=kinds.get(name, "bytes"), threads=threads)

    return _replaced(table, ciphers, rows, work, kinds)


def rotate(table: TableT, ciphers: Ciphers, rows: Rows, *, threads: int = 1) -> TableT:
    """Encrypt anew, under the primary key, the cells of columns that are under other keys.

    Args:
        table: as in `seal`.
        ciphers: the names of columns, and the cipher of each.
        rows: as in `seal`.
        threads: as in `seal`.

    Returns:
        A table of the same library.

    Raises:
        ColumnError: as in `seal`.
    """

    def work(cipher: ColumnCipher, _: str, values: Any, ids: Any) -> Any:
        return cipher.rotate(values, ids, threads=threads)

    return _replaced(table, ciphers, rows, work)


def _replaced(
    table: TableT,
    ciphers: Ciphers,
    rows: Rows,
    work: Callable[[ColumnCipher, str, Any, Any], Any],
    types: Mapping[str, Type] = MappingProxyType({}),
) -> TableT:
    library, names = _known(table)
    if not isinstance(ciphers, Mapping):
        wrong_type(
            f'ciphers must be a dict such as {{"email": cipher}}, not {type(ciphers).__name__}'
        )
    parts = names_of_rows(rows, names)
    check_names(names, [*ciphers, *parts])
    for part in parts:
        if part in ciphers:
            wrong_value(f"{part!r} has the row ids, which must stay readable")
    is_lazy = type(table).__name__ == "LazyFrame"
    ids = None if is_lazy or not parts else tuple([library.get(table, part) for part in parts])
    made = {}
    for name, cipher in ciphers.items():
        if not isinstance(cipher, ColumnCipher):
            wrong_type(f"column {name!r} needs a ColumnCipher, not {type(cipher).__name__}")
        run = _named(work, cipher, name)
        if is_lazy:
            made[name] = library.deferred(name, parts, run, types.get(name, "bytes"))
        else:
            made[name] = run(library.get(table, name), ids)
    replaced: TableT = library.replaced(table, made)
    return replaced


def names_of_rows(rows: Any, names: list[Any]) -> list[Any]:
    """Return the names of the columns that have the parts of the row ids; none for None."""
    if not isinstance(rows, (list, tuple)) or rows in names:  # of pandas a name may be a tuple
        return [] if rows is None else [rows]
    if not rows:
        wrong_value("rows names no column: None binds the values to their columns alone")
    return list(rows)


def check_names(names: list[Any], wanted: list[Any]) -> None:
    """Refuse a table that has not each of these columns once."""
    for name in wanted:
        if names.count(name) != 1:
            wrong_value(f"the table has {names.count(name)} columns named {name!r}")


def _named(
    work: Callable[[ColumnCipher, str, Any, Any], Any], cipher: ColumnCipher, name: str
) -> Callable[[Any, Any], Any]:
    """Return the work on one column, whose errors begin with its name."""

    def run(values: Any, ids: Any) -> Any:
        try:
            return work(cipher, name, values, ids)
        except ColumnError as error:
            error.args = (f"column {name!r}: {error.args[0]}", *error.args[1:])
            raise

    return run


def _known(table: object) -> tuple[ModuleType, list[str]]:
    library = library_of(table)
    try:
        if library is not None:
            return library, library.names(table)
    except TypeError:
        pass
    return wrong_type(f"{type(table).__name__} is no table of pyarrow, Polars or pandas")
