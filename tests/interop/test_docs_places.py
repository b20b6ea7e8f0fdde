# SPDX-License-Identifier: Apache-2.0
"""The functions of the page about places make the recorded answers, in each language here."""

import json
import re
import shutil
import subprocess

import pytest

from support.cells import VECTORS
from support.project import ROOT

pytestmark = pytest.mark.integration

PAGE = (ROOT / "docs" / "guide" / "places.md").read_text("utf-8")
CASES = [
    ([next(iter(part.values())) for part in case["parts"]], case["place"])
    for case in json.loads((VECTORS / "place.json").read_text("utf-8"))["cases"]
    if "place" in case and all({*part} <= {"text", "int", "uuid"} for part in case["parts"])
]
JAVASCRIPT = """
for (const parts of JSON.parse(require("fs").readFileSync(0, "utf8")))
  console.log(place(...parts).toString("hex"));
"""
GO = """
package main

import ("encoding/json"; "fmt"; "os")

func main() {
	var cases [][]string
	json.NewDecoder(os.Stdin).Decode(&cases)
	for _, parts := range cases { fmt.Printf("%x\\n", place(parts...)) }
}
"""


def function(language):
    """Give the function of the page in a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def needs(program):
    """Skip where a language is missing; Node comes with this group of tests."""
    if not shutil.which(program):
        assert program != "node", "make test GROUP=integration brings Node"
        pytest.skip(f"needs {program}, which Debian's package golang-go has")


@pytest.mark.parametrize(
    ("language", "program", "source"),
    [("javascript", ["node"], "place.js"), ("go", ["go", "run"], "place.go")],
    ids=["javascript", "go"],
)
def test_another_language_makes_the_same_places(language, program, source, tmp_path):
    """Every recorded place of text comes out of the page's function."""
    needs(program[0])
    driver = {"javascript": JAVASCRIPT, "go": GO}[language]
    (tmp_path / source).write_text(
        driver + function(language) if language == "go" else function(language) + driver
    )
    given = json.dumps([parts for parts, _ in CASES])
    made = subprocess.run(
        [*program, source], cwd=tmp_path, input=given, capture_output=True, text=True, check=False
    )
    assert made.stderr == ""
    assert made.stdout.split() == [place for _, place in CASES]
    assert len(CASES) > 10
