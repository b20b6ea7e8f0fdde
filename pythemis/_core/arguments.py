# SPDX-License-Identifier: Apache-2.0
"""The arguments that hold bytes: what errors call them, and what text in their place means."""

from __future__ import annotations


class Nature:  # no Enum: loading `enum` takes a quarter of the start
    """Where the bytes of an argument come from."""

    WRITTEN = 1  # by the program or its users: text is to be encoded
    MADE = 2  # by Themis: text is an encoding of it
    KEY = 3  # text is an encoding of it, or a key in another form


class Argument(str):
    """The name of an argument, as errors have it."""

    __slots__ = ("is_secret", "may_be_text", "nature")

    nature: int
    may_be_text: bool
    is_secret: bool  # and so it may be a SecretKey

    def __new__(
        cls, name: str, nature: int, *, may_be_text: bool = False, is_secret: bool = False
    ) -> Argument:
        """Name an argument."""
        made = super().__new__(cls, name)
        made.nature = nature
        made.may_be_text = may_be_text
        made.is_secret = is_secret or nature == Nature.KEY
        return made


MESSAGE = Argument("the message", Nature.WRITTEN)
CONTEXT = Argument("the context", Nature.WRITTEN)
PASSPHRASE = Argument("the passphrase", Nature.WRITTEN, may_be_text=True, is_secret=True)
SECRET = Argument("the secret", Nature.WRITTEN, is_secret=True)
USER_ID = Argument("the user id", Nature.WRITTEN)
REMOTE_ID = Argument("the remote id", Nature.WRITTEN)

ENCRYPTED = Argument("the encrypted message", Nature.MADE)
SIGNED = Argument("the signed message", Nature.MADE)
RECEIVED = Argument("the received message", Nature.MADE)
HEADER = Argument("the header", Nature.MADE)
STORED = Argument("the stored value", Nature.MADE)
TOKEN = Argument("the token", Nature.MADE)

KEY = Argument("the key", Nature.KEY)
PRIVATE = Argument("the private key", Nature.KEY)
PUBLIC = Argument("the public key", Nature.KEY)
POINT = Argument("the point", Nature.KEY)
DER = Argument("the DER data", Nature.KEY)
PEM = Argument("the PEM text", Nature.KEY, may_be_text=True)
JWK = Argument("the JWK", Nature.KEY, may_be_text=True)
OPENSSH = Argument("the OpenSSH key", Nature.KEY, may_be_text=True)
