# SPDX-License-Identifier: Apache-2.0
"""File objects that are not those of Python: pipes, and objects without a descriptor."""

import io


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
