# SPDX-License-Identifier: Apache-2.0
"""What files are sealed and opened with: arguments that are checked before a file is touched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pythemis._core import cell_files
from pythemis._core.arguments import CONTEXT
from pythemis._core.buffers import copied

from ._errors import ERRORS, wrong_type, wrong_value

if TYPE_CHECKING:
    from pythemis._core.secret import SecretKey
    from pythemis._hints import Buffer

_RESERVED = re.compile(rb"TK[0-9]")


def checked_context(context: Buffer) -> bytes:
    """Return the context of a file; that of a keyring is refused."""
    made = copied(ERRORS, context, CONTEXT)
    if _RESERVED.match(made):
        wrong_value(
            "a context that begins with TK and a digit belongs to keyrings, and files have others: "
            "place('my files', name) makes one that never begins so"
        )
    return made


def passphrase_bytes(passphrase: Buffer | SecretKey | str) -> Buffer | SecretKey:
    """Return a passphrase as bytes; text is its UTF-8, as it is."""
    if not isinstance(passphrase, str):
        return passphrase
    try:
        return passphrase.encode()
    except UnicodeEncodeError:  # which has the passphrase in it
        pass
    return wrong_value("the passphrase has characters that have no UTF-8 form")


def one_secret(
    function: str, key: Buffer | SecretKey | None, passphrase: Buffer | SecretKey | str | None
) -> cell_files.Secret:
    """Prepare the one secret of an ordinary cell."""
    if (key is None) == (passphrase is None):
        both = "" if key is None else ", not both"
        wrong_value(
            f"give a key or a passphrase{both}: files.{function}(src, dst, key), or "
            f"files.{function}(src, dst, passphrase=...)"
        )
    if key is not None:
        return cell_files.key(ERRORS, key)
    assert passphrase is not None
    return cell_files.passphrase(ERRORS, passphrase_bytes(passphrase))


def checked_progress(progress: object) -> None:
    """Refuse what cannot be called."""
    if progress is not None and not callable(progress):
        wrong_type(f"progress is a function of two numbers, not {type(progress).__name__}")
