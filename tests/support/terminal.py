# SPDX-License-Identifier: Apache-2.0
"""Programs at a terminal of their own."""

import os
import pty
import re
import select
import time

SECONDS = 120  # a machine that does much else is slow, not broken
# Such a machine shows a bar of progress and wipes it, where another one shows none.
BAR = re.compile(r"\r\[[# ]{25}\] [ \d]{3} %|\r {30,}\r")


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, folder, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvp(command[0], command)
        self.shown = ""

    def until(self, text):
        """Wait until the terminal shows a text, or the program ends; give what it showed."""
        end, start = time.monotonic() + SECONDS, len(self.shown)
        while text not in self.shown[start:] and time.monotonic() < end:
            if select.select([self.fd], [], [], 1)[0]:
                try:
                    part = os.read(self.fd, 4096)
                except OSError:  # it has ended
                    break
                self.shown += part.decode(errors="replace")
        return self.shown[start:]

    def type(self, text):
        """Type a text."""
        os.write(self.fd, text.encode())

    def answer(self, question, text):
        """Type a line after a question."""
        assert question in self.until(question)
        self.type(text + "\n")

    def ended(self):
        """Give the exit status and what was shown, without bars."""
        self.until("\0never")
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        shown = self.shown.replace("\r\n", "\n")
        return os.waitstatus_to_exitcode(status), BAR.sub("", shown)
