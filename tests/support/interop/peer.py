# SPDX-License-Identifier: Apache-2.0
"""The real Themis core, in a Node process that stays for the whole test run."""

import contextlib
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2] / "interop"
SEED = os.environ.get("PYTHEMIS_SEED") or str(random.SystemRandom().getrandbits(32))
TIMES = int(os.environ.get("PEER_TIMES", "1"))  # how often to do what is done often


class PeerError(Exception):
    """What the real core answered instead of a result."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class PeerTrapError(PeerError):
    """The real core crashed; whatever it held is gone, and another one was started."""

    def __init__(self, message):
        super().__init__(None, message)


class Peer:
    """Calls methods of peer.js."""

    calls = 0  # of all peers together

    def __init__(self):
        self.traps = 0
        self._start()

    def _start(self):
        self.process = subprocess.Popen(
            ["node", HERE / "peer.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, method, *args):
        """Call a method; bytes are passed and returned as bytes."""
        [result] = self.many([(method, *args)])
        if isinstance(result, PeerError):
            raise result
        return result

    def many(self, calls):
        """Call methods in one go; give the results, with errors among them."""
        results = []
        while len(results) < len(calls):
            asked = [call_to_wire(*call) for call in calls[len(results) :]]
            for answer in self._ask(asked):
                results.append(result_of(answer))
                Peer.calls += 1
                if isinstance(results[-1], PeerTrapError):
                    self._restart()
        return results

    def _ask(self, asked):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"{json.dumps(asked)}\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        # The process may end without a word, too.
        return json.loads(line) if line else [{"trap": "the process ended"}]

    def _restart(self):
        self.traps += 1
        self.process.kill()
        self.close()
        self._start()

    def close(self):
        """End the process."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


def call_to_wire(method, *args):
    """Write a call as JSON can carry it."""
    return {"method": method, "args": [to_wire(value) for value in args]}


def result_of(answer):
    """Give a result, or the error that came in its place."""
    if "trap" in answer:
        return PeerTrapError(answer["trap"])
    if "error" in answer:
        return PeerError(**answer["error"])
    return from_wire(answer["result"])


def to_wire(value):
    """Write bytes as JSON can carry them."""
    if isinstance(value, list):
        return [to_wire(part) for part in value]
    return {"hex": bytes(value).hex()} if isinstance(value, (bytes, bytearray)) else value


def from_wire(value):
    """Read what to_wire wrote."""
    if isinstance(value, list):
        return [from_wire(part) for part in value]
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value


def ensure_peer():
    """Skip where the real core cannot be had; on CI that is a failure."""
    problem = missing()
    if problem and os.environ.get("CI") == "true":
        pytest.fail(problem)
    if problem:
        pytest.skip(problem)


def missing():
    """Bring the real core, or tell why that is not possible."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "needs Node and npm for the real core: `make test GROUP=integration` brings them"
    if not (HERE / "node_modules" / "wasm-themis").exists():
        command = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return f"npm cannot install wasm-themis: {done.stderr.strip()[-200:]}"
    return None
