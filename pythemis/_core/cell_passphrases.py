# SPDX-License-Identifier: Apache-2.0
"""Secure Cell with a passphrase (specification, section 3).

Deriving the key takes long. C does it in slices of some milliseconds, so that Python can act on
signals meanwhile, Ctrl-C among them.
"""

from __future__ import annotations

from pythemis._themis import ffi, lib

from .arguments import ENCRYPTED, PASSPHRASE
from .buffers import (
    SIZE,
    check_room,
    clash,
    copied,
    new_output,
    refuse_clash,
    returns_output,
    steady,
    view,
    writable_view,
)
from .cells import Refusals, context_view, operation, refused
from .errors import NOT_SUPPORTED, SUCCESS, Errors, failed, wrong_type, wrong_value
from .owner import Owner, kept, opened, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .secret import Key

TOKEN_SIZE: int = lib.THEMIS_PASSPHRASE_TOKEN_SIZE
ITERATIONS: int = lib.THEMIS_PASSPHRASE_ITERATIONS
MIN_ITERATIONS: int = lib.THEMIS_PASSPHRASE_MIN_ITERATIONS
MAX_ITERATIONS: int = lib.THEMIS_PASSPHRASE_MAX_ITERATIONS
ITERATIONS_LIMIT: int = lib.THEMIS_PASSPHRASE_ITERATIONS_LIMIT

_passphrase = places("passphrase")
_stretch = places("stretch")
_LEFT = ffi.typeof("uint32_t *")
_BOUNDS = ffi.typeof("uint32_t[3]")

REFUSALS = Refusals(
    "passphrase",
    "a Seal cell made with a passphrase",
    "PASSPHRASE_CELL",
)


def _check_iterations(errors: Errors, iterations: int, least: int, most: int) -> None:
    named = {"iterations": iterations, "min_iterations": least, "max_iterations": most}
    for name, value in named.items():
        if not isinstance(value, int) or isinstance(value, bool):
            wrong_type(errors, f"{name} must be an int")
    if not 1 <= most <= ITERATIONS_LIMIT:
        wrong_value(errors, f"max_iterations must be 1 to {ITERATIONS_LIMIT}")
    if not 1 <= least <= most:
        wrong_value(
            errors,
            f"min_iterations ({MIN_ITERATIONS} unless given) must be 1 to max_iterations ({most})",
        )
    if not least <= iterations <= most:
        wrong_value(
            errors,
            f"iterations ({ITERATIONS} unless given) must be min_iterations ({least}) to "
            f"max_iterations ({most})",
        )


def new(
    errors: Errors,
    passphrase: Key,
    *,
    iterations: int,
    min_iterations: int,
    max_iterations: int,
) -> Any:
    """Prepare a passphrase for any number of messages."""
    _check_iterations(errors, iterations, min_iterations, max_iterations)
    text = view(errors, passphrase, PASSPHRASE)
    made = _passphrase()
    size = len(text)
    status = lib.themis_passphrase_new(text, size, iterations, min_iterations, max_iterations, made)
    del text
    if size == 0:
        wrong_value(errors, "the passphrase is empty")
    if status != SUCCESS:
        failed(errors, status)
    return kept(made)


def stretched(stretch: Any) -> int:
    """Do the work between a passphrase and its key, in slices; the status of the last."""
    left = ffi.new(_LEFT, 1)
    status: int = SUCCESS
    while status == SUCCESS and left[0] != 0:
        status = lib.themis_stretch_work(stretch, lib.THEMIS_STRETCH_SLICE, left)
    return status


def _seal(
    handle: Any,
    message: Any,
    size: int,
    context: Any,
    context_size: int,
    output: Any,
    room: int,
) -> int:
    made = _stretch()
    try:
        status: int = lib.themis_stretch_to_seal(handle, made)
        if status == SUCCESS:
            status = stretched(made[0])
        if status == SUCCESS:
            status = lib.themis_stretched_seal(
                made[0], message, size, context, context_size, output, room
            )
        return status
    finally:
        ffi.release(made)
        del message, context, output


seal, seal_into = operation(_seal, TOKEN_SIZE)


def bounds(handle: Any, sealed: Any) -> tuple[int, int, int]:
    """Return the iterations of a cell, of which the start is enough, and the bounds on them."""
    found = ffi.new(_BOUNDS)
    lib.themis_passphrase_bounds(handle, sealed, len(sealed), found)
    return tuple(found)


def _error(errors: Errors, handle: Any, sealed: Any, status: int) -> Exception:
    """Make the error for a cell; if its iterations are out of bounds, with their number."""
    if status == NOT_SUPPORTED:
        count, least, most = bounds(handle, sealed)
        if count < least:
            problem = f"fewer than min_iterations of this object ({least}); lower"
        else:
            problem = f"more than max_iterations of this object ({most}); raise"
        text = (
            f"the cell asks for {count} iterations, {problem} that if you trust where the cell "
            "comes from"
        )
        return errors.failed(status, text)
    return refused(errors, REFUSALS, status, sealed)


@returns_output
def unseal(owner: Owner, sealed: Any, context: Any) -> bytes:
    """Decrypt in Seal mode with a passphrase."""
    try:
        sealed = copied(owner._errors, sealed, ENCRYPTED)
        context = context_view(owner._errors, b"" if context is None else context, reads=True)
        handle = opened(owner)
        status, size = _message_size(handle, sealed)
        if status != SUCCESS:
            raise _error(owner._errors, handle, sealed, status)
        message = new_output(size)
        status = _unseal(handle, sealed, context, message, len(message))
        if status != SUCCESS:
            raise _error(owner._errors, handle, sealed, status)
        return message
    finally:
        del sealed, context


def unseal_into(owner: Owner, buffer: Any, sealed: Any, context: Any) -> int:
    """Decrypt in Seal mode with a passphrase into a buffer; the length."""
    try:
        errors = owner._errors
        buffer = writable_view(errors, buffer, "the buffer")
        sealed = view(errors, sealed, ENCRYPTED)
        context = context_view(errors, b"" if context is None else context, reads=True)
        handle = opened(owner)
        status, size = _message_size(handle, sealed)
        if status == SUCCESS:
            check_room(errors, len(buffer), size)
            sealed = steady(errors, buffer, size, sealed, (0, len(sealed) - size))
            if clash(buffer, size, context):
                refuse_clash(errors)
            status = _unseal(handle, sealed, context, buffer, size)
        if status != SUCCESS:
            raise _error(errors, handle, sealed, status)
        return size
    finally:
        del buffer, sealed, context


def _message_size(handle: Any, sealed: Any) -> tuple[int, int]:
    size = ffi.new(SIZE)
    status = lib.themis_passphrase_message_size(handle, sealed, len(sealed), size)
    return status, size[0]


def _unseal(handle: Any, sealed: Any, context: Any, message: Any, size: int) -> int:
    made = _stretch()
    try:
        status: int = lib.themis_stretch_to_unseal(handle, sealed, len(sealed), made)
        if status == SUCCESS:
            status = stretched(made[0])
        if status == SUCCESS:
            status = lib.themis_stretched_unseal(
                handle, made[0], sealed, len(sealed), context, len(context), message, size
            )
        return status
    finally:
        ffi.release(made)
        del sealed, context, message
