# SPDX-License-Identifier: Apache-2.0
"""Run all benchmarks that this machine can run, and put their results into one folder.

Each program's JSON goes there, all tables as Markdown (tables.md), and pictures of the ratios.
With --page docs/performance.md, a summary replaces that of this page, and the tables replace those
of docs/performance-tables.md. With --only keyrings files, the tables of the other programs stay.

    python benchmarks/everything.py [--short] [--only PROGRAM ...] [--folder FOLDER]
                                    [--against PYTHON] [--page FILE]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from _chart import draw
from _report import Row, from_json, machine_sentence, short, table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.setup import database  # noqa: E402

BEGIN = "<!-- figures: begin (written by `make bench BENCH_ARGS='--page docs/performance.md'`) -->"
END = "<!-- figures: end -->"
TITLES = {
    "yardsticks": "Beside hmac, os.urandom and `cryptography`",
    "keyrings": "Keyrings, beside cells and MultiFernet",
    "files": "Files, beside Cobblestone, Tink and age",
    "columns": "Columns, beside lists, Fernet and each other",
    "spark": "Columns on Spark, beside its own encryption and Fernet",
    "fields": "Fields of SQLAlchemy and Django, beside plain ones and those of other libraries",
    "floor": "Beside the same libcrypto and libsodium, used raw from C",
    "threads": "Threads, and lists of messages",
    "resources": "Import and memory",
    "paired": "Beside another pythemis",
    "operations": "Every operation",
}
# The rows of the summary: what a reader asks for, the operation of floor.py, and its bytes if the
# speed in MB/s says more than the number of calls.
HIGHLIGHTS = (
    ("encrypt 64 bytes (Secure Cell, Seal)", "Seal encrypt 64 B", 0),
    ("encrypt 1 MiB (Secure Cell, Seal)", "Seal encrypt 1 MiB", 1 << 20),
    ("encrypt 64 bytes with a passphrase", "passphrase encrypt 64 B", 0),
    ("sign a message, EC key", "ssign EC 64 B", 0),
    ("verify a signature, EC key", "sverify EC 64 B", 0),
    ("encrypt a message for a new peer, EC keys", "SMessage EC made new + wrap 64 B", 0),
    ("establish a session, both sides together", "session handshake, both sides", 0),
    ("compare a secret, both sides together", "comparison, both sides", 0),
)
# A round that only proves that the programs run: a few seconds for all of them.
SHORT = {
    "yardsticks": "--rounds 2 --seconds 0.0005",
    "keyrings": "--rounds 2 --seconds 0.0005",
    "files": "--rounds 2 --mib 2",
    "columns": "--rounds 2 --rows 2000",
    "spark": "--rounds 1 --rows 2000",
    "fields": "--rounds 2 --rows 200",
    "floor": "--rounds 2 --seconds 0.0005",
    "threads": "--rounds 2 --seconds 0.005 --many 1000",
    "resources": "--rounds 1",
    "paired": "--rounds 1 --samples 2 --seconds 0.0005",
    "operations": "--rounds 2 --seconds 0.0005",
}


def main() -> None:
    """Run them one after the other, so that none disturbs another."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="only prove that everything runs")
    programs = list(TITLES)
    parser.add_argument(
        "--only", nargs="+", choices=programs, default=programs, help="run these programs alone"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--against", help="a Python with another pythemis, to compare with")
    parser.add_argument("--page", type=Path, help="renew this page and performance-tables.md")
    options = parser.parse_args()
    lacking = what_lacks("floor", None)
    if options.page and lacking and "floor" in options.only:
        raise SystemExit(f"The page needs the figures of floor.py, and {lacking}.")
    options.folder.mkdir(parents=True, exist_ok=True)
    found = []
    for program in options.only:
        lacking = what_lacks(program, options.against)
        if lacking:
            print(f"== {program}: left out, {lacking}\n", flush=True)
            continue
        print(f"== {program}", flush=True)
        found.append(run(program, options))
        print(flush=True)
    text = "\n".join(map(section, found))
    (options.folder / "tables.md").write_text(text, encoding="utf-8")
    if options.page:
        tables = options.page.with_name("performance-tables.md")
        if "floor" in options.only:
            renew(options.page, highlights(found))
        if len(options.only) < len(TITLES):
            text = among_others(tables.read_text(encoding="utf-8"), found)
        renew(tables, text)
    print(summary(found))


def what_lacks(program: str, against: str | None) -> str | None:
    """Tell why a program cannot run here."""
    if program == "paired" and not against:
        return "no other Python was named (--against)"
    tools = {"floor": (os.environ.get("CC", "gcc"), "pkg-config"), "spark": ("java",)}
    modules = {
        "columns": ("cryptography", "polars", "pyarrow"),
        "fields": ("django", "encrypted_fields", "psycopg", "sqlalchemy", "sqlalchemy_utils"),
        "spark": ("pyarrow", "pyspark"),
    }
    if program == "fields" and database.server_programs() is None:
        return "there is no PostgreSQL"
    for tool in tools.get(program, ()):
        if not shutil.which(tool):
            return f"there is no {tool}"
    for module in modules.get(program, ()):
        if importlib.util.find_spec(module) is None:
            return f"there is no {module}"
    return None


def run(program: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run one program; give its document, with its pictures drawn."""
    path = options.folder / f"{program}.json"
    command = [sys.executable, str(ROOT / "benchmarks" / f"{program}.py")]
    if program == "paired":
        command += [options.against, sys.executable]
    command += SHORT[program].split() if options.short else []
    subprocess.run([*command, "--json", str(path)], check=True)
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    rows = rows_of(document)
    if any(row.ratio for row in rows):
        picture = draw(f"{TITLES[program]}: ratios", rows)
        path.with_suffix(".svg").write_text(picture, encoding="utf-8")
    return document


def rows_of(document: dict[str, Any]) -> list[Row]:
    """Read the rows of a document."""
    return [from_json(row) for row in document["rows"]]


def section(document: dict[str, Any]) -> str:
    """Return a document as a section of the page."""
    machines = document.get("machines") or [document["machine"]]
    names = document.get("names") or [""]
    told = [
        f"{name}: {machine_sentence(machine)}" if name else machine_sentence(machine)
        for name, machine in zip(names, machines, strict=True)
    ]
    told += [
        f"{key.replace('_', ' ')}: {document[key]}" for key in document if key.startswith("libcr")
    ]
    return (
        f"### {TITLES[document['program']]}\n\n`{document['command']}`\n\n"
        f"{'; '.join(told)}\n\n{table(rows_of(document), markdown=True)}"
    )


def among_others(page: str, found: list[dict[str, Any]]) -> str:
    """Return the tables of a page, with these in their places."""
    old = page.partition(BEGIN)[2].partition(END)[0].split("### ")[1:]
    tables = {part.partition("\n")[0]: f"### {part.rstrip()}\n" for part in old}
    tables |= {TITLES[document["program"]]: section(document) for document in found}
    return "\n".join(tables[title] for title in TITLES.values() if title in tables)


def highlights(found: list[dict[str, Any]]) -> str:
    """Return the summary: eight operations beside raw libraries and, if measured, beside 0.15."""
    floor, older = {}, {}
    for document in found:
        rows = {row.name: row for row in rows_of(document)}
        if document["program"] == "floor":
            floor = rows
        elif str(document.get("machines", [{}])[0].get("pythemis")).startswith("0.15"):
            older = rows
    headings = ["operation", "time", "per second", "time, if raw C libraries take 1"]
    headings += ["time, if pythemis 0.15 takes 1"] if older else []
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)]]
    for title, name, size in HIGHLIGHTS:
        row = floor[name]
        taken = float(short(row.figure.median))  # as the table has it
        line = [title, duration(taken), speed(taken, size), times(row)]
        lines.append([*line, times(older.get(name))] if older else line)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def duration(microseconds: float) -> str:
    """Write a time in the unit that a reader expects."""
    return f"{short(microseconds)} us" if microseconds < 1000 else f"{microseconds / 1000:.3g} ms"


def speed(microseconds: float, size: int) -> str:
    """Write what a second is enough for: MB if there is a size, calls otherwise."""
    amount = size / microseconds if size else 1e6 / microseconds
    digits = 3 - len(f"{amount:.0f}")
    return f"{round(amount, digits):,.{max(digits, 0)}f}" + (" MB" if size else "")


def times(row: Row | None) -> str:
    """Write a ratio; nothing where there is none."""
    return f"{round(row.ratio.median, 3):.2f}" if row and row.ratio else ""


def renew(page: Path, text: str) -> None:
    """Replace the figures of a page."""
    page.write_text(with_figures(page.read_text(encoding="utf-8"), text), encoding="utf-8")


def with_figures(page: str, text: str) -> str:
    """Replace what stands between the two marks of a page."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"The page must hold the lines '{BEGIN}' and '{END}'.")
    return f"{before}{begin}\n\n{text}\n{end}{after}"


def summary(found: list[dict[str, Any]]) -> str:
    """Return how many goals are met, and which are not."""
    judged = [row for document in found for row in rows_of(document) if row.goal is not None]
    missed = [row.name for row in judged if not row.met()]
    text = f"{len(judged) - len(missed)} of {len(judged)} goals are met."
    return f"{text} Not met: {'; '.join(missed)}." if missed else text


if __name__ == "__main__":
    main()
