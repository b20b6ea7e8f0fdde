# SPDX-License-Identifier: Apache-2.0
"""How a command ends: the exit statuses, and the errors that one sentence reports."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING

from pythemis._core.facts import shown
from pythemis.exception import ThemisError

if TYPE_CHECKING:
    from collections.abc import Callable


class Status(IntEnum):
    """The exit statuses."""

    DONE = 0
    REFUSED = 1  # wrong key, damaged data, or the output could not be written
    USAGE = 2  # wrong arguments; a file or a key that is not there or cannot be read
    PARTLY = 3  # of several things some were done
    INTERRUPTED = 130


class CommandError(Exception):
    """A sentence for the user, and the exit status."""

    def __init__(self, text: str, status: Status = Status.USAGE) -> None:
        super().__init__(text)
        self.status = status


class OutputError(CommandError):
    """The standard output takes no more, so no other file can be shown either."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the output cannot be written: {error.strerror}", Status.REFUSED)


def usage(text: str) -> CommandError:
    """Make the error for something that the user has to give otherwise."""
    return CommandError(text)


def refused(text: str) -> CommandError:
    """Make the error for data or keys that are refused."""
    return CommandError(text, Status.REFUSED)


def sentence_of(error: BaseException) -> tuple[str, Status]:
    """Return what is said about an error, and the exit status; nothing of a secret is in it."""
    if isinstance(error, CommandError):
        return str(error), error.status
    if isinstance(error, ThemisError):
        return str(error), Status.REFUSED
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", Status.INTERRUPTED
    if isinstance(error, MemoryError):
        return "there is not enough memory", Status.REFUSED
    if isinstance(error, OSError):
        name = "" if error.filename is None else f"{os.fsdecode(error.filename) or repr('')}: "
        text = error.strerror or str(error)
        return name + text[:1].lower() + text[1:], Status.USAGE
    if isinstance(error, ImportError):
        return str(error), Status.REFUSED
    # A mistake in this program. The text of the error may quote a secret, so it is left out.
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    file = "" if at is None else os.path.basename(at.tb_frame.f_code.co_filename)  # noqa: PTH119
    where = f"{file}:{at.tb_lineno if at else 0}"
    return f"internal error, please report it: {type(error).__name__} at {where}", Status.REFUSED


def complain(text: str) -> None:
    """Print one line on stderr; whatever is in it, the terminal sees no control character."""
    with suppress(OSError, ValueError, AttributeError):  # it is full, closed or not there
        print(f"pythemis: {shown(text)}", file=sys.stderr, flush=True)


def for_each(names: list[str], action: Callable[[str], bool]) -> int:
    """Do something for each file; one that is refused does not keep the others from it."""
    done, worst = 0, Status.DONE
    for name in names:
        try:
            if action(name):
                done += 1
            else:
                worst = max(worst, Status.REFUSED)
        except (BrokenPipeError, OutputError):
            raise
        except Exception as error:  # noqa: BLE001  (one sentence for each)
            text, status = sentence_of(error)
            complain(text if text.startswith(f"{name}:") else f"{name}: {text}")
            worst = max(worst, status)
    return Status.PARTLY if 0 < done < len(names) else worst
