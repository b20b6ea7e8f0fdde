# SPDX-License-Identifier: Apache-2.0
"""Our own known answers come from the script that says so."""

import importlib.util

import pytest

from support.cells import VECTORS

spec = importlib.util.spec_from_file_location("make_primitives", VECTORS / "make_primitives.py")
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)

pytestmark = pytest.mark.no_c


# RSA takes longer than the others together, and its files are made in the same way.
@pytest.mark.parametrize(
    "name", [name for name in script.FILES if name[10:] not in ("pss", "oaep")]
)
def test_the_script_makes_these_files(name):
    """To run the script again changes no byte, so that every case can be traced to it."""
    assert (VECTORS / f"{name}.json").read_text(encoding="utf-8") == script.text_of(name)


def test_no_file_is_without_its_script():
    """Every file of this kind has a function that makes it, and both results where it judges."""
    files = {path.stem for path in VECTORS.glob("primitive_*.json")}
    assert files == set(script.FILES)
    for name in files - {"primitive_hmac", "primitive_pbkdf2"}:
        text = (VECTORS / f"{name}.json").read_text(encoding="utf-8")
        assert '"result": "valid"' in text
        assert '"result": "invalid"' in text
