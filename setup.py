# SPDX-License-Identifier: Apache-2.0
"""The part of the build that pyproject.toml cannot say: the compiled module, and addresses."""

import sys
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent
# An isolated build does not look for modules beside this file.
sys.path.insert(0, str(ROOT))

from build_ffi import ABI3
from build_support import project
from build_support.checks import CheckedBuildExt
from build_support.sbom import BdistWheelWithSbom

setup(
    cffi_modules=["build_ffi.py:make_ffibuilder"],
    cmdclass={"build_ext": CheckedBuildExt, "bdist_wheel": BdistWheelWithSbom},
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if ABI3 else {},
    long_description=project.long_description((ROOT / "README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
    project_urls=project.urls(),
)
