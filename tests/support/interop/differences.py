# SPDX-License-Identifier: Apache-2.0
"""Where the two cores differ and should: everything else is an error in one of them.

A predicate sees the step of both sides and says whether this is such a place. It must not take
more than that for one: an error that looks like a listed difference would go unnoticed.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from support import comparator_model as comparator
from support.interop import writers as write
from support.interop.scripts import REFUSED
from support.keys import container, pairs

L = comparator.L
ANSWERS = {1: (64, 160), 2: (64, 160, 288, 320), 3: (96, 128, 224), 4: (64,)}  # of the proofs
CRASH = "crash"


class Difference(NamedTuple):
    """A place where the two answer otherwise on purpose."""

    name: str
    families: tuple[str, ...]
    reason: str
    is_it: Callable[[Any, Any], bool]  # of our step and theirs


def u32(data, at):
    """Read a number."""
    return int.from_bytes(data[at : at + 4], "little")


def we_refuse(ours, theirs):
    """Tell whether we alone refuse."""
    return ours.result == REFUSED and theirs.result not in (REFUSED, CRASH)


def they_refuse(ours, theirs):
    """Tell whether the real core alone refuses."""
    return ours.result != REFUSED and theirs.result == REFUSED


def other_sizes(token_at):
    """Look for a cell whose iv or tag field is another than anybody writes."""

    def is_it(ours, theirs):
        data = ours.changed
        at = token_at(data)
        return we_refuse(ours, theirs) and (u32(data, at + 4), u32(data, at + 8)) != (12, 16)

    return is_it


def gap(token_at):
    """Look for a cell with bytes between its token and the data, which the header tells apart."""

    def is_it(ours, theirs):
        data, at = ours.changed, token_at(ours.changed)
        token = 44 + (4 + u32(data, at + 16)) * (u32(data, at) >> 24 & 0xF)
        size = u32(data, at + 12)
        return (
            we_refuse(ours, theirs)
            and (u32(data, at + 4), u32(data, at + 8)) == (12, 16)
            and len(theirs.result) == size
            and len(data) - at > token + size
        )

    return is_it


def rsa_cell(data):
    """Tell where the cell in an encrypted message of RSA keys begins."""
    return 12 + u32(data, 8)


def other_type(ours, theirs):
    """The first byte, the lowest of the type, is another; the rest is authentic."""
    data, kinds = ours.changed, (write.EC_SIGNED, write.RSA_SIGNED)
    return (
        we_refuse(ours, theirs)
        and u32(data, 0) not in kinds
        and data[1:4] == kinds[0].to_bytes(4, "little")[1:]
    )


def other_secret(ours, theirs):
    """The secret in an encrypted message of RSA keys has another length than 70."""
    if not we_refuse(ours, theirs):
        return False
    [case] = [case for case in pairs().values() if case["private"] == ours.facts[0]]
    wrapped = ours.changed[12 : 12 + u32(ours.changed, 8)]
    return write.oaep_secret_size(write.RsaKey(case["private"]), wrapped) != 70


def rsa_parts(ours):
    """Cut a damaged private RSA key and the honest one: (d, p, q), (1/q and the like), public."""
    key, honest = ours.changed[12:], pairs()[ours.facts[0]]["private"][12:]
    n = (len(honest) - 4) * 2 // 9
    cuts = slice(2 * n), slice(2 * n, 7 * n // 2), slice(7 * n // 2, None)
    return [(key[part], honest[part]) for part in cuts]


def odd_modulus(ours, theirs):
    """The modulus of a public RSA key is even or shorter than its size says."""
    modulus = ours.changed[12:-4]
    return (
        we_refuse(ours, theirs)
        and ours.facts[1] == "public"
        and (modulus[0] < 0x80 or modulus[-1] % 2 == 0)
    )


def wrapping_with_nonsense(ours, theirs):
    """The private half of a pair is nonsense, and is not needed to wrap."""
    if not we_refuse(ours, theirs) or ours.facts[1:] != ("private", "wrap"):
        return False
    *_, (public, honest_public) = rsa_parts(ours)
    return len(public) == len(honest_public) and theirs.result is True


def only_shortcuts_wrong(ours, theirs):
    """Only the numbers that make RSA faster are wrong, and we get the right result without."""
    if not they_refuse(ours, theirs) or ours.facts[1] != "private":
        return False
    (main, honest_main), _, (public, honest_public) = rsa_parts(ours)
    right = {"sign": True, "unwrap": b"message", "wrap": None}[ours.facts[2]]
    return main == honest_main and public == honest_public and ours.result == right


def wrong_exponents(ours, theirs):
    """The private exponent is wrong, and the shortcuts as well: we sign what nobody verifies."""
    if ours.facts[1:] != ("private", "sign") or (ours.result, theirs.result) != (False, REFUSED):
        return False
    (main, honest_main), (shortcuts, honest_shortcuts), (public, honest_public) = rsa_parts(ours)
    primes = len(honest_main) // 2
    return (
        main[primes:] == honest_main[primes:]
        and public == honest_public
        and (main != honest_main and shortcuts != honest_shortcuts)
    )


def ahead(ours, theirs):
    """An authentic message far ahead of the last one."""
    return they_refuse(ours, theirs) and 8 < theirs.facts.ahead < 1 << 31


def more_behind(ours, theirs):
    """An authentic data message with bytes behind it."""
    original = theirs.facts.original
    return (
        we_refuse(ours, theirs)
        and theirs.changed.startswith(original)
        and len(theirs.changed) > len(original)
    )


def short_mac(ours, theirs):
    """The MAC of message 4 is only a beginning of the right one."""
    honest, mac = ours.facts.honest[12:], ours.changed[12:]
    return ours.facts.number == 4 and we_refuse(ours, theirs) and len(mac) < len(honest) == 32


def ephemeral_size(ours, theirs):
    """The ephemeral key is longer than a point."""
    if ours.facts.number not in (1, 2) or not we_refuse(ours, theirs):
        return False
    at = 12 + int.from_bytes(ours.changed[16:20], "big")
    return int.from_bytes(ours.changed[at + 4 : at + 8], "big") not in (45, 77)


def no_point(ours, theirs):
    """The ephemeral key in message 1 is none, which a server need not know before message 3."""
    if ours.facts.number != 1 or not we_refuse(ours, theirs):
        return False
    at = 12 + int.from_bytes(ours.changed[16:20], "big")
    size = int.from_bytes(ours.changed[at + 4 : at + 8], "big")
    ephemeral = ours.changed[at : at + size]
    if ephemeral != container(b"UEC2", ephemeral[12:]):  # its own checksum is wrong, or its tag
        return size in (45, 77)
    try:
        write.point("2", ephemeral)
    except ValueError:
        return size in (45, 77)
    return False


def crash(ours, theirs):
    """The real core ends, and we refuse."""
    return theirs.result == CRASH and ours.result == REFUSED


def longer(ours, theirs):
    """A comparator message with bytes behind it."""
    sizes = comparator.SIZES
    return we_refuse(ours, theirs) and len(ours.changed) > sizes[ours.facts.number]


def bad_points(ours, theirs):
    """A point outside the group of prime order, or its neutral element, or written oddly."""
    return we_refuse(ours, theirs) and set(ours.facts.kinds) & {"identity", "on the curve"} != set()


def unreduced(ours, theirs):
    """The answer of a proof is right modulo L, but not below it."""
    if theirs.facts is None or (ours.result, theirs.result) != (False, True):
        return False
    number, _, honest, message = theirs.facts
    return len(message) == len(honest) and any(
        answer(message, at) >= L and answer(message, at) % L == answer(honest, at) % L
        for at in ANSWERS[number]
    )


def answer(message, at):
    """Read the answer of a proof."""
    return comparator.number(message[at : at + 32])


def true_secret(ours, theirs):
    """The other side is told the truth although what it sent was damaged."""
    return (
        ours.how == "what the liar finds"
        and (ours.result, theirs.result) == (False, True)
        and ours.facts.message != ours.facts.honest
    )


DIFFERENCES = (
    Difference(
        "cell-sizes",
        ("seal", "passphrase"),
        "Every writer makes an iv of 12 and a tag of 16 bytes; the real core reads longer fields "
        "and ignores the rest of them. We read what is written.",
        other_sizes(lambda _: 0),
    ),
    Difference("cell-sizes", ("token_protect",), "As above.", other_sizes(lambda _: 0)),
    Difference("cell-sizes", ("encrypted_ec",), "As above.", other_sizes(lambda _: 8)),
    Difference("cell-sizes", ("encrypted_rsa",), "As above.", other_sizes(rsa_cell)),
    Difference(
        "cell-gap",
        ("seal", "passphrase"),
        "No writer leaves bytes between the token and the data of a Seal cell; the real core "
        "skips them. They are not authenticated, and we take no cell that has any.",
        gap(lambda _: 0),
    ),
    Difference("cell-gap", ("encrypted_ec",), "As above.", gap(lambda _: 8)),
    Difference("cell-gap", ("encrypted_rsa",), "As above.", gap(rsa_cell)),
    Difference(
        "signed-type",
        ("signed_ec", "signed_rsa"),
        "The real core does not look at the lowest byte of a signed message's type as closely.",
        other_type,
    ),
    Difference(
        "rsa-secret",
        ("encrypted_rsa",),
        "Every writer wraps 70 bytes. We take nothing else, so that what does not unwrap can "
        "become a random secret in constant time: no oracle for the padding.",
        other_secret,
    ),
    Difference(
        "rsa-modulus",
        ("keys_rsa",),
        "A modulus that is even or lacks its top bit is no modulus of that size; the real core "
        "computes with it.",
        odd_modulus,
    ),
    Difference(
        "rsa-nonsense",
        ("keys_rsa",),
        "We judge the numbers of a private key when it is given; the real core, which does not "
        "need them to wrap, not before they are used.",
        wrapping_with_nonsense,
    ),
    Difference(
        "rsa-shortcuts",
        ("keys_rsa",),
        "OpenSSL notices that the numbers for the Chinese remainder theorem gave a wrong result, "
        "and goes the long way; the library of the real core's WebAssembly build gives up.",
        only_shortcuts_wrong,
    ),
    Difference(
        "rsa-exponents",
        ("keys_rsa",),
        "The same where the long way is wrong too: what we sign then is no signature. Nothing in "
        "it depends on a part of the key that is right.",
        wrong_exponents,
    ),
    Difference(
        "session-ahead",
        ("session_data",),
        "Where more than 8 messages are lost, the real core reads none any more; we go on.",
        ahead,
    ),
    Difference(
        "session-behind",
        ("session_data",),
        "The real core finds the end of a data message by a field inside, and believes it before "
        "the tag is checked. We check the tag over the whole message first.",
        more_behind,
    ),
    Difference(
        "session-empty",
        ("session_data",),
        "No writer sends a message without a byte in it; the real core would read it.",
        lambda ours, theirs: we_refuse(ours, theirs) and theirs.result == b"",
    ),
    Difference(
        "session-short-mac",
        ("handshake",),
        "The real core compares as many bytes of the MAC as the server cares to send. We want 32.",
        short_mac,
    ),
    Difference(
        "session-ephemeral",
        ("handshake",),
        "The real core takes an ephemeral key that is longer than a point, at first.",
        ephemeral_size,
    ),
    Difference(
        "session-point",
        ("handshake",),
        "The real core looks at the client's ephemeral key when message 3 comes; we look at once.",
        no_point,
    ),
    Difference(
        "session-crash",
        ("handshake",),
        "A size inside that goes beyond the message takes the real core out of its memory.",
        crash,
    ),
    Difference(
        "comparator-longer",
        ("comparator",),
        "The real core ignores what follows a message. Ours has no use for it.",
        longer,
    ),
    Difference(
        "comparator-points",
        ("comparator",),
        "The real core takes points of small or mixed order, the identity, and other ways to write "
        "a number, and finds no match; we end the comparison at once.",
        bad_points,
    ),
    Difference(
        "comparator-unreduced",
        ("comparator",),
        "A proof whose answer is L or more is good to the real core while its top bits are clear.",
        unreduced,
    ),
    Difference(
        "comparator-secret",
        ("comparator",),
        "After a proof that fails the real core plays on with its true secret, and the liar learns "
        "whether he knows it. We play on with a random one, as specified.",
        true_secret,
    ),
)


def listed(family, ours, theirs):
    """Give the name of the listed difference that this is; None if it is not listed."""
    for difference in DIFFERENCES:
        if family in difference.families and difference.is_it(ours, theirs):
            return difference.name
    return None
