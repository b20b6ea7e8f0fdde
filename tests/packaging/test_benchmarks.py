# SPDX-License-Identifier: Apache-2.0
"""The benchmarks run and write sound figures; how fast anything is, nobody judges here."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import _chart
import _measure
import _report
import everything
import operations
import pytest
import threads
import yardsticks

from pythemis.scell import SCellSeal
from support.project import HAS_SOURCES, ROOT, linked_statically
from tools.evidence import instructions

pytestmark = pytest.mark.no_c

BENCHMARKS = ROOT / "benchmarks"
PAGES = {name: ROOT / f"docs/{name}.md" for name in ("performance", "performance-tables")}
FLOOR_ROW = re.compile(
    r"^\| ([^|]+) \| ([\d.]+) us \| [^|]+ \| [\d.]+ us \| ([\d.]+) \|", re.MULTILINE
)
PROGRAMS = {"operations", "yardsticks", "keyrings", "files", "floor", "threads", "resources"}
PROGRAMS |= {"columns", "fields", "paired", "spark"}
PROGRAMS -= {name for name in ("columns", "fields", "spark") if everything.what_lacks(name, None)}

NEWER = re.compile("SecureSigner|SecureVerifier|_into|_many")
ONLY_DOCUMENTED = """\
import importlib, sys, types

DOCUMENTED = {
    "scell": {"SCellSeal", "SCellTokenProtect", "SCellContextImprint"},
    "scomparator": {"SComparator"},
    "skeygen": {"GenerateKeyPair", "GenerateSymmetricKey", "KEY_PAIR_TYPE"},
    "smessage": {"SMessage", "ssign", "sverify"},
    "ssession": {"SSession"},
}
METHODS = {"encrypt", "decrypt", "export_private_key", "export_public_key", "wrap", "unwrap"}
METHODS |= {"connect_request", "is_established"}
METHODS |= {"begin_compare", "proceed_compare", "is_compared", "is_equal"}


class Narrow:
    def __getattr__(self, name):
        if name not in METHODS:
            raise AttributeError(name)
        return getattr(self.real, name)


def narrowed(value):
    if not isinstance(value, type):
        return value

    def init(self, *args, **kwargs):
        self.real = value(*args, **kwargs)

    return type(value.__name__, (Narrow,), {"__init__": init})


for module, names in DOCUMENTED.items():
    real = importlib.import_module(f"pythemis.{module}")
    fake = types.ModuleType(real.__name__)
    for name in names:
        value = getattr(real, name)
        setattr(fake, name, value if name == "KEY_PAIR_TYPE" else narrowed(value))
    sys.modules[real.__name__] = fake
    setattr(sys.modules["pythemis"], module, fake)

import operations

for name, make in operations.operations().items():
    work = make()
    exec(work.statement, work.names)
    print(name)
"""
A_FILE_OF_CALLGRIND = """\
desc: Trigger: Client Request: Seal encrypt 64 B|40|1
ob=/usr/bin/python3
fn=call
cob=/site-packages/pythemis/_themis.abi3.so
cfn=_cffi_f_themis_cell_seal
calls=40 0
0 9000
ob=/site-packages/pythemis/_themis.abi3.so
fn=_cffi_f_themis_cell_seal
0 100
cfn=themis_cell_seal
calls=40 0
0 8000
cfn=_cffi_to_c_pointer
calls=40 0
0 50
cob=/usr/lib/libpython3.11.so.1
cfn=PyBytes_AsString
calls=40 0
0 60
fn=themis_cell_seal
0 100
cfn=themis_cell_protect
calls=40 0
0 7000
cob=/usr/lib/libcrypto.so.3
cfn=EVP_EncryptUpdate
calls=40 0
0 6000
totals: 12000
"""


def can_compile_the_floor():
    """Tell whether the libraries can be used from C, which they cannot where a wheel is proved."""
    if not all(map(shutil.which, ("gcc", "pkg-config"))):
        return False
    question = ["pkg-config", "--exists", "libcrypto", "libsodium"]
    return subprocess.run(question, check=False).returncode == 0


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run everything for a moment: the folder of the results, and what was printed."""
    if not can_compile_the_floor() and (os.environ.get("CI") != "true" or not HAS_SOURCES):
        pytest.skip("needs a C compiler, pkg-config, and files for developing with OpenSSL")
    folder = tmp_path_factory.mktemp("bench")
    command = [sys.executable, BENCHMARKS / "everything.py", "--short", "--folder", folder]
    command += ["--against", sys.executable]
    return folder, subprocess.check_output(command, text=True)


def documents(folder):
    """Give what every program wrote."""
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}


