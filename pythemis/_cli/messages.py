# SPDX-License-Identifier: Apache-2.0
"""``pythemis sign`` and ``pythemis verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pythemis.smessage import ssign, sverify

from . import sources
from .errors import Status
from .streams import STANDARD, read, write

if TYPE_CHECKING:
    import argparse


def sign(options: argparse.Namespace) -> int:
    """Sign a message."""
    key = sources.key_in(options.key)
    sources.refuse_output(options.output or STANDARD, [options.key])
    write(options, ssign(key, read(options.file)), is_base64=options.base64)
    return Status.DONE


def verify(options: argparse.Namespace) -> int:
    """Verify a signed message, and write what was signed."""
    key = sources.key_in(options.public, secret=False)
    signed = read(options.file, is_base64=options.base64)
    write(options, sverify(key, signed))
    return Status.DONE
