# SPDX-License-Identifier: Apache-2.0
"""A file system of fsspec that notes what it is asked for."""

from typing import ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem


class Counted(MemoryFileSystem):
    """A file system in memory that notes which ranges are asked for."""

    protocol = "counted"
    store: ClassVar = {}
    pseudo_dirs: ClassVar = [""]
    ranges: ClassVar = []

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix("counted://"))

    def cat_file(self, path, start=None, end=None, **options):
        self.ranges.append((start, end))
        return super().cat_file(path, start, end, **options)


fsspec.register_implementation("counted", Counted, clobber=True)