@pytest.mark.slow
@pytest.mark.evidence
def test_all_programs_write_sound_figures(results):
    """Every program writes rows whose figures are numbers above 0, quartiles around medians."""
    found = documents(results[0])
    assert found.keys() == PROGRAMS
    for document in found.values():
        assert document["rows"]
        for row in document["rows"]:
            for key in {"figure", "other", "ratio"} & row.keys():
                low, median, high = (row[key][name] for name in ("low", "median", "high"))
                assert math.isfinite(high), row
                assert low <= median <= high, row
                assert median > 0, row


@pytest.mark.slow
@pytest.mark.evidence
def test_figures_say_where_they_are_from(results):
    """A document names its command, the machine and the versions, and no folder."""
    for document in documents(results[0]).values():
        assert document["command"].startswith(f"python benchmarks/{document['program']}.py")
        assert str(results[0]) not in json.dumps(document)
        for machine in document.get("machines") or [document["machine"]]:
            assert {"processor", "cores", "system", "python", "pythemis", "libcrypto"} <= set(
                machine
            )


@pytest.mark.slow
@pytest.mark.evidence
def test_all_that_has_a_goal_is_judged(results):
    """The summary counts every row that has a goal."""
    rows = [row for document in documents(results[0]).values() for row in document["rows"]]
    judged = [row for row in rows if "goal" in row]
    met = sum(row["met"] for row in judged)
    assert len(judged) >= 18
    assert f"{met} of {len(judged)} goals are met." in results[1]


@pytest.mark.slow
@pytest.mark.evidence
def test_the_figures_fit_into_the_pages(results, tmp_path):
    """Summary and tables become what is between the marks of their pages; the rest stays."""
    found = list(documents(results[0]).values())
    tables = (results[0] / "tables.md").read_text(encoding="utf-8")
    for program, title in everything.TITLES.items():
        assert (f"### {title}\n" in tables) == (program in PROGRAMS)
    for name, text in (("performance", everything.highlights(found)),
                       ("performance-tables", tables)):  # fmt: skip
        page = PAGES[name].read_text(encoding="utf-8")
        copy = tmp_path / "page.md"
        copy.write_text(page, encoding="utf-8")
        everything.renew(copy, text)
        renewed = copy.read_text(encoding="utf-8")
        assert text in renewed
        assert everything.with_figures(renewed, "") == everything.with_figures(page, "")


def test_tables_of_some_programs_go_among_the_others():
    """What was not measured stays, in the order of all programs."""
    page = PAGES["performance-tables"].read_text(encoding="utf-8")
    row = _report.as_json(_report.Row("a row", _measure.Spread(1, 2, 3)))
    parts = {"machine": _report.machine(), "command": "a command", "rows": [row]}
    found = [{"program": name, **parts} for name in ("files", "threads")]
    text = everything.among_others(page, found)
    titles = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert titles == [title for title in everything.TITLES.values() if title in titles]
    assert text.count("| a row |") == 2
    renewed = everything.with_figures(page, text)
    assert everything.among_others(renewed, found) == text
    kept = page.partition("### Every operation")[2]
    assert renewed.partition("### Every operation")[2] == kept


def test_the_summary_has_the_figures_of_the_tables():
    """The page begins with eight rows that follow from the table of floor.py, and no others."""
    tables = PAGES["performance-tables"].read_text(encoding="utf-8")
    part = tables.partition(f"### {everything.TITLES['floor']}\n")[2].partition("### ")[0]
    rows = {}
    for name, figure, ratio in FLOOR_ROW.findall(part):
        spreads = (_measure.Spread(*[float(value)] * 3) for value in (figure, ratio))
        rows[name] = _report.Row(name, next(spreads), ratio=next(spreads))
    floor = {"program": "floor", "rows": [_report.as_json(row) for row in rows.values()]}
    summary = everything.highlights([floor])
    assert summary.count("\n") == 2 + 8
    assert f"{everything.BEGIN}\n\n{summary}" in PAGES["performance"].read_text(encoding="utf-8")


def test_the_summary_has_a_column_for_the_older_pythemis():
    """Only a comparison with 0.15 gets the column; what was not compared is empty."""
    names = [name for _, name, _ in everything.HIGHLIGHTS]
    one, half = _measure.Spread(1, 1, 1), _measure.Spread(0.5, 0.5, 0.5)
    rows = [_report.as_json(_report.Row(name, one, ratio=one)) for name in names]
    floor = {"program": "floor", "rows": rows}
    for version, column in (("0.15.1", True), ("0.16.0", False)):
        paired = {
            "program": "paired",
            "machines": [{"pythemis": version}, {"pythemis": "0.16.0"}],
            "rows": [_report.as_json(_report.Row(names[0], one, ratio=half))],
        }
        lines = everything.highlights([paired, floor]).splitlines()
        assert ("pythemis 0.15" in lines[0]) is column
        assert lines[2].endswith("| 1,000,000 | 1.00 | 0.50 |") is column
        assert lines[4].endswith("| 1,000,000 | 1.00 |  |") is column


