# SPDX-License-Identifier: Apache-2.0
"""Keys: generated, inspected, and converted (specification, section 2).

Keys are ``bytes``. Symmetric keys are for Secure Cell, key pairs for Secure Message and Secure
Session: publish the public key and keep the private key secret. Every failure raises `ThemisError`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import Enum

from . import _compat, _hints
from ._core import errors, keys, owner
from ._core.late import Loading
from ._core.secret import Key
from ._hints import Buffer
from .exception import THEMIS_CODES as THEMIS_CODES
from .exception import ThemisError, ThemisTypeError, ThemisValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

__all__ = [
    "KEY_PAIR_TYPE",
    "GenerateKeyPair",
    "GenerateSymmetricKey",
    "KeyKind",
    "from_der",
    "from_jwk",
    "from_openssh",
    "from_pem",
    "from_point",
    "key_kind",
    "public_from_private",
    "to_der",
    "to_jwk",
    "to_pem",
]

_ERRORS = errors.Errors(ThemisError, ThemisTypeError, ThemisValueError)
_UNCOMPRESSED_VARIABLE = "THEMIS_GEN_EC_KEY_PAIR_UNCOMPRESSED"


def GenerateSymmetricKey() -> bytes:
    """Generate a key for Secure Cell.

    Returns:
        32 random bytes. Keep them secret. If you lose them, the data is unrecoverable.

    Raises:
        ThemisError: the random generator failed.
    """
    return keys.symmetric_key(_ERRORS)


class KEY_PAIR_TYPE(str, Enum):
    """The algorithms of key pairs."""

    EC = "EC"
    RSA = "RSA"

    CHOICES: _hints.ClassVar[tuple[KEY_PAIR_TYPE, ...]]  # all of them, and no member itself

    __str__ = str.__str__  # as when these were plain strings


KEY_PAIR_TYPE.CHOICES = tuple(KEY_PAIR_TYPE)


class KeyKind(Enum):
    """The kind of a key: algorithm, size, and which half of a pair."""

    EC_P256_PRIVATE = (KEY_PAIR_TYPE.EC, 256, True)
    EC_P256_PUBLIC = (KEY_PAIR_TYPE.EC, 256, False)
    EC_P384_PRIVATE = (KEY_PAIR_TYPE.EC, 384, True)
    EC_P384_PUBLIC = (KEY_PAIR_TYPE.EC, 384, False)
    EC_P521_PRIVATE = (KEY_PAIR_TYPE.EC, 521, True)
    EC_P521_PUBLIC = (KEY_PAIR_TYPE.EC, 521, False)
    RSA_1024_PRIVATE = (KEY_PAIR_TYPE.RSA, 1024, True)
    RSA_1024_PUBLIC = (KEY_PAIR_TYPE.RSA, 1024, False)
    RSA_2048_PRIVATE = (KEY_PAIR_TYPE.RSA, 2048, True)
    RSA_2048_PUBLIC = (KEY_PAIR_TYPE.RSA, 2048, False)
    RSA_4096_PRIVATE = (KEY_PAIR_TYPE.RSA, 4096, True)
    RSA_4096_PUBLIC = (KEY_PAIR_TYPE.RSA, 4096, False)
    RSA_8192_PRIVATE = (KEY_PAIR_TYPE.RSA, 8192, True)
    RSA_8192_PUBLIC = (KEY_PAIR_TYPE.RSA, 8192, False)

    @property
    def algorithm(self) -> KEY_PAIR_TYPE:
        """`KEY_PAIR_TYPE.EC` or `KEY_PAIR_TYPE.RSA`."""
        return self.value[0]

    @property
    def bits(self) -> int:
        """Its size in bits (EC 256, 384 or 521; RSA 1024, 2048, 4096 or 8192)."""
        return self.value[1]

    @property
    def is_private(self) -> bool:
        """Whether it is a private key, which you must keep secret."""
        return self.value[2]

    @property
    def is_public(self) -> bool:
        """Whether it is a public key, which you may publish."""
        return not self.value[2]


_ALGORITHMS = {KEY_PAIR_TYPE.EC: keys.EC, KEY_PAIR_TYPE.RSA: keys.RSA}
_KINDS = {
    keys.Kind(_ALGORITHMS[kind.algorithm], kind.bits, kind.is_private): kind for kind in KeyKind
}
_CURVES = {"P-256": 256, "P-384": 384, "P-521": 521}
_RSA_BITS = (2048, 4096, 8192)  # 1024 is read, for old data, but no longer generated


class GenerateKeyPair(owner.Immutable):
    """Generate a key pair.

    ``close()`` drops the pair but cannot wipe it: its keys are ``bytes``, which Python frees
    without wiping once they are unused. `copy.copy` and `copy.deepcopy` return the pair itself.

    Args:
        alg: a `KEY_PAIR_TYPE`; EC is recommended.
        bits: of RSA keys: 2048 (the default), 4096 or 8192. The last takes many seconds.
        curve: of EC keys: "P-256" (the default), "P-384" or "P-521".
        uncompressed: whether the public EC key is written in its long form (77 bytes on P-256
            instead of 45), which every Themis reads as well. The default is False, or True if the
            environment has ``THEMIS_GEN_EC_KEY_PAIR_UNCOMPRESSED=1``.

    Raises:
        ThemisError: an algorithm, size or curve that does not exist.
    """

    _errors = _ERRORS

    def __init__(
        self,
        alg: KEY_PAIR_TYPE | str,
        *,
        bits: int | None = None,
        curve: str | None = None,
        uncompressed: bool | None = None,
    ) -> None:
        kind = _kind_to_make(alg, bits, curve)
        if uncompressed is None:
            uncompressed = os.environ.get(_UNCOMPRESSED_VARIABLE) == "1"
        elif kind.algorithm != keys.EC:
            errors.wrong_value(_ERRORS, "uncompressed is for EC keys")
        owner.own(self, keys.pair, kind, uncompressed=bool(uncompressed))

    def export_private_key(self) -> bytes:
        """Return the private key, 45 to 79 bytes (EC) or 1168 to 4624 (RSA); keep it secret."""
        private_key, _ = self._pair()
        return private_key

    def export_public_key(self) -> bytes:
        """Return the public key, 45 to 145 bytes (EC) or 272 to 1040 (RSA), for publication."""
        _, public_key = self._pair()
        return public_key

    def _pair(self) -> tuple[bytes, bytes]:
        pair: tuple[bytes, bytes] = owner.opened(self)
        return pair


def _kind_to_make(alg: object, bits: object, curve: object) -> keys.Kind:
    if alg == KEY_PAIR_TYPE.EC:
        if bits is not None:
            errors.wrong_value(_ERRORS, "bits are for RSA keys; EC keys take a curve")
        if curve is None:
            curve = "P-256"
        if not isinstance(curve, str) or curve not in _CURVES:
            errors.wrong_value(_ERRORS, f"the curve must be one of {', '.join(_CURVES)}")
        return keys.Kind(keys.EC, _CURVES[curve], is_private=True)
    if alg == KEY_PAIR_TYPE.RSA:
        if curve is not None:
            errors.wrong_value(_ERRORS, "a curve is for EC keys; RSA keys take bits")
        if bits is None:
            bits = _RSA_BITS[0]
        if not isinstance(bits, int) or bits not in _RSA_BITS:
            errors.wrong_value(_ERRORS, f"bits must be one of {', '.join(map(str, _RSA_BITS))}")
        return keys.Kind(keys.RSA, bits, is_private=True)
    return errors.wrong_value(
        _ERRORS, "the algorithm must be KEY_PAIR_TYPE.EC or KEY_PAIR_TYPE.RSA"
    )


def key_kind(key: Key) -> KeyKind:
    """Return the kind of a key.

    It checks the length and the checksum of the container. The numbers inside are checked when the
    key is used.

    Args:
        key: an asymmetric key.

    Returns:
        A member of `KeyKind`.

    Raises:
        ThemisError: not an asymmetric key, or a corrupted one.
    """
    return _KINDS[keys.kind(_ERRORS, key)]


def public_from_private(private_key: Key, *, uncompressed: bool = False) -> bytes:
    """Compute the public key of a private key.

    Args:
        private_key: EC or RSA.
        uncompressed: whether a public EC key is written in its long form.

    Returns:
        The public key.

    Raises:
        ThemisError: a public key, or a corrupted one.
    """
    return keys.public(_ERRORS, private_key, uncompressed=bool(uncompressed))


def to_pem(key: Key, passphrase: Key | str | None = None) -> bytes:
    """Write a key as PEM (RFC 7468), for other software.

    Args:
        key: private or public, EC or RSA.
        passphrase: encrypts a private key (PBES2: PBKDF2-HMAC-SHA256, 600000 iterations,
            AES-256-CBC); text is encoded in UTF-8.

    Returns:
        PKCS#8 (``PRIVATE KEY``, ``ENCRYPTED PRIVATE KEY``) or SubjectPublicKeyInfo
        (``PUBLIC KEY``).

    Raises:
        ThemisError: a corrupted key, an empty passphrase, or one for a public key.
    """
    return _to_text(key, passphrase, pem=True)


def to_der(key: Key, passphrase: Key | str | None = None) -> bytes:
    """Write a key as DER: what `to_pem` writes, without the text around it.

    Args:
        key: private or public, EC or RSA.
        passphrase: encrypts a private key; text is encoded in UTF-8.

    Returns:
        PKCS#8 or SubjectPublicKeyInfo.

    Raises:
        ThemisError: a corrupted key, an empty passphrase, or one for a public key.
    """
    return _to_text(key, passphrase, pem=False)


def from_pem(pem: Key | str, passphrase: Key | str | None = None) -> bytes:
    r"""Read a key that other software wrote as PEM.

    PKCS#8, also encrypted (PBES2 with PBKDF2 of up to 5000000 iterations, or scrypt),
    SubjectPublicKeyInfo, and unencrypted the older ``EC PRIVATE KEY``, ``RSA PRIVATE KEY`` and
    ``RSA PUBLIC KEY``. Text around the first key is skipped. Wrapped PEM is read as well: indented,
    quoted, in UTF-16 or base64, with ``\n`` instead of line ends.

    Args:
        pem: the text, or its bytes.
        passphrase: of an encrypted key, and only of such; text is encoded in UTF-8.

    Returns:
        The key; a public EC key is compressed.

    Raises:
        ThemisError: not a key, one that is not EC on P-256, P-384 or P-521 or RSA of 1024, 2048,
            4096 or 8192 bits, or a wrong passphrase.
    """
    text = pem.encode("utf-8", "replace") if isinstance(pem, str) else pem
    secret = _passphrase_bytes(passphrase)
    return keys.imported(_ERRORS, text, pem=True, passphrase=secret)


def from_der(der: Key, passphrase: Key | str | None = None) -> bytes:
    """Read a key that other software wrote as DER, in any form that `from_pem` knows.

    Args:
        der: the encoded key, with no bytes after it.
        passphrase: of an encrypted key, and only of such; text is encoded in UTF-8.

    Returns:
        The key; a public EC key is compressed.

    Raises:
        ThemisError: as `from_pem`.
    """
    secret = _passphrase_bytes(passphrase)
    return keys.imported(_ERRORS, der, pem=False, passphrase=secret)


def from_jwk(jwk: Buffer | str | Mapping[str, _hints.Any]) -> bytes:
    """Read a key that is a JSON Web Key (RFC 7517 and 7518).

    Args:
        jwk: the JSON text, its bytes, or the parsed JSON. Members other than those of RFC 7518 for
            EC or RSA, such as ``use`` or ``kid``, are ignored.

    Returns:
        The key, private if the JWK is; a public EC key is compressed.

    Raises:
        ThemisError: not a JWK, a member that is missing, corrupted or of the wrong length,
            inconsistent numbers, or a key that is not EC on P-256, P-384 or P-521 or
            RSA of 1024, 2048, 4096 or 8192 bits.
    """
    with Loading(_ERRORS):
        from ._core import foreign  # only by programs that use these forms

    return foreign.from_jwk(_ERRORS, jwk)


def to_jwk(key: Key) -> dict[str, str]:
    """Write a key as a JSON Web Key; a private key has its secret members, unencrypted.

    Args:
        key: private or public, EC or RSA.

    Returns:
        The members, for ``json.dumps``; add ``kid``, ``use`` or ``alg`` if you need them.

    Raises:
        ThemisError: a corrupted key.
    """
    with Loading(_ERRORS):
        from ._core import foreign

    return foreign.to_jwk(_ERRORS, key)


def from_openssh(text: Buffer | str) -> bytes:
    """Read a key that OpenSSH wrote: ECDSA or RSA.

    Args:
        text: a private key (``-----BEGIN OPENSSH PRIVATE KEY-----``, not encrypted), the line of a
            public key (``ecdsa-sha2-nistp256 AAAA...``), or a public key of RFC 4716.

    Returns:
        The key; a public EC key is compressed.

    Raises:
        ThemisError: not such a key, a corrupted or encrypted one, or one of another kind, such as
            Ed25519. Convert an encrypted key with ``ssh-keygen -p -m PKCS8 -f FILE`` and read it
            with `from_pem`.
    """
    with Loading(_ERRORS):
        from ._core import foreign

    return foreign.from_openssh(_ERRORS, text)


def from_point(point: Buffer) -> bytes:
    """Read a public EC key that is a bare point (SEC 1, section 2.3.3).

    Args:
        point: 33, 49 or 67 bytes (compressed), or 65, 97 or 133, on P-256, P-384 or P-521.

    Returns:
        The public key, compressed.

    Raises:
        ThemisError: another length, or a point that is not on its curve.
    """
    with Loading(_ERRORS):
        from ._core import foreign

    return foreign.from_point(_ERRORS, point)


def _to_text(key: Key, passphrase: Key | str | None, *, pem: bool) -> bytes:
    secret = _passphrase_bytes(passphrase)
    if passphrase is not None and key_kind(key).is_public:
        errors.wrong_value(_ERRORS, "a public key is not encrypted: leave the passphrase out")
    return keys.exported(_ERRORS, key, pem=pem, passphrase=secret)


def _passphrase_bytes(passphrase: Key | str | None) -> Key | None:
    if not isinstance(passphrase, str):
        return passphrase
    try:
        return passphrase.encode()
    except UnicodeEncodeError:  # its text would show the passphrase, so it is not chained
        pass
    return errors.wrong_value(_ERRORS, "the passphrase cannot be expressed in UTF-8")


if TYPE_CHECKING:  # misspelled names must not pass the type check
    themis_gen_key_pair = GenerateKeyPair
else:
    __getattr__ = _compat.deprecated_names(__name__, {"themis_gen_key_pair": "GenerateKeyPair"})
