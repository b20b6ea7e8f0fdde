# SPDX-License-Identifier: Apache-2.0
"""``pythemis index-plan``: how large a blind index should be, and what it tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pythemis.fields import FieldError, index_plan

from . import access
from .errors import Status, usage
from .streams import say

if TYPE_CHECKING:
    import argparse


def plan(options: argparse.Namespace) -> int:
    """Print what each size of index costs and tells, or one of them."""
    rows = access.number("--rows", options.rows)
    distinct = access.number("--distinct", options.distinct)
    bits = None if options.bits is None else access.number("--bits", options.bits)
    try:
        found = index_plan(rows=rows, distinct=distinct, bits=bits)
    except FieldError as error:
        raise usage(error.message) from None
    if options.json:
        sizes = [size._asdict() for size in found.sizes]
        say(json.dumps({"schema": 1, **found._asdict(), "sizes": sizes}))
    else:
        say(found)
    return Status.DONE
