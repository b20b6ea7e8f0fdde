# SPDX-License-Identifier: Apache-2.0
"""High-level encryption in the formats of Themis: no algorithm, nonce or format to choose.

===========  ==========================================================
module       what is in it
===========  ==========================================================
scell        Secure Cell: data at rest, under a key or a passphrase
smessage     Secure Message: messages, signed or encrypted
ssession     Secure Session: an encrypted connection of two parties
stransport   Secure Session over sockets
asession     Secure Session over asyncio streams
scomparator  Secure Comparator: compare secrets without revealing them
skeygen      keys: generated, inspected, converted
place        the canonical context: where a value lives
files        files of any size, encrypted and read at any position
keyring      keys in guarded memory, keyrings, the values under them
fields       database fields, sealed and searchable
columns      whole columns of tables, encrypted value by value
kms          key services: AWS KMS, Vault and OpenBao, PKCS#11
exception    the base of all errors, and their numbers
===========  ==========================================================

`inspect` returns what data is, without a key: ``print(pythemis.inspect(data))``.

Import the modules, or what they list: ``from pythemis import SCellSeal``. They load when they are
first used: ``import pythemis`` alone costs next to nothing. ``python -m pythemis`` prints versions
and runs a self-test.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import (  # noqa: F401
        asession,
        exception,
        keyring,
        place,
        scell,
        scomparator,
        skeygen,
        smessage,
        ssession,
        stransport,
    )
    from ._inspect import *  # noqa: F403
    from .exception import *  # noqa: F403
    from .scell import *  # noqa: F403
    from .scomparator import *  # noqa: F403
    from .skeygen import *  # noqa: F403
    from .smessage import *  # noqa: F403
    from .ssession import *  # noqa: F403

__all__ = ["exception", "scell", "scomparator", "skeygen", "smessage", "ssession"]
_MODULES = [*__all__, "asession", "keyring", "place", "stransport"]

# What each module of __all__ lists in its own, known before any of them is loaded.
_NAMES = {
    "exception": "THEMIS_CODES ThemisError ThemisTypeError ThemisValueError",
    "scell": "SCellContextImprint SCellSeal SCellSealPassphrase SCellTokenProtect "
    "SecureCellError SecureCellTypeError SecureCellValueError legacy_text",
    "scomparator": "SCOMPARATOR_CODES SComparator SecureComparatorError "
    "SecureComparatorTypeError SecureComparatorValueError",
    "skeygen": "KEY_PAIR_TYPE GenerateKeyPair GenerateSymmetricKey KeyKind from_der from_jwk "
    "from_openssh from_pem from_point key_kind public_from_private to_der to_jwk to_pem",
    "smessage": "SMessage SecureMessageError SecureMessageTypeError SecureMessageValueError "
    "SecureSigner SecureVerifier ssign sverify",
    "ssession": "MemoryTransport SSession SString SecureSessionError SecureSessionTypeError "
    "SecureSessionValueError SessionState SimpleMemoryTransport Transport peer_id_of",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
_HOMES |= {"Report": "_inspect", "inspect": "_inspect"}  # of no documented module


if TYPE_CHECKING:
    __version__: str  # and no other name is right, so none is looked up when types are checked
else:

    def __getattr__(name: str) -> Any:
        if name in _MODULES or name in _HOMES:
            from importlib import import_module

            module = import_module(f"{__name__}.{_HOMES.get(name, name)}")
            return module if name in _MODULES else getattr(module, name)
        if name == "__version__":
            from importlib.metadata import version

            return version(__name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(
        {*_MODULES, *_HOMES, "__version__", *(name for name in globals() if name[0] == "_")}
    )
