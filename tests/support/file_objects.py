# SPDX-License-Identifier: Apache-2.0
"""File objects that are not those of Python: pipes, and objects without a descriptor."""

import io
import threading


def text_of(size):
    """Make a text in which every piece differs."""
    return b"".join(b"%16d" % number for number in range(size // 16 + 1))[:size]


class Pipe(io.RawIOBase):
    """A file that cannot seek, and gives and takes little at a time."""

    def __init__(self, data=b"", most=7000):
        self.data, self.most, self.written = io.BytesIO(data), most, bytearray()

    def readable(self):
        """Say that it is."""
        return True

    def writable(self):
        """Say that it is."""
        return True

    def read(self, size=-1):
        """Give some."""
        return self.data.read(min(size, self.most))

    def write(self, data):
        """Take some."""
        part = bytes(data[: self.most])
        self.written += part
        return len(part)


class Other(io.RawIOBase):
    """An object that reads a file by methods of its own, and has no descriptor to show."""

    def __init__(self, file):
        self.file = file

    def seekable(self):
        """Say that it is."""
        return True

    def read(self, size=-1):
        """Read as the file does."""
        return self.file.read(size)

    def seek(self, *where):
        """Move as the file does."""
        return self.file.seek(*where)

    def tell(self):
        """Stand where the file does."""
        return self.file.tell()


class Stuck(io.BytesIO):
    """A file that keeps the thread that reads or writes it, from the moment that it is told to."""

    def __init__(self, data=b"", *, seekable=True):
        super().__init__(data)
        self.is_stuck, self._seekable = False, seekable
        self.inside, self.may_go = threading.Event(), threading.Event()

    def seekable(self):
        """Say whether it is."""
        return self._seekable

    def _wait(self):
        if self.is_stuck:
            self.inside.set()
            self.may_go.wait(60)

    def read(self, size=-1):
        """Give what is asked for, later."""
        self._wait()
        return super().read(size)

    def write(self, data):
        """Take it, later."""
        self._wait()
        return super().write(data)
