# SPDX-License-Identifier: Apache-2.0
"""What ``pythemis fields`` asks of a database, and of the classes that map it."""

from __future__ import annotations

import logging
import warnings
from typing import Any, NamedTuple

from sqlalchemy import LargeBinary, case, create_engine, func, inspect, or_, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine import Engine as Engine  # for the command
from sqlalchemy.exc import ArgumentError, DBAPIError, SAWarning, SQLAlchemyError
from sqlalchemy.orm import Mapper

from pythemis._core.errors import wrong_value
from pythemis.fields._errors import ERRORS
from pythemis.fields._field import Field

from . import _rewrite
from ._attribute import Sealed, sealed_of
from ._writing import Read

DatabaseError = SQLAlchemyError
_SECRET_WORDS = ("pass", "pwd", "secret", "token", "connect")  # "odbc_connect" has all in one


class Columns(NamedTuple):
    """The sealed attributes that a class has in its own table."""

    kind: type
    names: tuple[str, ...]


class Counts(NamedTuple):
    """Under which keys the values of an attribute are.

    Attributes:
        table: the name of the table.
        column: the column with the cells.
        keys: the values under each key of the ring, by its id; the primary one first.
        others: the values under no key of the ring, or that are not sealed.
        nulls: the rows without a value.
    """

    table: str
    column: str
    keys: dict[str, int]
    others: int
    nulls: int

    @property
    def due(self) -> int:
        """The values that are not under the primary key."""
        return sum(self.keys.values()) + self.others - next(iter(self.keys.values()), 0)


def has_password(text: str) -> bool:
    """Return whether the URL of a database may have a secret in it."""
    url = _url(text)
    names = [name.lower() for name in url.query]
    return url.password is not None or any(w in name for name in names for w in _SECRET_WORDS)


def _url(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):  # whose text may have the password
        pass
    return wrong_value(
        ERRORS,
        "this is not the URL of a database: it looks like postgresql+psycopg://user@host/name",
    )


def engine_for(text: str) -> Engine:
    """Return the engine of a URL; nothing that it logs or raises shows a parameter."""
    # Where nothing is set up to log, a pool would print the traceback of a Ctrl-C on stderr.
    logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())
    url = _url(text)
    if url.get_dialect().is_async:
        wrong_value(
            ERRORS,
            f"{url.drivername} is for asyncio: name another driver in the URL, such as "
            "postgresql+psycopg",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SAWarning)
            return create_engine(url, hide_parameters=True)
    except (SAWarning, TypeError, ValueError):  # whose text may have what is in the URL
        pass
    return wrong_value(ERRORS, f"the URL has an option that {url.drivername} does not take")


def sentence_of(error: SQLAlchemyError, engine: Engine | None) -> str:
    """Return what an error says: of the database's text the line that quotes no row."""
    text = str(error)
    if isinstance(error, DBAPIError):
        given: Any = getattr(error.orig, "args", ())
        text = str(error.orig)
        if given and isinstance(given[0], dict):  # of pg8000
            text = str(given[0].get("M", type(error.orig).__name__))
        elif len(given) > 1 and isinstance(given[1], str):  # of drivers of MariaDB
            text = given[1]
    text = text.strip().partition("\n")[0] or type(error).__name__
    password = None if engine is None else engine.url.password
    return text.replace(password, "***") if password else text


def sealed_columns(found: object) -> list[Columns]:
    """Return the sealed attributes of a mapped class, or of all classes of a base, by table.

    Raises:
        FieldError: neither a mapped class nor a base of some, or none of them has any.
    """
    mapper = inspect(found, raiseerr=False)
    if isinstance(mapper, Mapper):
        mappers = [mapper]
    else:
        registry = getattr(found, "registry", None)
        mappers = list(getattr(registry, "mappers", ()))
        # A class that inherits in the same table comes after the one that declares the column.
        mappers.sort(key=lambda each: (str(each.local_table), len(each.class_.__mro__)))
    if not mappers:
        wrong_value(ERRORS, "it is neither a mapped class of SQLAlchemy nor a base of some")
    seen: set[Any] = set()
    columns = [_own(each, seen) for each in mappers]
    columns = [each for each in columns if each.names]
    if not columns:
        wrong_value(ERRORS, "it has no sealed attributes in a table of its own")
    return columns


def _own(mapper: Mapper[Any], seen: set[Any]) -> Columns:
    names = []
    for attribute in sealed_of(mapper.class_):
        column = mapper.columns.get(attribute.cell)
        if column is not None and column.table is mapper.local_table and column not in seen:
            seen.add(column)
            names.append(attribute.name)
    return Columns(mapper.class_, tuple(names))


def attribute_of(kind: type, name: str) -> Sealed[Any] | None:
    """Return a sealed attribute of a class."""
    return next((each for each in sealed_of(kind) if each.name == name), None)


def has_column(kind: type, name: str) -> bool:
    """Return whether the table of a class has a column."""
    return name in inspect(kind).local_table.columns


def counts(engine: Engine, kind: type, name: str) -> Counts:
    """Count the values of an attribute by their keys, in one pass over the table."""
    [work] = _rewrite._job(kind, [name], {}, False, True, None).works
    ids = _ids(work.field)
    start = func.substr(work.cell, 1, _rewrite._PREFIX_SIZE, type_=LargeBinary())
    under = [func.sum(case((start == b"TK1" + bytes.fromhex(each), 1), else_=0)) for each in ids]
    query = select(func.count(), func.count(work.cell), *under).select_from(work.cell.table)
    with engine.connect() as connection:
        rows, values, *each = (int(number or 0) for number in connection.execute(query).one())
    table, column = work.cell.table.name, work.cell.name
    return Counts(
        table, column, dict(zip(ids, each, strict=True)), values - sum(each), rows - values
    )


def _ids(field: Field) -> list[str]:
    """Return the ids of a ring, the primary one first."""
    ring = field._rings.sealing()
    field.prefix()  # it refuses a ring without keys
    return sorted(ring.ids, key=lambda each: each != ring.primary)


def due_rows(
    engine: Engine,
    kind: type,
    names: tuple[str, ...],
    sources: dict[str, tuple[str, Read]] | None,
    *,
    reindex: bool,
) -> int:
    """Count the rows that `rewrite` has to look at; arguments are its own."""
    job = _rewrite._job(kind, names, sources or {}, reindex, True, None)
    due = or_(*(_rewrite._is_due(job, work) for work in job.works))
    with engine.connect() as connection:
        query = select(func.count()).select_from(job.table).where(due)
        return int(connection.execute(query).scalar_one())
