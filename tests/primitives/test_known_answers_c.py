# SPDX-License-Identifier: Apache-2.0
"""The C core without Python around it."""

import os
import shutil
import subprocess
import sys

import pytest

from support.project import ROOT

CI = os.environ.get("CI") == "true"


@pytest.mark.no_c
@pytest.mark.sources
@pytest.mark.slow
@pytest.mark.evidence
@pytest.mark.skipif(not (CI or shutil.which("gcc")), reason="gcc is missing")
def test_known_answers_in_c():
    """With sanitizers, every vector and live exchange holds, and spoiled ones do not."""
    command = [sys.executable, "-m", "tools.evidence.machines", "native", "--short"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " 0 failed" in ran.stdout
