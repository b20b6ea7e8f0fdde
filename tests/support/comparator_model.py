# SPDX-License-Identifier: Apache-2.0
"""Secure Comparator as the specification's section 6 has it, in plain Python on PyNaCl's group.

Scalars are Python numbers, points are the 32 bytes on the wire. A `Model` plays either side. It
insists: a proof of the other side that does not hold is an AssertionError, for it is meant to
play against honest code. Subclasses are hostile.
"""

import hashlib
import secrets

from nacl import bindings as nacl

L = 2**252 + 27742317777372353535851937790883648493
P = 2**255 - 19
IDENTITY = (1).to_bytes(32, "little")
SIZES = {1: 192, 2: 352, 3: 256, 4: 96}


def number(data):
    """Read a little-endian number."""
    return int.from_bytes(data, "little")


def scalar(value):
    """Write a number as a scalar, without reducing it."""
    return value.to_bytes(32, "little")


def clamp(data):
    """Make 32 bytes a scalar, as a number."""
    data = bytearray(data)
    data[0] &= 248
    data[31] &= 63
    data[31] |= 64
    return number(data)


def random_scalar():
    """Draw a scalar."""
    return clamp(secrets.token_bytes(32))


def base(value):
    """Multiply the base point."""
    value %= L
    return nacl.crypto_scalarmult_ed25519_base_noclamp(scalar(value)) if value else IDENTITY


def times(value, point):
    """Multiply a point of the prime-order subgroup."""
    value %= L
    if value == 0 or point == IDENTITY:
        return IDENTITY
    return nacl.crypto_scalarmult_ed25519_noclamp(scalar(value), point)


def plus(a, b):
    """Add two points, of whatever order."""
    return nacl.crypto_core_ed25519_add(a, b)


def minus(a, b):
    """Subtract a point from another."""
    return nacl.crypto_core_ed25519_sub(a, b)


def h(*points, n):
    """Hash points and the number of a proof to a scalar."""
    return number(hashlib.sha512(b"".join(points) + bytes([n])).digest()) % L


def prove_k(n, a):
    """Prove the knowledge of a in aB."""
    r = random_scalar()
    c = h(base(r), n=n)
    return scalar(c) + scalar((c * a + r) % L)


def check_k(n, image, proof):
    """Check a proof of knowledge."""
    c, s = split(proof)
    return fits(s) and c == h(minus(base(s), times(c, image)), n=n)


def prove_d(n, r, x, g2, g3):
    """Prove the knowledge of r and x in (r g3, rB + x g2)."""
    r1, r2 = random_scalar(), random_scalar()
    c = h(times(r1, g3), plus(base(r1), times(r2, g2)), n=n)
    return scalar(c) + scalar((c * r + r1) % L) + scalar((c * x + r2) % L)


def check_d(n, p, q, g2, g3, proof):
    """Check a proof about a commitment."""
    c, s1, s2 = split(proof)
    first = minus(times(s1, g3), times(c, p))
    second = minus(plus(base(s1), times(s2, g2)), times(c, q))
    return fits(s1) and fits(s2) and c == h(first, second, n=n)


def prove_e(n, a, x):
    """Prove that aX is made with the a of aB."""
    r = random_scalar()
    c = h(base(r), times(r, x), n=n)
    return scalar(c) + scalar((c * a + r) % L)


def check_e(n, image, x, product, proof):
    """Check a proof about a product."""
    c, s = split(proof)
    first = minus(base(s), times(c, image))
    second = minus(times(s, x), times(c, product))
    return fits(s) and c == h(first, second, n=n)


def split(data):
    """Cut into scalars, as numbers."""
    return [number(data[at : at + 32]) for at in range(0, len(data), 32)]


def cut(data, *sizes):
    """Cut into pieces of these sizes, which must be all there is."""
    assert len(data) == sum(sizes)
    ends = [sum(sizes[: count + 1]) for count in range(len(sizes))]
    return [data[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def fits(s):
    """Tell whether the top three bits of an answer are clear."""
    return s < 2**253


class Model:
    """One side of a comparison, with the methods of an SComparator that matter."""

    def __init__(self, secret):
        self.x = clamp(hashlib.sha256(secret).digest())
        self.s2, self.s3, self.r = random_scalar(), random_scalar(), random_scalar()
        self.equal = None
        self.turn = None

    def begin_compare(self):
        """Make message 1, as Alice."""
        self.turn = self._take_2
        return self._generators(1)

    def proceed_compare(self, message):
        """Take any later message; message 1 as Bob."""
        return (self.turn or self._take_1)(message)

    def is_equal(self):
        """Tell the result."""
        return bool(self.equal)

    def is_compared(self):
        """Tell whether there is a result."""
        return self.equal is not None

    def _generators(self, n):
        return base(self.s2) + prove_k(n, self.s2) + base(self.s3) + prove_k(n + 1, self.s3)

    def _read_generators(self, n, message):
        g2, k2, self.g3_peer, k3 = cut(message, 32, 64, 32, 64)
        assert check_k(n, g2, k2)
        assert check_k(n + 1, self.g3_peer, k3)
        self.g2, self.g3 = times(self.s2, g2), times(self.s3, self.g3_peer)

    def _commitment(self, n):
        self.p = times(self.r, self.g3)
        self.q = plus(base(self.r), times(self.x, self.g2))
        return self.p + self.q + prove_d(n, self.r, self.x, self.g2, self.g3)

    def _read_commitment(self, n, message):
        p, q, proof = cut(message, 32, 32, 96)
        assert check_d(n, p, q, self.g2, self.g3, proof)
        return p, q

    def _product(self, n):
        return times(self.s3, self.dq) + prove_e(n, self.s3, self.dq)

    def _read_product(self, n, message):
        product, proof = cut(message, 32, 64)
        assert check_e(n, self.g3_peer, self.dq, product, proof)
        self.equal = times(self.s3, product) == self.dp != IDENTITY

    def _take_1(self, message):
        self._read_generators(1, message)
        self.turn = self._take_3
        return self._generators(3) + self._commitment(5)

    def _take_2(self, message):
        generators, commitment = cut(message, 192, 160)
        self._read_generators(3, generators)
        p, q = self._read_commitment(5, commitment)
        own = self._commitment(6)
        self.dp, self.dq = minus(self.p, p), minus(self.q, q)
        self.turn = self._take_4
        return own + self._product(7)

    def _take_3(self, message):
        commitment, product = cut(message, 160, 96)
        p, q = self._read_commitment(6, commitment)
        self.dp, self.dq = minus(p, self.p), minus(q, self.q)
        self._read_product(7, product)
        return self._product(8)

    def _take_4(self, message):
        self._read_product(8, message)
        return b""