@pytest.mark.parametrize(
    ("microseconds", "size", "time", "speed"),
    [
        (0.676, 0, "0.676 us", "1,480,000"),
        (188, 1 << 20, "188 us", "5,580 MB"),
        (2375, 0, "2.38 ms", "421"),
        (39693, 0, "39.7 ms", "25.2"),
    ],
)
def test_the_summary_is_written_for_readers(microseconds, size, time, speed):
    """Times have their unit; speeds have three digits, and thousands are set apart."""
    assert everything.duration(microseconds) == time
    assert everything.speed(microseconds, size) == speed


@pytest.mark.slow
@pytest.mark.evidence
def test_pictures_are_sound(results):
    """Every picture is SVG, with a dot for each ratio."""
    for path in results[0].glob("*.svg"):
        dots = [element for element in ET.parse(path).iter() if element.tag.endswith("}circle")]
        rows = json.loads(path.with_suffix(".json").read_text())["rows"]
        assert len(dots) == sum("ratio" in row for row in rows) > 0


@pytest.mark.integration
@pytest.mark.slow
def test_fields_are_measured_on_a_server(tmp_path):
    """Each operation is measured beside the plain model, and the rotation beside writers."""
    for needed in ("psycopg", "sqlalchemy_utils"):
        pytest.importorskip(needed, reason="tools/setup/services.py brings it")
    file = tmp_path / "fields.json"
    program = [sys.executable, BENCHMARKS / "fields.py", "--rows=8000", "--rounds=2"]
    subprocess.check_call([*program, f"--json={file}"])
    rows = {row["name"]: row for row in json.loads(file.read_text())["rows"]}
    for done in ("insert", "load", "load, open all", "update"):
        row = rows[f"SQLAlchemy: {done}, sealed beside plain"]
        assert 0 < row["ratio"]["median"] < 100
        assert ("goal" in row) == (done != "update")
    assert rows["SQLAlchemy: rotate beside four writers"]["figure"]["median"] > 100


def test_a_page_without_marks_is_not_touched():
    """Where the figures would go has to be marked."""
    with pytest.raises(SystemExit, match="must hold the lines"):
        everything.with_figures("# A page", "tables")


def test_ratios_are_paired():
    """A ratio is of samples of one round: what slows down both does not show."""
    assert _measure.ratios([2, 20, 200], [1, 10, 100]) == (2, 2, 2)


def test_turns_alternate():
    """What was sampled last in a round is sampled first in the next."""
    taken = []
    clocks = [lambda name=name: taken.append(name) or float(ord(name)) for name in "AB"]
    assert _measure.in_turns(clocks, 3) == [[65.0] * 3, [66.0] * 3]
    assert taken == list("ABBAAB")


def test_the_stopwatch_counts_calls():
    """A sample is the time of one call, however many of them fit into it."""
    counts = []
    work = _measure.Work("counts.append(1)", {"counts": counts})
    stopwatch = _measure.Stopwatch(work, 0.02)
    before = len(counts)
    assert 0 < stopwatch() < 1000
    assert len(counts) - before > 1


@pytest.mark.parametrize(
    ("goal_is", "ratio", "met"),
    [("at most", 0.4, True), ("at most", 0.41, False), ("at least", 0.4, True),
     ("at least", 0.39, False)],
)  # fmt: skip
def test_goals_are_judged(goal_is, ratio, met):
    """A goal is met up to its very value, in the direction that it says."""
    figure = _measure.Spread(1, 1, 1)
    spread = _measure.Spread(0.1, ratio, 9)
    row = _report.Row("a row", figure, "another", figure, spread, 0.4, goal_is)
    assert row.met() is met
    assert _report.from_json(_report.as_json(row)) == row
    assert ("NO" in _report.table([row])) is not met
    assert ('class="missed"' in _chart.draw("rows", [row])) is not met


def test_only_the_documented_api_is_used():
    """Every operation works with a pythemis that has the documented names and nothing else."""
    command = [sys.executable, "-c", ONLY_DOCUMENTED]
    environment = {**os.environ, "PYTHONPATH": str(BENCHMARKS)}
    done = subprocess.check_output(command, env=environment, text=True).splitlines()
    assert {"GenerateSymmetricKey", "Seal encrypt 16 MiB", "comparison, both sides"} <= set(done)
    assert set(done) == {name for name in operations.operations() if not NEWER.search(name)}


