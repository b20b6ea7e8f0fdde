# SPDX-License-Identifier: Apache-2.0
"""What runs on GitHub, and what is said to people there."""

import re
import shlex
import subprocess
import sys
import zipfile

import pytest

from build_support import project
from support.project import ROOT
from tools.evidence.__main__ import ROUNDS

pytestmark = [pytest.mark.no_c, pytest.mark.sources]

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
TOOL = "tools.release.check_release"
PINNED = re.compile(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def loaded(path):
    """Read YAML; `on`, which YAML takes for true, keeps its name."""
    import yaml  # of the test group; where a wheel alone is tested, none of this is asked

    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in content.items()}


def steps():
    """Give each step of each workflow, with its workflow and job."""
    for path in WORKFLOWS:
        for name, job in loaded(path)["jobs"].items():
            for step in job.get("steps", []):
                yield path.name, name, step


def made(command):
    """Give the targets that a command asks make for; None if it is another command."""
    words = shlex.split(command)
    if words[:1] == ["sudo"]:
        words = words[2:] if words[1] == "env" else words[1:]
        words = words[next(i for i, word in enumerate(words) if "=" not in word) :]
    if words[:1] != ["make"]:
        return None
    return [word for word in words[1:] if "=" not in word]


def rounds_of(command):
    """Give the rounds of evidence that a command asks for."""
    words = shlex.split(command)
    named = [word.removeprefix("ONLY=") for word in words if word.startswith("ONLY=")]
    return named[0].split() if "evidence" in words and named else []


def commands():
    """Give each line of each `run:` with where it stands."""
    for workflow, job, step in steps():
        for line in step.get("run", "").splitlines():
            yield f"{workflow}: {job}", line


def targets():
    """Give the documented targets of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):.* ## ", text, re.MULTILINE))


def test_every_command_is_a_make_target():
    """What runs there runs here; only what speaks to GitHub itself is another command."""
    asked = [(where, line, made(line)) for where, line in commands()]
    assert len(asked) > 15
    others = [line for _, line, found in asked if found is None]
    to_github = r'gh release upload .*|echo "\w+=.*" >> "\$GITHUB_ENV"'
    assert [line for line in others if not re.fullmatch(to_github, line)] == []
    unknown = [
        f"{where}: {line}" for where, line, found in asked if found and not targets() >= set(found)
    ]
    assert unknown == []
    assert all(found for _, _, found in asked if found is not None)  # make alone only lists


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("make lint", ["lint"]),
        ('sudo env PATH="$PATH" CI=true make test PYTHON=python', ["test"]),
        ("pip install something", None),
        ("make", []),
    ],
)
def test_commands_are_read_as_a_shell_does(command, found):
    """The test above sees the targets and nothing else."""
    assert made(command) == found


def test_make_knows_every_command():
    """`make -n` finds rules for all that the commands need, parameters included."""
    for where, line in commands():
        if made(line):
            ran = subprocess.run(
                ["make", "-n", *made(line)], cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert ran.returncode == 0, f"{where}: {ran.stderr}"


def test_parameters_are_variables_of_the_makefile():
    """A parameter that nothing reads would be ignored in silence."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for where, line in commands():
        _, _, asked = line.partition(" make ")
        for name in re.findall(r"\b([A-Z]+)=", asked):
            assert f"$({name})" in text or f",$({name})," in text, f"{where}: {name}"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("make test GROUP=slow", "There is no GROUP=slow: it is fast or integration."),
        ("python -m tools.evidence fuzz nothing", "there is no round nothing"),
        ("python -m tools.evidence faults wiping -- 3", "arguments behind -- are for one round"),
    ],
)
def test_what_does_not_exist_is_refused(command, says):
    """A group or a round with a mistyped name does not pass for one that found nothing."""
    program, *arguments = shlex.split(command)
    program = {"python": sys.executable}.get(program, program)
    ran = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 2
    assert says in ran.stderr


def test_what_ci_must_run_is_there():
    """Every kind of check has a job, on the oldest and the newest Python that we name."""
    asked = {target for _, line in commands() for target in made(line) or []}
    assert asked == targets() - {"bench", "clean", "help"}
    rounds = {name for _, line in commands() for name in rounds_of(line)}
    assert rounds <= set(ROUNDS)
    # `fuzz` is a command of its own; the others take hours, or judge by a record of one machine.
    assert set(ROUNDS) - rounds == {"coverage", "fuzz", "free-threaded", "instructions", "longrun"}
    pythons = loaded(GITHUB / "workflows" / "ci.yml")["jobs"]["tests"]["strategy"]["matrix"]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = ">={pythons["python"][0]}"' in project
    newest = pythons["python"][-1].replace(".", "")
    assert f'"cp{newest}-*"' in project


