# SPDX-License-Identifier: Apache-2.0
"""The part of the build that pyproject.toml cannot say: the compiled module."""

import sys
from pathlib import Path

from setuptools import setup

# An isolated build does not look for modules beside this file.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from build_checks import CheckedBuildExt
from build_ffi import ABI3
from build_sbom import BdistWheelWithSbom

setup(
    cffi_modules=["build_ffi.py:make_ffibuilder"],
    cmdclass={"build_ext": CheckedBuildExt, "bdist_wheel": BdistWheelWithSbom},
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if ABI3 else {},
)