def test_lists_of_messages_are_measured_where_they_can_be(monkeypatch):
    """encrypt_many and decrypt_many appear, with their goals, as soon as cells have them."""
    settings = threads.Settings(rounds=2, seconds=0.01, many=50)
    for one in ("encrypt", "decrypt"):
        call = getattr(SCellSeal, one)

        def many(self, items, contexts=None, threads=1, call=call):
            assert contexts is None
            assert threads in (1, 2)
            return [call(self, item) for item in items]

        monkeypatch.setattr(SCellSeal, f"{one}_many", many, raising=False)
    rows = {row.name: row for row in threads.lists(settings)}
    assert rows["encrypt_many, each of 50 x 100 B"].goal == 0.6
    assert rows["encrypt_many, threads=2"].goal_is == "at least"
    assert {"decrypt_many, each of 50 x 100 B", "decrypt_many, threads=2"} <= set(rows)
    work = operations.seal_many(3, 10)
    assert [eval(part.statement, dict(part.names)) for part in work][1] == work[0].names["messages"]


def test_large_messages_have_a_goal_beside_a_new_openssl_alone(monkeypatch):
    """What `cryptography` does faster because its OpenSSL is newer is not held against us."""
    for version, goal in (
        ("OpenSSL 3.0.19 27 Jan 2026", None),
        ("libcrypto linked statically", None),
        ("OpenSSL 3.5.1 1 Jul 2025", 1.15),
        ("OpenSSL 4.0.3 29 Sep 2026", 1.15),
    ):
        monkeypatch.setattr(yardsticks, "libcrypto_version", lambda version=version: version)
        goals = {goal.operation: goal.at_most for goal in yardsticks.goals()}
        assert goals["Seal encrypt 1 MiB"] == goals["Seal encrypt 16 MiB"] == goal


def test_the_version_inside_is_that_of_the_module():
    """What hashlib has loaded, or what the folder holds that one stands in, is not asked."""
    said = _report.libcrypto_version()
    if "linked statically" in said:  # and not installed from a wheel, whose SBOM tells
        assert HAS_SOURCES
    else:
        assert re.match(r"OpenSSL \d+\.\d+\.\d+", said)
        assert said.endswith("(static)") is linked_statically()


def test_the_core_is_counted_from_its_entrance():
    """Only calls from cffi's wrappers into the core count, with everything below them."""
    walk = instructions.parse_lines(A_FILE_OF_CALLGRIND.splitlines(keepends=True))
    assert walk == ("Seal encrypt 64 B", 40, 1, (8000, 12000))


def test_what_surrounds_the_calls_cancels_out():
    """A count is the difference of two walks, for each call or item."""
    walks = [
        instructions.Walk("a path", calls, 10, instructions.Count(*counts))
        for calls, counts in ((1, (1500, 2600)), (3, (3500, 6600)))
    ]
    assert instructions.differences([None, *walks]) == {"a path": (100, 200)}


def test_a_module_without_symbols_is_told():
    """Where no call into the core is seen, nothing is judged."""
    lines = A_FILE_OF_CALLGRIND.replace("fn=themis_", "fn=0x").splitlines(keepends=True)
    short = instructions.parse_lines(lines)
    long = short._replace(calls=120, taken=instructions.Count(0, 36000))
    with pytest.raises(SystemExit, match="lost its symbols"):
        instructions.differences([short, long])


def counted(core, whole, **conditions):
    """Give counts as the record has them."""
    known = {"machine": "x86_64", "libcrypto": "OpenSSL 3.0.19 27 Jan 2026", "python": "3.11"}
    return {**known, **conditions, "paths": {"a path": {"core": core, "whole": whole}}}


@pytest.mark.parametrize(
    ("core", "whole", "slower"), [(1100, 2200, 0), (500, 1000, 0), (1101, 2200, 1), (1100, 2201, 1)]
)
def test_a_tenth_more_fails(core, whole, slower):
    """Up to 10 % more instructions pass, whichever number it is."""
    found = instructions.judge(counted(1000, 2000), counted(core, whole))
    assert len(found) == slower


def test_other_conditions_are_not_compared(capsys):
    """Another libcrypto or machine ends the comparison, another Python that of its share alone."""
    record = counted(1000, 2000)
    assert instructions.judge(record, counted(1, 9999, python="3.12")) == []
    assert "only what is in C is compared" in capsys.readouterr().out
    assert len(instructions.judge(record, counted(9999, 1, python="3.12"))) == 1
    for other in ({"libcrypto": "OpenSSL 3.5.1"}, {"machine": "aarch64"}):
        capsys.readouterr()
        assert instructions.judge(record, counted(9999, 9999, **other)) == []
        assert "Nothing is compared" in capsys.readouterr().out


def test_the_record_is_complete():
    """A path that is recorded or measured, but not both, fails."""
    record, found = counted(1, 2), counted(1, 2)
    found["paths"]["another"] = {"core": 1, "whole": 2}
    for then, now in ((record, found), (found, record)):
        assert instructions.judge(then, now) == ["another is recorded or measured, but not both."]
