# SPDX-License-Identifier: Apache-2.0
"""What holds for every test."""

import os
import signal
import sys

import pytest
from hypothesis import settings

from support.project import HAS_SOURCES, has_hooks, linked_statically, note_figures

# A busy machine is no failure. Memcheck asks for the built-in profile "ci" instead, which
# always tries the same examples.
settings.register_profile("pythemis", deadline=None, print_blob=True)
settings.load_profile("pythemis")

# nohup and a shell's background leave signals ignored, and children would inherit that. What is
# handled here instead, by nothing, is as usual in the programs that the tests start.
for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"):
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)


@pytest.fixture
def _switching():
    """Switch threads as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def pytest_collection_modifyitems(items):
    """Skip what an installed wheel cannot answer, and say why."""
    no_sources = pytest.mark.skip(reason="the sources of the package are out of reach")
    no_seams = pytest.mark.skip(reason="linked statically: the libraries are not there alone")
    no_hooks = pytest.mark.skip(reason="built without PYTHEMIS_TESTING=1, as a release is")
    # Beside the sources CI tests a build for development, which must have them.
    may_lack_hooks = not HAS_SOURCES or os.environ.get("CI") != "true"
    for item in items:
        if not HAS_SOURCES and item.get_closest_marker("sources"):
            item.add_marker(no_sources)
        if item.get_closest_marker("hooks") and may_lack_hooks and not has_hooks():
            item.add_marker(no_hooks)
        if item.get_closest_marker("swaps_libraries") and linked_statically():
            item.add_marker(no_seams)


def pytest_terminal_summary(terminalreporter):
    """Note how many tests passed, if this is a round of evidence."""
    stats = terminalreporter.stats
    counts = {outcome: len(stats.get(outcome, ())) for outcome in ("passed", "skipped")}
    failed = len(stats.get("failed", ())) + len(stats.get("error", ()))
    note_figures(
        {f"tests {outcome}": count for outcome, count in {**counts, "failed": failed}.items()}
    )


def pytest_make_parametrize_id(val, argname):
    """Name long values by their argument: keys differ from one process to the next."""
    return argname if isinstance(val, (bytes, bytearray, str)) and len(val) > 16 else None
