# SPDX-License-Identifier: Apache-2.0
"""The fuzz targets as OSS-Fuzz builds them, their dictionaries and first inputs."""

import os
import re
import subprocess
import zipfile

import pytest

from support.project import ROOT
from tools.evidence import fuzz
from tools.evidence.fuzz_seeds import SEEDS, foreign_keys, key_text

pytestmark = [pytest.mark.no_c, pytest.mark.sources]

WORD = re.compile(r'"(?:[^"\\]|\\x[0-9a-f]{2})+"')


@pytest.mark.parametrize("name", ["der", "themis"])
def test_each_line_of_a_dictionary_is_a_word(name):
    """A fuzzer refuses a whole dictionary for one wrong line, and takes a word once."""
    lines = (ROOT / "fuzz" / f"{name}.dict").read_text(encoding="utf-8").splitlines()
    words = [line for line in lines if line and not line.startswith("#")]
    assert len(words) >= 30
    assert [word for word in words if not WORD.fullmatch(word)] == []
    assert len({*words}) == len(words)


def test_the_page_says_what_each_target_holds():
    """Each target is in the table, and nothing else."""
    page = (ROOT / "docs" / "evidence" / "fuzzing.md").read_text(encoding="utf-8")
    table = page.partition("## Method")[2].partition("**Slow is a bug.**")[0]
    named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)))
    assert sorted(named) == sorted(SEEDS)


def test_foreign_keys_are_among_the_first_inputs():
    """Other kinds of keys, integers of thousands of bytes, and deep DER are seeds."""
    keys = list(foreign_keys())
    seeds = set(key_text())
    assert all(b"\0\0\0" + key in seeds for key in keys)
    assert max(map(len, keys)) > 8000
    assert any(b"\x06\x03\x2b\x65\x70" in key for key in keys)  # Ed25519
    for key in keys:
        first = key[1]
        length = int.from_bytes(key[2 : 2 + (first & 0x7F)], "big") if first > 0x80 else first
        assert first == 0x80 or length == len(key) - 2 - (first & 0x7F if first > 0x80 else 0)


def test_each_target_has_words():
    """The dictionary that is named is there."""
    assert all(fuzz.dictionary_of(target).is_file() for target in SEEDS)
    assert {*fuzz.COSTS} <= {*SEEDS, "control"}


@pytest.mark.slow
@pytest.mark.evidence
def test_the_build_of_oss_fuzz_works_here(tmp_path):
    """Its script builds targets that run on their seeds, with words and limits beside them."""
    if not (fuzz.shutil.which("clang") and fuzz.shutil.which("clang++")):
        pytest.skip("needs clang")
    (tmp_path / "pythemis").symlink_to(ROOT)
    out = tmp_path / "out"
    out.mkdir()
    flags = "-g -O1 -fsanitize=address,fuzzer-no-link"
    environment = {
        **os.environ,
        "SRC": str(tmp_path),
        "OUT": str(out),
        "CC": "clang",
        "CXX": "clang++",
        "CFLAGS": flags,
        "CXXFLAGS": flags,
        "LIB_FUZZING_ENGINE": "-fsanitize=fuzzer,address",
        "TARGETS": "container key_text",
    }
    script = ROOT / "fuzz" / "oss-fuzz" / "build.sh"
    subprocess.run(["bash", script], env=environment, check=True)
    for target in ("container", "key_text"):
        assert "max_len = 12288" in (out / f"{target}.options").read_text()
        seeds = tmp_path / "seeds" / target
        with zipfile.ZipFile(out / f"{target}_seed_corpus.zip") as archive:
            archive.extractall(seeds)
        command = [out / target, "-runs=200", f"-dict={out / target}.dict", seeds]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr[-2000:]
        assert re.search(r"^cost: slowest \d+ us, largest \d+ bytes$", done.stderr, re.MULTILINE)
