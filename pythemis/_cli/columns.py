# SPDX-License-Identifier: Apache-2.0
"""``pythemis columns``: seal, unseal and rotate columns of tables in files, part by part."""

from __future__ import annotations

import io
import json
import os
import sqlite3
from base64 import b64decode
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from pythemis import _atomic
from pythemis._core.facts import shown
from pythemis._core.rings import is_stored
from pythemis.columns import ColumnCipher, ColumnError
from pythemis.columns._errors import wrong_value
from pythemis.place import place

from . import access
from .csv_tables import CsvTable, delimiter_of, null_of
from .errors import Status, for_each, refused, usage
from .pipes import Input, Output, Progress
from .streams import STANDARD, say, written

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

_PARQUET = b"PAR1"  # what such a file begins with
_CACHE = 16 << 10  # KiB of memory for ids; others are in a temporary file
_SHOWN = 20  # names of columns that an error lists
_TYPES = {"bytes": bytes, "text": str, "int": int}


class Work(NamedTuple):
    """What is done with columns.

    Attributes:
        run: makes the new column out of a cipher, the values, the row ids and the type.
        reads: for each column what its cells in CSV hold, "text" or "bytes".
        makes: what each column will hold, as `pythemis.columns.arrow.ParquetTable` has it.
        encrypts: whether values become cells, so that no two rows may share an id.
    """

    run: Callable[[ColumnCipher, Any, Any, str], Any]
    reads: dict[str, str]
    makes: dict[str, str]
    encrypts: bool = False


class Counts:
    """What was seen of a table."""

    def __init__(self) -> None:
        self.rows = self.cells = self.nulls = self.rotated = 0

    def add(self, values: Any) -> None:
        """Count the cells of a column."""
        nulls = values.count(None) if isinstance(values, list) else values.null_count
        self.nulls += nulls
        self.cells += len(values) - nulls


# ---- The commands ----


def seal(options: argparse.Namespace) -> int:
    """Encrypt columns."""
    threads = access.number("--threads", options.threads)

    def run(cipher: ColumnCipher, values: Any, ids: Any, _: str) -> Any:
        return cipher.encrypt(values, ids, threads=threads)

    work = Work(run, _types(options), dict.fromkeys(options.column, "bytes"), encrypts=True)
    if "int" in work.reads.values():
        raise usage("integers are sealed as they are written: --type is text or bytes")
    return _converted(options, work)


def unseal(options: argparse.Namespace) -> int:
    """Decrypt columns."""
    threads = access.number("--threads", options.threads)

    def run(cipher: ColumnCipher, cells: Any, ids: Any, kind: str) -> Any:
        return cipher.decrypt(cells, ids, type=_TYPES[kind], threads=threads)

    return _converted(options, Work(run, dict.fromkeys(options.column, "bytes"), _types(options)))


def rotate(options: argparse.Namespace) -> int:
    """Encrypt anew, under the primary key, the cells of columns that are under other keys."""
    threads = access.number("--threads", options.threads)

    def run(cipher: ColumnCipher, cells: Any, ids: Any, _: str) -> Any:
        return cipher.rotate(cells, ids, threads=threads)

    columns = options.column
    work = Work(run, dict.fromkeys(columns, "bytes"), dict.fromkeys(columns, "same"))
    ciphers = _ciphers(options)

    def rotate_one(name: str) -> bool:
        counts = _rotated(options, ciphers, work, name)
        if options.json:
            _print(name, counts)
        elif counts.rotated:
            say(f"{shown(name)}: {counts.rotated} of {counts.cells} cells are encrypted anew")
        else:
            say(f"{shown(name)}: all {counts.cells} cells are under the primary key already")
        return True

    return for_each(options.files, rotate_one)