def test_files_are_where_the_workflows_say():
    """Paths of triggers, of reusable workflows and of dependabot exist."""
    for path in WORKFLOWS:
        content = loaded(path)
        for event in content["on"].values() if isinstance(content["on"], dict) else ():
            for pattern in (event or {}).get("paths", []) if isinstance(event, dict) else ():
                assert list(ROOT.glob(pattern)), f"{path.name}: {pattern}"
        for job in content["jobs"].values():
            if "uses" in job:
                assert (ROOT / job["uses"]).is_file()
    for update in loaded(GITHUB / "dependabot.yml")["updates"]:
        folder = ROOT / update["directory"].lstrip("/")
        manifests = {"npm": "package.json", "pip": "pyproject.toml", "github-actions": ".github"}
        assert (folder / manifests[update["package-ecosystem"]]).exists()


def test_what_one_job_uploads_another_finds():
    """Each artifact that is downloaded by its name was uploaded in the same workflow."""
    given, taken = set(), set()
    for _, _, step in steps():
        name = step.get("with", {}).get("name")
        if name and "upload-artifact" in step["uses"]:
            given.add(name)
        elif name and "download-artifact" in step.get("uses", ""):
            taken.add(name)
    assert taken
    assert taken <= given


def test_every_action_is_pinned_by_its_commit():
    """A tag can be moved, a commit cannot; the comment says which version it is."""
    for path in WORKFLOWS:
        for line in path.read_text(encoding="utf-8").splitlines():
            _, found, action = line.partition("uses: ")
            if found and not action.startswith("./"):
                assert PINNED.fullmatch(action), f"{path.name}: {action}"


def test_one_action_is_one_commit():
    """No workflow is left behind when an action is updated."""
    used = {step["uses"] for _, _, step in steps() if "uses" in step}
    assert len({action.partition("@")[0] for action in used}) == len(used)


def test_workflows_may_do_nothing_and_jobs_what_they_need():
    """No permission for a whole workflow; each job has its own, and a limit of time."""
    writing = set()
    for path in WORKFLOWS:
        content = loaded(path)
        assert content["permissions"] == {}
        assert content["concurrency"]["group"]
        for name, job in content["jobs"].items():
            assert "permissions" in job, f"{path.name}: {name}"
            writing |= {(name, what) for what, may in job["permissions"].items() if may == "write"}
            assert "uses" in job or job["timeout-minutes"] <= 120
    assert writing == {
        *(("attest", "attestations"), ("attest", "id-token")),
        *(("publish", "id-token"), ("attach", "contents")),
    }


def test_a_checkout_leaves_no_token_behind():
    """What runs later cannot push."""
    found = [step for _, _, step in steps() if "actions/checkout" in step.get("uses", "")]
    assert found
    assert all(step["with"]["persist-credentials"] is False for step in found)


def test_no_expression_becomes_part_of_a_command():
    """What others can write, such as a tag's name, goes through the environment."""
    assert [line for _, line in commands() if "${{" in line] == []


def test_forms_send_security_reports_elsewhere():
    """Every form, and the template of pull requests, names SECURITY.md before anything else."""
    forms = sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
    assert len(forms) == 3
    for form in forms:
        content = loaded(form)
        assert "SECURITY.md" in content["body"][0]["attributes"]["value"]
        required = [part for part in content["body"] if part.get("validations", {}).get("required")]
        assert required or form.name == "feature.yml"
    assert "SECURITY.md" in (GITHUB / "PULL_REQUEST_TEMPLATE.md").read_text(encoding="utf-8")
    assert (ROOT / "SECURITY.md").is_file()


# ---- What is about to be published ----

PLATFORMS = [
    *("manylinux_2_27_x86_64.manylinux_2_28_x86_64", "manylinux_2_28_aarch64"),
    *("musllinux_1_2_x86_64", "musllinux_1_2_aarch64"),
    *("macosx_11_0_x86_64", "macosx_11_0_arm64", "win_amd64", "win_arm64"),
]


PROJECT = '[project]\nversion = "1.2.3"\n'
ADDRESS = "https://project.example/pythemis"
THEMIS = "https://github.com/cossacklabs/themis"


