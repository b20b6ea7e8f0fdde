# SPDX-License-Identifier: Apache-2.0
"""``pythemis keygen`` and ``pythemis key``: generate, show and convert keys."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pythemis import skeygen
from pythemis._core.facts import shown
from pythemis._inspect import Report, inspect

from . import sources
from .errors import Status, for_each, refused, usage
from .reports import report_on
from .streams import STANDARD, read, say, write, write_file

if TYPE_CHECKING:
    import argparse

    from pythemis._hints import Buffer

_CURVES = {"P-256": 256, "P-384": 384, "P-521": 521}
_PUBLIC_SUFFIX = ".pub"


def _line(key: Buffer) -> bytes:
    return b64encode(key) + b"\n"


def keygen(options: argparse.Namespace) -> int:
    """Generate a symmetric key, or a pair."""
    if options.ec is None and options.rsa is None:
        write(options, _line(skeygen.GenerateSymmetricKey()))
        return Status.DONE
    if options.output in (None, STANDARD):
        raise usage("a pair goes to two files: name the one of the private key with -o")
    _check_free(options)
    if options.rsa is not None:
        pair = skeygen.GenerateKeyPair(skeygen.KEY_PAIR_TYPE.RSA, bits=options.rsa)
    else:
        pair = skeygen.GenerateKeyPair(skeygen.KEY_PAIR_TYPE.EC, curve=options.ec)
    _write_pair(options, pair)
    return Status.DONE


def _check_free(options: argparse.Namespace) -> None:
    for name in (options.output, options.output + _PUBLIC_SUFFIX):
        if not options.force and Path(name).exists():
            raise usage(f"{name} is there already; -f replaces it")


def _write_pair(options: argparse.Namespace, pair: skeygen.GenerateKeyPair) -> None:
    name, force = options.output, options.force
    write_file(name, _line(pair.export_private_key()), force=force)
    try:
        public = _line(pair.export_public_key())
        write_file(name + _PUBLIC_SUFFIX, public, force=force, public=True)
    except BaseException:
        if not force:  # the private key alone is of no use
            with suppress(OSError):
                Path(name).unlink()
        raise


# ---- Show ----

_KINDS = {
    *("private-key", "public-key", "symmetric-key", "pem", "der", "jwk", "point"),
    *("openssh-private", "openssh-public"),
}


def show(options: argparse.Namespace) -> int:
    """Show kinds and names of keys, one line for each."""
    return for_each(options.files, lambda name: _shown(options, name, report_on(name)))


def _shown(options: argparse.Namespace, name: str, report: Report) -> bool:
    if report.kind not in _KINDS:
        known = f", but {report.name}" if report.recognised else ", as far as it shows"
        raise refused(f"{name}: this is no key{known}")
    if options.json:
        say(json.dumps({"file": name, **report.as_dict()}))
        return True
    told = dict(report.facts)
    kind = told.get("key", report.name)
    half = "" if "private" not in told else ", private" if told["private"] else ", public"
    public_name = told.get("public_name")
    say(f"{shown(name)}: {kind}{half}" + (f", name {public_name}" if public_name else ""))
    for problem in report.problems:
        raise refused(f"{name}: {problem}")
    return True


# ---- Convert ----


def public(options: argparse.Namespace) -> int:
    """Write the public key of a private one."""
    key = skeygen.public_from_private(sources.key_in(options.file))
    if options.output in (None, STANDARD):
        write(options, _line(key))
    else:
        write_file(options.output, _line(key), force=options.force, public=True)
    return Status.DONE


def to_pem(options: argparse.Namespace) -> int:
    """Write a key as PEM."""
    key = sources.key_in(options.file, secret=False)
    secret = sources.passphrase(options, new=True)
    write(options, skeygen.to_pem(key, secret))
    return Status.DONE


def to_jwk(options: argparse.Namespace) -> int:
    """Write a key as a JWK."""
    key = sources.key_in(options.file, secret=False)
    write(options, json.dumps(skeygen.to_jwk(key)).encode() + b"\n")
    return Status.DONE


_MOST = 1 << 16


def from_pem(options: argparse.Namespace) -> int:
    """Read a key of other software."""
    data = read(options.file, most=_MOST + 1)
    if len(data) > _MOST:
        raise refused("this is too long to be a key")
    report = inspect(data)
    secret = sources.passphrase(options, new=False)
    if report.kind == "jwk":
        key = skeygen.from_jwk(data)
    elif report.kind.startswith("openssh-"):
        key = skeygen.from_openssh(data)
    elif report.kind == "der":
        key = skeygen.from_der(data, secret)
    else:
        asks = bool(options.passphrase)
        if secret is None and report.facts.get("encrypted"):
            secret, asks = sources.prompt(), True
        key = sources.asking_again(partial(skeygen.from_pem, data), secret, lambda: asks)
    write(options, _line(key))
    return Status.DONE
