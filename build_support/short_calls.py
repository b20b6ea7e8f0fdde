# SPDX-License-Identifier: Apache-2.0
"""Short calls into C, which keep the GIL.

cffi releases the GIL around every call. For a call of a microsecond that costs more than it brings,
and threads that make such calls only hand the GIL to and fro. So each function that is named here
has a second name, with ``short_`` in place of ``themis_``. Under that name it keeps the GIL while
its input has at most LIMIT bytes, and releases it above. PyPy, and Python without a GIL, release it
always, and so does a module that ThreadSanitizer watches (THEMIS_RELEASES).

A call that keeps the GIL never waits for a lock, for the thread that has the lock may want the GIL.
Our core has one that matters, which a fork holds (soter/fork.h), and only random numbers take it.
So a function that draws some asks first whether it would have to wait; if so, it releases the GIL.
(Another one, of locked memory, is not waited for while a fork has it: soter/locked.c.)
"""

from __future__ import annotations

import re
from typing import NamedTuple

LIMIT = 8192  # bytes; benchmarks/gil.py measures where releasing begins to pay


class Short(NamedTuple):
    """A function that has a short name."""

    name: str
    sizes: tuple[str, ...] = ()  # its parameters that tell how long it takes; none: never long
    ready: str = ""  # what has to be true, or it might wait for a lock
    at_once: str = ""  # what does its work, unless it would wait
    is_alone: bool = False  # whether its handle takes one call at a time: see SHORT_NOT_DONE


_CELL = "themis_random_ready(12)"  # the nonce
_SESSION = "themis_random_ready(16)"  # the same in its field

SHORT = (
    Short("symmetric_key", at_once="themis_symmetric_key_at_once(key, &waits)"),
    Short("overlap"),
    Short("key_inspect", ("key_len",)),
    Short("cell_seal", ("message_len", "context_len"), _CELL),
    Short("cell_unseal", ("sealed_len", "context_len")),
    Short("cell_protect", ("message_len", "context_len"), _CELL),
    Short("cell_unprotect", ("encrypted_len", "context_len")),
    Short("cell_imprint", ("data_len", "context_len")),
    Short("ring_blind_index", ("names_len", "data_len")),
    Short("ring_encrypt", ("message_len", "context_len"), _CELL),
    Short("ring_decrypt", ("stored_len", "context_len")),
    Short("ring_rotate", ("stored_len", "context_len"), _CELL),
    Short("message_wrap", ("data_len",), _CELL),
    Short("message_unwrap", ("wrapped_len",)),
    Short("session_state"),
    Short("session_wrap", ("message_len",), _SESSION, is_alone=True),
    Short("session_unwrap", ("wrapped_len",), is_alone=True),
)

# The calls on such a handle have a lock, which takes a tenth of wrapping 64 bytes. A call that
# keeps the GIL needs none, unless another call is under way that released it: then, or if this one
# would have to release it, it does nothing and returns SHORT_NOT_DONE. The function has a third
# name for callers with the lock, which releases the GIL and counts such calls, where both look.
# (And both take the time as Python has it.)
_CONSTANTS = f"enum {{ SHORT_NOT_DONE = -1, SHORT_LIMIT = {LIMIT} }};\n"

# What cffi generates for a function is called _cffi_f_ and its name, so that the letter after that
# tells the short ones; every compiler knows the answer beforehand. The four macros around a call
# are of Python and of cffi, and defined before this.
_MACROS = """\
#if !defined(PYPY_VERSION) && !defined(Py_GIL_DISABLED) && !defined(THEMIS_RELEASES)
#define KEEPS_GIL (__func__[sizeof "_cffi_f_" - 1] == 's')
static void restore_errno(void)
{
    _cffi_restore_errno();
}
static void save_errno(void)
{
    _cffi_save_errno();
}
#undef Py_BEGIN_ALLOW_THREADS
#undef _cffi_restore_errno
#undef _cffi_save_errno
#undef Py_END_ALLOW_THREADS
#define Py_BEGIN_ALLOW_THREADS { PyThreadState *state = KEEPS_GIL ? NULL : PyEval_SaveThread();
#define _cffi_restore_errno() if (!KEEPS_GIL) restore_errno()
#define _cffi_save_errno() if (!KEEPS_GIL) save_errno()
#define Py_END_ALLOW_THREADS if (!KEEPS_GIL) PyEval_RestoreThread(state); }
#define RELEASE_IF(is_long) PyThreadState *state = (is_long) ? PyEval_SaveThread() : NULL
#define TAKE_AGAIN() if (state != NULL) PyEval_RestoreThread(state)
#define NEVER 0
#else
#define RELEASE_IF(is_long) (void)0
#define TAKE_AGAIN() (void)0
#define NEVER 1
#endif
static int short_calls_keep_gil(void)
{
    return !NEVER;
}
"""


def prototypes(header: str) -> str:
    """Return the cdef of the short names."""
    names = [(f"short_{each.name}", each) for each in SHORT]
    names += [(f"slow_{each.name}", each) for each in SHORT if each.is_alone]
    listed = "".join(f"int {name}({_parameters(header, each)});\n" for name, each in names)
    return f"\n{_CONSTANTS}int short_calls_keep_gil(void);\n{listed}"


def definitions(header: str) -> str:
    """Return the C of the short names, and what lets their wrappers keep the GIL."""
    head = _CONSTANTS + _MACROS
    return head + "".join(_definition(header, each) for each in SHORT)


def _definition(header: str, short: Short) -> str:
    parameters = _parameters(header, short)
    names = [each.split()[-1].partition("[")[0].lstrip("*") for each in parameters.split(",")]
    if not set(short.sizes) <= set(names):
        raise SystemExit(f"themis_{short.name} has other parameters: see {__name__}.")
    is_long = [f"{' + '.join(short.sizes)} > {LIMIT}"] if short.sizes else []
    is_long += [f"!{short.ready}"] if short.ready else []
    if short.is_alone:
        arguments = ", ".join(names[1:]).replace("now", "now > 0 ? (uint64_t)now : 0")
        call = f"themis_{short.name}({arguments})"
        return f"""
static int short_{short.name}({parameters})
{{
    return {" || ".join(["NEVER", "*in_c != 0", *is_long])} ? SHORT_NOT_DONE : {call};
}}

static int slow_{short.name}({parameters})
{{
    int made;
    ++*in_c;
    RELEASE_IF(1);
    made = {call};
    TAKE_AGAIN();
    --*in_c;
    return made;
}}
"""
    if short.at_once:
        return f"""
static int short_{short.name}({parameters})
{{
    int waits = 1;
    int made = NEVER ? THEMIS_FAIL : {short.at_once};
    if (waits) {{
        RELEASE_IF(1);
        made = themis_{short.name}({", ".join(names)});
        TAKE_AGAIN();
    }}
    return made;
}}
"""
    return f"""
static int short_{short.name}({parameters})
{{
    int made;
    RELEASE_IF({" || ".join(is_long) or "0"});
    made = themis_{short.name}({", ".join(names)});
    TAKE_AGAIN();
    return made;
}}
"""


def _parameters(header: str, short: Short) -> str:
    found = re.search(rf"^int themis_{short.name}\(([^()]*)\);$", header, re.MULTILINE)
    if found is None:
        raise SystemExit(f"themis.h has no themis_{short.name} that returns int: see {__name__}.")
    parameters = " ".join(found[1].split())
    if not short.is_alone:
        return parameters
    return f"int *in_c, {parameters.replace('uint64_t now', 'double now')}"