@pytest.fixture
def release(tmp_path):
    """Give a folder with everything that a release has."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "build_support").mkdir()
    (tmp_path / "build_support" / "project.py").write_text(f'ADDRESS = "{ADDRESS}"\n')
    (tmp_path / "SECURITY.md").write_text(f"Report it at {ADDRESS}.\n")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [1.2.3] - 2026-01-01\n")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "pythemis-1.2.3.tar.gz").write_bytes(b"")
    for python in ("cp310-abi3", "cp314-cp314t"):
        for platform in PLATFORMS:
            wheel(tmp_path, f"pythemis-1.2.3-{python}-{platform}.whl")
    return tmp_path


def wheel(root, name, *, sbom="sboms/static-libraries.cdx.json"):
    """Write something like a wheel."""
    with zipfile.ZipFile(root / "dist" / name, "w") as archive:
        archive.writestr(f"pythemis-1.2.3.dist-info/{sbom}", name)


def judged(root, tag="v1.2.3"):
    """Run the tool; give its status and what it said."""
    command = [sys.executable, "-m", TOOL, tag, "--root", root]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.returncode, (ran.stdout + ran.stderr).splitlines()


def test_a_whole_release_passes_and_its_sboms_are_copied(release):
    """One SBOM for each wheel, under the wheel's name."""
    assert judged(release) == (0, ["v1.2.3: the sdist and 16 wheels are as they must be."])
    copied = sorted((release / "build" / "sboms").iterdir())
    assert len(copied) == 16
    for path in copied:
        assert path.name == path.read_text()[: -len("whl")] + "static-libraries.cdx.json"


def test_another_tag_is_refused(release):
    """The tag says what the project says."""
    expected = ["The tag is v1.2.4, and pyproject.toml says 1.2.3."]
    assert judged(release, "v1.2.4") == (1, expected)
    assert judged(release, "1.2.3")[0] == 1


def test_a_release_without_a_word_in_the_changelog_is_refused(release):
    """People want to know what is new."""
    (release / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n")
    assert judged(release) == (1, ["CHANGELOG.md has nothing about 1.2.3."])


def test_a_release_without_an_address_is_refused(release):
    """Anyone who has a release can find the project, and a private place for weaknesses."""
    (release / "SECURITY.md").write_text("Report it.\n")
    other = "SECURITY.md has another address: run python -m build_support.project."
    assert judged(release) == (1, [other])
    (release / "build_support" / "project.py").write_text('ADDRESS = ""\n')
    none = "build_support/project.py has no ADDRESS: nothing says where the project is."
    assert judged(release) == (1, [none])


# ---- Where the project is ----


def test_one_setting_feeds_metadata_links_and_security():
    """With an address the metadata names it, links lead there, and SECURITY.md says where to go."""
    assert project.urls(ADDRESS)["Source"] == ADDRESS
    assert [link["url"] for link in project.site_links(ADDRESS)] == [ADDRESS, THEMIS]
    text = "[start](docs/start.md#install), [web](https://a.example), [below](#below)"
    at = f"{ADDRESS}/blob/main/docs/start.md#install"
    assert project.long_description(text, ADDRESS) == text.replace("docs/start.md#install", at)
    said = project.security((ROOT / "SECURITY.md").read_text("utf-8"), ADDRESS)
    assert f"Open {ADDRESS}, choose **Security**" in said
    assert "no public address" not in said


def test_without_an_address_nothing_leads_nowhere():
    """No link of the package's page is relative, no address is invented, SECURITY.md is current."""
    assert project.urls("") == {}
    assert [link["url"] for link in project.site_links("")] == [THEMIS]
    text = "[start](docs/start.md#install), [web](https://a.example), [below](#below)"
    assert project.long_description(text, "") == text.replace(
        "[start](docs/start.md#install)", "start"
    )
    security = (ROOT / "SECURITY.md").read_text("utf-8")
    assert project.security(security) == security
    readme = project.long_description((ROOT / "README.md").read_text("utf-8"))
    targets = re.findall(r"\]\(([^)]+)\)", readme)
    assert targets
    assert all(target.startswith(("https://", "#")) for target in targets)


@pytest.mark.parametrize("gone", [".tar.gz", "abi3-win_arm64", "cp314t-musllinux_1_2_x86_64"])
def test_a_missing_file_is_named(release, gone):
    """A platform whose build was left out is noticed before anything is published."""
    # PyPy 7.3.19 finds nothing by patterns with two stars.
    [path] = [path for path in (release / "dist").iterdir() if gone in path.name]
    path.unlink()
    status, said = judged(release)
    assert status == 1
    assert re.fullmatch("There are 0 files, not 1, called .*", *said)


def test_a_file_too_many_is_named(release):
    """Nothing is published that nobody expects."""
    wheel(release, "pythemis-1.2.2-cp310-abi3-win_amd64.whl")
    assert judged(release) == (1, ["What is pythemis-1.2.2-cp310-abi3-win_amd64.whl for?"])


def test_a_wheel_without_an_sbom_is_named(release):
    """Whoever has the wheel must be able to see what is inside."""
    name = "pythemis-1.2.3-cp310-abi3-win_amd64.whl"
    wheel(release, name, sbom="sboms/notes.txt")
    assert judged(release) == (1, [f"{name} has no SBOM."])