def _converted(options: argparse.Namespace, work: Work) -> int:
    """Write the table anew, to where it belongs."""
    if options.json and options.output in (None, STANDARD):
        raise usage("--json goes to the standard output, so the table needs -o OUT")
    with Input(options) as source:
        ciphers = _ciphers(options)
        file = source.buffered()
        with Output(options, binary=_is_parquet(file)) as target:
            files = Files(options.file, file, source.size, target.write)
            counts = _done(options, ciphers, work, files)
    if options.json:
        _print(options.file, counts)
    return Status.DONE


def _rotated(
    options: argparse.Namespace, ciphers: dict[str, ColumnCipher], work: Work, name: str
) -> Counts:
    """Replace one file, locked meanwhile, if anything in it needs it; its mode becomes 0600."""
    if name == STANDARD:
        raise usage("name the files to rotate: they are replaced as a whole")
    with _atomic.Lock(name) as held, written():
        new = _atomic.NewFile(name, held=held)
        try:
            raw: Any = held.file
            file = io.BufferedReader(raw)
            size = os.fstat(held.file.fileno()).st_size
            counts = _done(options, ciphers, work, Files(name, file, size, new.write))
            file.detach()  # it stays open, and locked
            if counts.rotated:
                new.commit()
        finally:
            new.discard()
    return counts


# ---- The work ----


class Files(NamedTuple):
    """What a table is read from, and where it is written."""

    name: str
    file: io.BufferedReader
    size: int | None
    write: Callable[[bytes], object]


def _done(
    options: argparse.Namespace, ciphers: dict[str, ColumnCipher], work: Work, files: Files
) -> Counts:
    """Read a table, work on it, write it; errors begin with its name."""
    try:
        with closing(_table(options, work, files)) as table, closing(Ids()) as ids:
            _check_names(options, table)
            counts = Counts()
            with Progress(files.size) as progress:
                for part in table.parts():
                    made = _worked(options, ciphers, work, part, counts)
                    if work.encrypts and options.rows is not None:
                        ids.add(_ids(part, options))
                    table.put(part, made)
                    progress.at(table.done, table.size)
            if (doubled := ids.doubled()) is not None:
                wrong_value(f"{table.place(doubled)}: its row id occurs before")
            table.finish()
    except ColumnError as error:
        text = str(error)
    else:
        return counts
    raise refused(f"{files.name}: {text}")


def _table(options: argparse.Namespace, work: Work, files: Files) -> Any:
    """Open a table of the format that the file has."""
    if not _is_parquet(files.file):
        delimiter = delimiter_of(options.delimiter)
        null = null_of(options.null, delimiter)
        return CsvTable(files.file, files.size, files.write, delimiter=delimiter, null=null)
    if files.size is None:
        raise usage("Parquet cannot be read from a pipe: name the file")
    if work.encrypts and options.type:
        raise usage("--type is for CSV: a file of Parquet says its types itself")
    try:
        from pythemis.columns.arrow import ParquetTable
    except ImportError:
        raise refused("Parquet needs pyarrow 20 or newer: install it; CSV needs nothing") from None
    return ParquetTable(files.file, files.write, work.makes)


def _is_parquet(file: io.BufferedReader) -> bool:
    return file.peek(len(_PARQUET)).startswith(_PARQUET)


def _check_names(options: argparse.Namespace, table: Any) -> None:
    names = table.names
    for name in [*options.column, *(options.rows or ())]:
        count = names.count(name)
        if count == 0:
            there = ", ".join(map(repr, names[:_SHOWN])) + ", ..." * (len(names) > _SHOWN)
            hint = "; name what separates cells with --delimiter" * (len(names) == 1)
            wrong_value(f"it has no column {name!r}; it has {there}{hint}")
        if count > 1:
            wrong_value(f"it has {count} columns named {name!r}")


