# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks say: rows as JSON, as a table on the terminal, as a table of Markdown."""

from __future__ import annotations

import datetime
import functools
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from _measure import Spread

HEADINGS = ("operation", "measured", "beside it", "takes", "ratio", "quartiles", "goal", "met")
ASK_LIBCRYPTO = """\
import ctypes
import importlib.metadata
import json
import sys
from pathlib import Path

import pythemis.skeygen

core = sys.modules.get("pythemis._themis")
if core:  # a symbol is looked up in the module, and then in what it is linked with
    library = core.__file__
else:  # pythemis 0.15
    mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
    [library] = [path for path in mapped if Path(path).name.startswith("libcrypto.so")]
ask = getattr(ctypes.CDLL(library), "OpenSSL_version", None)
if ask:
    ask.restype = ctypes.c_char_p
    print(ask(0).decode())
else:
    [sbom] = [f for f in importlib.metadata.files("pythemis") if f.name.endswith(".cdx.json")]
    parts = {part["name"]: part["version"] for part in json.loads(sbom.read_text())["components"]}
    print(f"OpenSSL {parts['openssl']} (static)")
"""


class Row(NamedTuple):
    """A line of a table: a figure, and perhaps what it was measured beside, and its goal."""

    name: str
    figure: Spread
    beside: str = ""  # the name of what ran in turns with it
    other: Spread | None = None
    ratio: Spread | None = None
    goal: float | None = None
    goal_is: str = "at most"  # or "at least"
    unit: str = "us"

    def judged(self) -> float:
        """Return what the goal is about: the ratio, or the figure where there is none."""
        return (self.ratio or self.figure).median

    def met(self) -> bool | None:
        """Return whether the goal is met; None if there is none."""
        if self.goal is None:
            return None
        judged = self.judged()
        return judged <= self.goal if self.goal_is == "at most" else judged >= self.goal


def as_json(row: Row) -> dict[str, Any]:
    """Return a row as JSON has it."""
    plain = {key: value for key, value in row._asdict().items() if value not in (None, "")}
    for key in ("figure", "other", "ratio"):
        if key in plain:
            plain[key] = {name: _rounded(value) for name, value in plain[key]._asdict().items()}
    if row.goal is None:
        del plain["goal_is"]
        return plain
    return {**plain, "met": row.met()}


def from_json(plain: dict[str, Any]) -> Row:
    """Read back what `as_json` gave."""
    fields = {key: value for key, value in plain.items() if key != "met"}
    for key in ("figure", "other", "ratio"):
        if key in fields:
            fields[key] = Spread(**fields[key])
    return Row(**fields)


def table(rows: list[Row], *, markdown: bool = False) -> str:
    """Return rows as a table."""
    used = [
        index
        for index in range(len(HEADINGS))
        if index < 2 or any(_cells(row)[index] for row in rows)
    ]
    lines = [[cells[index] for index in used] for cells in [HEADINGS, *map(_cells, rows)]]
    if markdown:
        lines.insert(1, ["---" if index in (0, 2) else "---:" for index in used])
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(
            cell.ljust(width) if index in (0, 2) else cell.rjust(width)
            for index, cell, width in zip(used, line, widths, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    goal = f"{row.goal_is} {row.goal:g}" if row.goal is not None else ""
    ratio = f"{row.ratio.median:.3f}" if row.ratio else ""
    quartiles = f"{short(row.figure.low)} - {short(row.figure.high)}"
    if row.ratio:
        quartiles = f"{row.ratio.low:.3f} - {row.ratio.high:.3f}"
    met = {None: "", True: "yes", False: "NO"}[row.met()]
    return (
        row.name,
        f"{short(row.figure.median)} {row.unit}",
        row.beside,
        f"{short(row.other.median)} {row.unit}" if row.other else "",
        ratio,
        quartiles,
        goal,
        met,
    )


def short(value: float) -> str:
    """Write a figure with three digits."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def document(rows: list[Row], settings: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return rows with all that one must know about their run."""
    return {
        "program": Path(sys.argv[0]).stem,
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *_arguments()]),
        "settings": settings,
        "machine": machine(),
        **more,
        "rows": [as_json(row) for row in rows],
    }


def _arguments() -> list[str]:
    """Return our arguments but for where the figures go, which they do not depend on."""
    pairs = zip(["", *sys.argv[1:]], sys.argv[1:], strict=False)
    return [text for before, text in pairs if "--json" not in (before, text)]


def write(path: str | None, found: dict[str, Any]) -> None:
    """Write a document where the user wants it; '-' is the standard output."""
    if path == "-":
        print(json.dumps(found, indent=1))
    elif path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """Describe the machine and the versions of what is measured."""
    return {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.machine()}, {_distribution()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "pythemis": _version("pythemis"),
        "libcrypto": libcrypto_version(),
        "cryptography": _version("cryptography"),
    }


def machine_sentence(found: dict[str, Any]) -> str:
    """Tell in a line what `machine` found."""
    return (
        f"{found['processor']}, {found['cores']} cores (load {found['load']}), {found['system']}; "
        f"{found['python']}, pythemis {found['pythemis']}, {found['libcrypto']}; {found['time']}"
    )


@functools.cache
def libcrypto_version() -> str:
    """Ask the libcrypto that pythemis is linked with for its version.

    This is asked in a fresh process, where nothing else has brought one: hashlib may use another,
    and `cryptography` carries its own inside.
    """
    command = [sys.executable, "-I", "-c", ASK_LIBCRYPTO]  # not what lies around here
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "libcrypto linked statically, or not to be seen here"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.release()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "an unknown processor")
