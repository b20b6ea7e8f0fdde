# SPDX-License-Identifier: Apache-2.0
"""Damage of every kind, drawn from a seeded generator.

A mutation is a pair: the changed bytes, and in words what was done to them.
"""

import struct
from typing import NamedTuple

from support.keys import container

U32_VALUES = (0, 1, 2, 7, 12, 16, 44, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0)


class Field(NamedTuple):
    """A number inside: where it stands, and how."""

    at: int
    form: str = "<I"


def flip(dice, data):
    """Flip one to three bits."""
    changed = bytearray(data)
    places = [dice.randrange(len(data)) for _ in range(dice.choice((1, 1, 1, 2, 3)))]
    for at in places:
        changed[at] ^= 1 << dice.randrange(8)
    return bytes(changed), f"flip bits at {places}"


def unlike(new, old):
    """Change new bytes where they are the old ones."""
    return bytes(one ^ (one == other) for one, other in zip(new, old, strict=True))


def overwrite(dice, data):
    """Put other bytes over a few; each differs from the one that was there.

    In a conversation the two cores are given different bytes: what happened to change nothing for
    one of them alone would look like a difference between them.
    """
    at = dice.randrange(len(data))
    size = min(len(data) - at, dice.choice((1, 1, 2, 4, 8, 32)))
    fill = dice.choice((bytes(size), b"\xff" * size, dice.randbytes(size)))
    fill = unlike(fill, data[at : at + size])
    return data[:at] + fill + data[at + size :], f"overwrite {size} at {at}"


def truncate(dice, data):
    """Cut the end off, or the beginning."""
    size = dice.choice((dice.randrange(len(data)), len(data) - min(len(data), dice.randint(1, 4))))
    if dice.random() < 0.8:
        return data[:size], f"cut to the first {size}"
    return data[len(data) - size :], f"cut to the last {size}"


def extend(dice, data):
    """Put bytes behind, or before."""
    size = dice.choice((1, 2, 3, 4, 12, 16, 44, dice.randint(1, 300)))
    more = dice.choice((bytes(size), dice.randbytes(size), (data * (size // len(data) + 1))[:size]))
    if dice.random() < 0.8:
        return data + more, f"{size} behind"
    return more + data, f"{size} before"


def remove(dice, data):
    """Take bytes out of the middle."""
    at = dice.randrange(len(data))
    size = dice.choice((1, 2, 4, 12, 16))
    return data[:at] + data[at + size :], f"remove {size} at {at}"


def insert(dice, data):
    """Put bytes into the middle."""
    at = dice.randrange(len(data) + 1)
    more = dice.randbytes(dice.choice((1, 2, 4, 12, 16)))
    return data[:at] + more + data[at:], f"insert {len(more)} at {at}"


GENERAL = (flip, flip, flip, overwrite, truncate, extend, remove, insert)


def splice(dice, data, other):
    """Join the beginning of one message and the end of another, cut alike or not."""
    at = dice.randrange(len(data) + 1)
    from_ = dice.choice((min(at, len(other)), dice.randrange(len(other) + 1)))
    tail = other[from_:]
    if len(tail) == len(data) - at:  # as in overwrite
        tail = unlike(tail, data[at:])
    return data[:at] + tail, f"splice {at} with the other's {from_}"


def edit(dice, data, fields):
    """Give a number inside another value."""
    field = dice.choice(fields)
    size = struct.calcsize(field.form)
    if field.at + size > len(data):
        return flip(dice, data)
    [before] = struct.unpack_from(field.form, data, field.at)
    near = before + dice.choice((-16, -12, -4, -2, -1, 1, 2, 4, 12, 16))
    value = dice.choice(
        (near, near, len(data), *U32_VALUES, before ^ 1 << dice.randrange(8 * size))
    )
    value %= 1 << 8 * size
    changed = bytearray(data)
    struct.pack_into(field.form, changed, field.at, value)
    return bytes(changed), f"number at {field.at}: {before} to {value}"


def mutate(dice, data, others=(), fields=()):
    """Damage a message in one of all the ways."""
    ways = [change for change in GENERAL for _ in range(2)]
    ways += ["splice"] * 2 * bool(others) + ["edit"] * 8 * bool(fields)
    way = dice.choice(ways)
    if not data:
        return extend(dice, b"\0")
    if way == "splice":
        return splice(dice, data, dice.choice(others))
    if way == "edit":
        return edit(dice, data, fields)
    return way(dice, data)


def mutate_container(dice, data, others=(), fields=()):
    """Damage a container: as it stands, or its payload and then with a good size and checksum."""
    if dice.random() < 0.3:
        return mutate(dice, data, others, (Field(4, ">I"), Field(8), *fields))
    tag, payload = data[:4], data[12:]
    if dice.random() < 0.15:
        tag, how = mutate(dice, tag, [other[:4] for other in others])
        changed = container((tag + bytes(4))[:4], payload)
        return changed, f"tag, checksum made good: {how}"
    inner = [Field(field.at - 12, field.form) for field in fields if field.at >= 12]
    payload, how = mutate(dice, payload, [other[12:] for other in others], inner)
    return container(tag, payload), f"payload, checksum made good: {how}"
