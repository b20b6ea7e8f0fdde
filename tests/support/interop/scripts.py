# SPDX-License-Identifier: Apache-2.0
"""Conversations: scripts in which a model in Python plays against one core, and then the other.

A script is a generator. It yields calls in the words of peer.js, is sent their results or is
thrown Refused, and keeps in its log what came of each. Both cores are played with the same dice,
so the model says the same to both; keys and random numbers of the cores differ.
"""

from typing import Any, NamedTuple

from pythemis.exception import ThemisError
from pythemis.scomparator import SComparator
from pythemis.ssession import SimpleMemoryTransport, SSession
from support.interop.peer import PeerError, PeerTrapError

REFUSED = "refused"  # as a result


class Refused(Exception):  # noqa: N818 -- it is the usual answer here
    """The core answered with an error."""


class Step(NamedTuple):
    """What came of one message."""

    how: str  # what was done to it
    changed: bytes
    result: Any  # must be alike for both cores
    facts: tuple[Any, ...] = ()  # what a listed difference may have to know


class Ours:
    """Our package, with the methods of peer.js that scripts call."""

    def __init__(self):
        self.objects = {}

    def call(self, method, *args):
        """Call a method."""
        try:
            return getattr(self, method)(*args)
        except ThemisError as error:
            raise Refused from error

    def _keep(self, made):
        self.objects[len(self.objects) + 1] = made
        return len(self.objects)

    def free(self, number):
        """End an object."""
        self.objects[number].close()

    def session_new(self, name, private, known):
        """Make a session that knows keys by their ids."""
        keys = SimpleMemoryTransport({bytes(peer): key for peer, key in known})
        return self._keep(SSession(name, private, keys))

    def session_connect(self, number):
        """Make message 1."""
        return self.objects[number].connect_request()

    def session_reply(self, number, message):
        """Take a message of negotiation."""
        return bytes(self.objects[number].unwrap(message))

    def session_established(self, number):
        """Tell whether negotiation is over."""
        return self.objects[number].is_established()

    def session_wrap(self, number, message):
        """Encrypt."""
        return self.objects[number].wrap(message)

    def session_unwrap(self, number, message):
        """Decrypt."""
        return bytes(self.objects[number].unwrap(message))

    def comparator_new(self, secret):
        """Make a comparator."""
        return self._keep(SComparator(secret))

    def comparator_begin(self, number):
        """Make message 1."""
        return self.objects[number].begin_compare()

    def comparator_proceed(self, number, message):
        """Take a message."""
        return self.objects[number].proceed_compare(message)

    def comparator_equal(self, number):
        """Tell the result."""
        return self.objects[number].is_equal()


class Play:
    """A script under way."""

    def __init__(self, script):
        self.script = script
        self.log = None
        self.call = next(script)

    def answer(self, result):
        """Go on to the next call; there is none when the script is over."""
        try:
            if isinstance(result, Refused):
                self.call = self.script.throw(result)
            else:
                self.call = self.script.send(result)
        except StopIteration as end:
            self.call, self.log = None, end.value


def play_ours(script):
    """Play against our package."""
    play, ours = Play(script), Ours()
    while play.call is not None:
        try:
            result = ours.call(*play.call)
        except Refused as refusal:
            result = refusal
        play.answer(result)
    return play.log


def play_theirs(make, peer):
    """Play these scripts against the real core, side by side.

    Args:
        make: A function for each script that starts it, again if need be.
        peer: The real core.

    Returns:
        The logs; a script that made the core crash has the text of that instead.
    """
    plays = [Play(start()) for start in make]
    crash = _play_all(plays, peer)
    if crash is not None and len(make) > 1:  # whose fault was it?
        return [log for start in make for log in play_theirs([start], peer)]
    return [play.log if crash is None else crash for play in plays]


def _play_all(plays, peer):
    while under_way := [play for play in plays if play.call is not None]:
        for play, result in zip(
            under_way, peer.many([play.call for play in under_way]), strict=True
        ):
            if isinstance(result, PeerTrapError):
                return f"crash: {result}"
            play.answer(Refused() if isinstance(result, PeerError) else result)
    return None
