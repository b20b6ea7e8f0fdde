# SPDX-License-Identifier: Apache-2.0
"""What sessions, their sockets and their streams share: how peers are found, and limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from numbers import Integral, Real
from typing import TypeAlias

from ._core import errors, sessions
from .exception import THEMIS_CODES

# How a transport knows its peers: by their ids, or by a function; with asyncio it may be awaited.
Keys: TypeAlias = Mapping[bytes, bytes] | Callable[[bytes], bytes | None]
AsyncKeys: TypeAlias = (
    Mapping[bytes, bytes] | Callable[[bytes], bytes | Awaitable[bytes | None] | None]
)

LARGEST = 0xFFFFFFFF  # bytes of a message: the header of a frame holds no larger number
LONGEST = 2_000_000  # seconds: poll counts milliseconds in 31 bits
_SHOWN_MAX = 256  # characters of another error
# A peer that refuses us sends nothing back.
WHY_LEFT = "is our id known there, with the public key of our sign_key? The peer's log says why"


def check_keys(refusals: errors.Errors, keys: object) -> None:
    """Check that keys of peers can be looked up in ``keys``; if it is a dict, check each of them.

    Other mappings may be databases: what is in them is checked when a peer comes, as with
    functions.
    """
    if isinstance(keys, dict):
        sessions.check_peers(refusals, dict(keys))  # other threads may add to it
    elif not isinstance(keys, Mapping) and not callable(keys):
        raise TypeError(
            "keys must be a mapping from ids to public keys, or a function of the id, "
            f"not {type(keys).__name__}"
        )


def look_up(keys: Keys, peer_id: bytes) -> bytes | None:
    """Return the public key of a peer; None if it has none there."""
    return keys.get(peer_id) if isinstance(keys, Mapping) else keys(peer_id)


def look_up_failed(refusals: errors.Errors, peer_id: bytes) -> Exception:
    """Make the error for a ``get_pub_key_by_id`` that raised; what it raised is the cause."""
    message = f"get_pub_key_by_id failed for the peer {shown_id(peer_id)}"
    return refusals.failed(THEMIS_CODES.SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR, message)


def check_limits(max_size: int, timeout: float | None) -> None:
    """Check that a frame can have a size of ``max_size`` bytes, and ``timeout`` is in range."""
    if not isinstance(max_size, Integral):
        raise TypeError(f"max_size must be an int, not {type(max_size).__name__}")
    if not 0 < max_size <= LARGEST:
        raise ValueError(f"max_size must be 1 to {LARGEST}")
    if timeout is None:
        return
    if not isinstance(timeout, Real):
        kind = type(timeout).__name__
        raise TypeError(f"timeout must be a number of seconds, or None, not {kind}")
    if not 0 < timeout <= LONGEST:
        raise ValueError(f"timeout must be a number of seconds up to {LONGEST}, or None")


def shown_id(peer_id: bytes) -> str:
    """Return the first 64 bytes of an id, as errors show it."""
    return repr(peer_id[:64]) + "..." * (len(peer_id) > 64)


def shown(error: BaseException) -> str:
    """Return the first 256 characters of an error, as another error shows it.

    A callback that fails may have been called from another one that then fails, and so on. Each
    time an error shows one that shows one, the backslashes before quotes double.
    """
    text = repr(error)
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."
