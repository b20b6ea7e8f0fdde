# SPDX-License-Identifier: Apache-2.0
"""``pythemis fields``: which keys sealed columns of SQLAlchemy are under, and new ones for them."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from importlib import import_module
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from pythemis._core.errors import INVALID_PARAMETER
from pythemis._core.facts import shown
from pythemis.fields import FieldError
from pythemis.fields import sqlalchemy as orm
from pythemis.fields.sqlalchemy import _upkeep

from . import access, sources
from .errors import CommandError, Status, complain, refused, usage
from .main import Terminated
from .pipes import Progress
from .streams import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from pythemis.fields.sqlalchemy._upkeep import Engine

_MODELS = "name it MODULE:CLASS, MODULE:CLASS.ATTRIBUTE, or MODULE:BASE for all classes of a base"
_SHOWN = 20  # values that are refused: there may be millions


# ---- What the arguments name ----


def _imported(spec: str, otherwise: str) -> tuple[str, object, list[str]]:
    """Import the module of MODULE:NAME; return its name, it, and the names that follow."""
    module, _, path = spec.partition(":")
    names = path.split(".")
    if not all(each.isidentifier() for each in [*module.split("."), *names]):
        raise usage(otherwise)  # it is not repeated, because it may be a URL with a password
    here = os.getcwd()  # noqa: PTH109 -- as `python -m` has it
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for the report
            return module, import_module(module), names
    except Terminated:
        raise
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise usage(f"there is no module {error.name}, neither here nor installed") from None
        raise usage(f"{module} needs a module that is not there: {error.name}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever a module does
        raise usage(f"{module} {_raised(error)} when it was imported") from None


def _raised(error: BaseException) -> str:
    """Return what code of the user raised, without its text, which may be a secret."""
    where = extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(where.filename)}:{where.lineno}"  # noqa: PTH119
    return f"raised {type(error).__name__} at {place}"


def _attribute(owner: object, module: str, name: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        raise usage(f"{module} has no {name}") from None


def _columns(spec: str) -> list[_upkeep.Columns]:
    """Return the sealed attributes that MODULE:CLASS, a base or one attribute names."""
    module, found, names = _imported(spec, _MODELS)
    for at, name in enumerate(names):
        if at == len(names) - 1 and isinstance(found, type):
            sealed = _upkeep.attribute_of(found, name)
            if sealed is not None:
                return [_upkeep.Columns(found, (name,))]
        found = _attribute(found, module, name)
    try:
        return _upkeep.sealed_columns(found)
    except FieldError as error:
        raise usage(f"{shown(spec)}: {error.message}; {_MODELS}") from None


def _all_columns(options: argparse.Namespace) -> list[_upkeep.Columns]:
    return [each for spec in options.models for each in _columns(spec)]


def _engine(options: argparse.Namespace) -> Engine:
    """Return the engine of the database, whose URL may have a password in it."""
    given = options.database
    if "://" not in given:
        given = os.fsdecode(sources.line(given, "the URL of the database"))
    elif _checked(_upkeep.has_password, given):
        raise usage(
            "a URL with a password is no argument, as other users may have seen it now: put it "
            "into a file or a variable, and name that"
        )
    engine: Engine = _checked(_upkeep.engine_for, given)
    return engine


def _checked(call: Callable[[str], Any], url: str) -> Any:
    try:
        return call(url)
    except FieldError as error:
        text = error.message
    except _upkeep.DatabaseError as error:  # a kind of database that SQLAlchemy does not know
        text = _upkeep.sentence_of(error, None)
    except ImportError as error:
        text = f"the driver that this URL names is not there: {error}"
    raise usage(text)


@contextlib.contextmanager
def _connected(options: argparse.Namespace, done: list[orm.Progress]) -> Iterator[Engine]:
    """Give the engine; an error of the database becomes a sentence, and says what is done."""
    engine = _engine(options)
    try:
        try:
            engine.connect().close()
        except Exception as error:  # noqa: BLE001 -- drivers raise errors of their own
            text = type(error).__name__
            if isinstance(error, _upkeep.DatabaseError):
                text = _upkeep.sentence_of(error, engine)
            raise usage(f"the database cannot be reached: {text}") from None
        yield engine
    except _upkeep.DatabaseError as error:
        text = f"the database refused: {_upkeep.sentence_of(error, engine)}"
        written = sum(each.rewritten for each in done)
        if not written:
            raise refused(text) from None
        text += f"; {written} values are rewritten: start it again for the others"
        raise CommandError(text, Status.PARTLY) from None
    finally:
        engine.dispose()


# ---- Commands ----


def status(options: argparse.Namespace) -> int:
    """Print how many values are under each key."""
    columns = _all_columns(options)
    with _connected(options, []) as engine:
        found = [
            (f"{each.kind.__name__}.{name}", _upkeep.counts(engine, each.kind, name))
            for each in columns
            for name in each.names
        ]
    if options.json:
        say(json.dumps({"schema": 1, "fields": [_as_dict(*each) for each in found]}))
        return Status.DONE
    for name, counts in found:
        say(f"{shown(name)} ({shown(counts.table)}.{shown(counts.column)})")
        for at, (key, count) in enumerate(counts.keys.items()):
            if count or at == 0:
                say(f"{count:12}  key {key}{'' if at else ' (primary)'}")
        if counts.others:
            say(f"{counts.others:12}  under no key of the ring")
        if counts.nulls:
            say(f"{counts.nulls:12}  no value")
    return Status.DONE


def _as_dict(name: str, counts: _upkeep.Counts) -> dict[str, object]:
    keys = [
        {"id": key, "values": count, "primary": at == 0}
        for at, (key, count) in enumerate(counts.keys.items())
    ]
    return {
        "attribute": name,
        "table": counts.table,
        "column": counts.column,
        "keys": keys,
        "others": counts.others,
        "nulls": counts.nulls,
        "due": counts.due,
    }


def rotate(options: argparse.Namespace) -> int:
    """Write values that are under older keys under the primary one."""
    return _rewrite(options, _all_columns(options))


def migrate(options: argparse.Namespace) -> int:
    """Seal what another column has, and set that to NULL."""
    found = _columns(options.model)
    if len(found) != 1 or len(found[0].names) != 1:
        raise usage("name the attribute to fill: MODULE:CLASS.ATTRIBUTE")
    options.reindex = False
    [name] = found[0].names
    if not _upkeep.has_column(found[0].kind, options.source):
        raise usage(f"the table of {shown(options.model)} has no column {shown(options.source)}")
    return _rewrite(options, found, {name: (options.source, _reader(options.reader))})


def _reader(spec: str | None) -> Callable[..., Any]:
    """Return what makes a value of what is in the source; its errors are those of the value."""
    if spec is None:
        return lambda raw, *_: raw
    module, found, names = _imported(spec, "--reader is followed by MODULE:FUNCTION")
    for name in names:
        found = _attribute(found, module, name)
    if not callable(found):
        raise usage(f"{shown(spec)} is not a function")
    function = found

    def read(raw: object, *key: object) -> object:
        try:
            return function(raw, *key)
        except FieldError:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever a function of the user does
            text = f"the reader {_raised(error)}"
        raise FieldError(INVALID_PARAMETER, text)

    return read


def _rewrite(
    options: argparse.Namespace,
    columns: list[_upkeep.Columns],
    sources: dict[str, tuple[str, Callable[..., Any]]] | None = None,
) -> int:
    given = {
        "sources": sources,
        "reindex": options.reindex,
        "batch": access.number("--batch", options.batch),
        "rows_per_second": options.rate and access.number("--rate", options.rate),
        "dry_run": options.dry_run,
    }
    done: list[orm.Progress] = []
    with _connected(options, done) as engine:
        for each in columns:
            _rewrite_one(engine, each, given, done)
    return _report(options, columns, done)


def _rewrite_one(
    engine: Engine, columns: _upkeep.Columns, given: dict[str, Any], done: list[orm.Progress]
) -> None:
    """Rewrite a table; the last one done is how far it is, also where an error ends it."""
    size = 0
    if sys.stderr is not None and sys.stderr.isatty():
        size = _upkeep.due_rows(engine, *columns, given["sources"], reindex=given["reindex"])
    done.append(orm.Progress())
    with Progress(size) as bar:

        def note(progress: orm.Progress) -> None:
            done[-1] = progress
            bar.at(progress.rows, size)

        refusals = _Refusals(columns.kind.__name__)
        done[-1] = orm.rewrite(engine, *columns, **given, progress=note, on_error=refusals)


class _Refusals:
    """Print the values that are refused, up to some."""

    def __init__(self, name: str) -> None:
        self._name, self._count = name, 0

    def __call__(self, key: tuple[Any, ...], error: FieldError) -> None:
        self._count += 1
        if self._count <= _SHOWN:
            complain(f"{self._name} {', '.join(map(str, key))}: {error.message}")
        elif self._count == _SHOWN + 1:
            complain(f"{self._name}: more values are refused, which are counted alone")


def _report(
    options: argparse.Namespace, columns: list[_upkeep.Columns], done: list[orm.Progress]
) -> int:
    pairs = list(zip(columns, done, strict=True))
    if options.json:
        tables = [
            {
                "class": each.kind.__name__,
                "attributes": each.names,
                "rewritten": progress.rewritten,
                "failed": progress.failed,
            }
            for each, progress in pairs
        ]
        say(json.dumps({"schema": 1, "dry_run": options.dry_run, "classes": tables}))
    else:
        what = "to rewrite" if options.dry_run else "rewritten"
        for each, progress in pairs:
            say(
                f"{shown(each.kind.__name__)}: {progress.rewritten} values {what}, "
                f"{progress.failed} refused"
            )
    if not any(progress.failed for progress in done):
        return Status.DONE
    return Status.PARTLY if any(progress.rewritten for progress in done) else Status.REFUSED
