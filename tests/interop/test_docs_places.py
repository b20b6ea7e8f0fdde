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
RECORDED = json.loads((VECTORS / "place.json").read_text("utf-8"))
AS_TEXT = {"text", "text_times", "int", "uuid"}  # what a function of text can be given
INTEGERS = {"int-too-big", "int-too-small"}  # as text these are parts like others
WITHOUT_SURROGATES = {"lone-surrogate"}  # their texts cannot hold one
JAVASCRIPT = """
for (const parts of JSON.parse(require("fs").readFileSync(0, "utf8"))) {
  let made = "refused";
  try { made = Buffer.from(place(...parts)).toString("hex") } catch {}
  console.log(made);
}
"""
GO = """
package main

import ("encoding/json"; "errors"; "fmt"; "os")

func main() {
	var cases [][]string
	json.NewDecoder(os.Stdin).Decode(&cases)
	for _, parts := range cases {
		made, err := place(parts...)
		if err == nil { fmt.Printf("%x\\n", made) } else { fmt.Println("refused") }
	}
}
"""
KOTLIN = r"""
fun parts(text: String) = Regex("\"((?:\\\\u[0-9a-f]{4})*)\"").findAll(text).map {
    it.groupValues[1].split("\\u").drop(1).map { it.toInt(16).toChar() }.joinToString("")
}.toList().toTypedArray()

fun main() = Regex("\\[([^\\[\\]]*)\\]").findAll(System.`in`.reader().readText()).forEach {
    println(try {
        place(*parts(it.groupValues[1])).joinToString("") { "%02x".format(it) }
    } catch (refused: Exception) { "refused" })
}
"""


def text_of(part):
    """Give a part as the text that stands for it."""
    [value] = part.values()
    return value[0] * value[1] if "text_times" in part else value


def cases_of(kind):
    """Give the recorded cases that are made of text, by their id."""
    return {
        case["id"]: ([text_of(part) for part in case["parts"]], case.get("place", "refused"))
        for case in RECORDED[kind]
        if all({*part} <= AS_TEXT for part in case["parts"]) and "sha256" not in case
    }


MADE = cases_of("cases")
REFUSED = {name: case for name, case in cases_of("refused").items() if name not in INTEGERS}


def function(language):
    """Give the function of the page in a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def finish(command, folder, given=None):
    """Give what a program prints."""
    done = subprocess.run(
        command, cwd=folder, input=given, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def quoted(text):
    r"""Give text as JSON, every UTF-16 unit as \uXXXX: Kotlin's driver has no reader of JSON."""
    units = text.encode("utf-16-be", "surrogatepass").hex()
    return '"' + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + '"'


def check(command, folder, cases):
    """Every case has the recorded answer."""
    lists = (f"[{','.join(map(quoted, parts))}]" for parts, _ in cases.values())
    printed = finish(command, folder, f"[{','.join(lists)}]").split()
    assert dict(zip(cases, printed, strict=True)) == {
        name: answer for name, (_, answer) in cases.items()
    }


def test_the_cases_are_many():
    """Recorded places and refusals of text are there, those of lengths and surrogates too."""
    assert len(MADE) > 25
    assert len(REFUSED) == 5


def test_javascript_makes_the_same_places(tmp_path):
    """JavaScript makes each recorded place, and refuses what has none."""
    assert shutil.which("node"), "make test GROUP=integration brings Node"
    (tmp_path / "place.js").write_text(function("javascript") + JAVASCRIPT)
    check(["node", "place.js"], tmp_path, MADE | REFUSED)


def test_go_makes_the_same_places(tmp_path):
    """Go makes each recorded place, and refuses what has none."""
    if not shutil.which("go"):
        pytest.skip("needs go, which Debian's package golang-go has")
    (tmp_path / "place.go").write_text(GO + function("go"))
    refused = {name: REFUSED[name] for name in REFUSED if name not in WITHOUT_SURROGATES}
    check(["go", "run", "place.go"], tmp_path, MADE | refused)


def test_kotlin_makes_the_same_places(tmp_path):
    """Kotlin makes each recorded place, and refuses what has none."""
    if not shutil.which("kotlinc") or "kotlinc-jvm 1." in version_of_kotlin():
        pytest.skip("needs Java, and kotlinc 2, which the npm package kotlin-compiler has")
    (tmp_path / "place.kt").write_text(function("kotlin") + KOTLIN)
    finish(["kotlinc", "place.kt", "-include-runtime", "-d", "place.jar"], tmp_path)
    check(["java", "-jar", "place.jar"], tmp_path, MADE | REFUSED)


def version_of_kotlin():
    """Give what the compiler says of itself."""
    return subprocess.run(
        ["kotlinc", "-version"], capture_output=True, text=True, check=False
    ).stderr