def _worked(
    options: argparse.Namespace,
    ciphers: dict[str, ColumnCipher],
    work: Work,
    part: Any,
    counts: Counts,
) -> dict[str, Any]:
    """Make the new columns of some rows."""
    made = {}
    rows = tuple([part.column(name, "text") for name in options.rows or ()]) or None
    counts.rows += len(part)
    for name, cipher in ciphers.items():
        values = part.column(name, work.reads[name])
        where = f"column {name!r}"
        if work.encrypts and counts.cells == 0:
            _check_not_sealed(where, values)
        try:
            made[name] = work.run(cipher, values, rows, work.makes[name])
        except ColumnError as error:
            text = str(error)
            if error.index is not None:
                where = f"{where}, {part.where(error.index)}"
                text = text.removeprefix(f"row {error.index}: ")
            error.args = (f"{where}: {text}",)
            raise
        counts.add(values)
        if work.makes[name] == "same":
            counts.rotated += part.different(values, made[name])
    return made


def _check_not_sealed(where: str, values: Any) -> None:
    """Refuse what is sealed already, by its first value."""
    for value in values:
        found = value.as_py() if hasattr(value, "as_py") else value
        if found is not None:
            data = found.encode("utf-8") if isinstance(found, str) else found
            if isinstance(data, bytes) and (is_stored(data) or is_stored(_of_base64(data))):
                wrong_value(f"{where} is sealed already: its first value is a cell of a keyring")
            return


def _of_base64(data: bytes) -> bytes:
    try:
        return b64decode(data, validate=True)
    except ValueError:
        return b""


def _ids(part: Any, options: argparse.Namespace) -> Iterable[tuple[Any, int]]:
    """Return the id and the number of each row that has a value in one of the columns."""
    found = [part.ids(name, options.column) for name in options.rows]
    if len(found) == 1:
        return found[0]  # type: ignore[no-any-return]
    return ((place(*(id for id, _ in parts)), parts[0][1]) for parts in zip(*found, strict=True))


class Ids:
    """The ids of all rows, of which none may occur twice; few of them are in memory."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("")  # a temporary file, when it grows beyond the cache
        self._base.execute(f"pragma cache_size = -{_CACHE}")
        self._base.execute("create table ids (id, number integer primary key)")

    def add(self, ids: Iterable[tuple[Any, int]]) -> None:
        """Take the ids of more rows, and the numbers of these."""
        with _temporary():
            self._base.executemany("insert into ids values (?, ?)", ids)

    def doubled(self) -> int | None:
        """Return the number of a row whose id occurs before; None if there is none."""
        query = "select max(number) from ids group by id having count(*) > 1 order by 1 limit 1"
        with _temporary():
            found = self._base.execute(query).fetchone()
        return None if found is None else int(found[0])

    def close(self) -> None:
        """Remove them."""
        self._base.close()


@contextmanager
def _temporary() -> Iterator[None]:
    """Have an error of the temporary file become a sentence."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
    else:
        return
    raise refused(
        f"the row ids do not fit into a temporary file ({text}): name a larger folder in "
        "SQLITE_TMPDIR"
    )


# ---- Arguments ----


def _ciphers(options: argparse.Namespace) -> dict[str, ColumnCipher]:
    """Return the cipher of each column."""
    names = [*options.column, *(options.rows or ())]
    for name in names:
        if names.count(name) > 1:
            raise usage("each column is named once, and those of the row ids are not sealed")
    ring = access.ring(options)
    if ring is None:
        raise usage("name the keyring: --keyring RING --keyring-key KEY")
    padding = access.number("--pad", options.pad, least=0)
    framing: Any = "bare" if options.bare else "framed"
    return {
        name: ColumnCipher(ring, (options.table, name), framing=framing, padding=padding)
        for name in options.column
    }


def _types(options: argparse.Namespace) -> dict[str, str]:
    """Return the type of each column that the arguments name: text if they do not."""
    types = dict.fromkeys(options.column, "text")
    for given in options.type:
        name, _, kind = given.rpartition("=")
        if kind not in _TYPES or (name and name not in types):
            raise usage("--type is followed by text, bytes or int, or by COLUMN=TYPE of a --column")
        types.update(dict.fromkeys([name] if name else types, kind))
    return types


def _print(name: str, counts: Counts) -> None:
    say(json.dumps({"schema": 1, "file": name, **vars(counts)}))
