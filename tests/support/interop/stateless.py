# SPDX-License-Identifier: Apache-2.0
"""Cases for both cores that need no conversation: cells, messages and keys.

Each function draws one case from a seeded generator.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from pythemis.exception import THEMIS_CODES
from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from pythemis.smessage import SecureSigner, SecureVerifier, SMessage
from support.interop import writers as write
from support.interop.mutation import Field, mutate, mutate_container
from support.keys import code_of, container, pairs

ITERATIONS_HERE = 4096  # the real core has no bound: more would cost it minutes
TOKEN_FIELDS = tuple(Field(at) for at in (0, 4, 8, 12))
PASSPHRASE_FIELDS = (*TOKEN_FIELDS, Field(16), Field(48), Field(52, "<H"))
EC_NAMES = ("p256", "p256", "p256", "p256_b", "p384", "p521")
RSA_NAMES = ("rsa1024",) * 8 + ("rsa2048", "rsa2048_b", "rsa2048", "rsa4096")


class Case(NamedTuple):
    """One question to both cores."""

    how: str  # in words
    ours: Callable[[], Any]
    call: tuple[Any, ...]  # what the peer is asked
    changed: bytes  # what was mutated
    parts: tuple[Any, ...] = ()  # what a listed difference may have to know
    compare: Callable[[Any], Any] = lambda result: result  # of a result


def text(dice):
    """Draw a message."""
    return dice.randbytes(dice.choice((1, 2, 15, 16, 17, 44, 60, dice.randint(1, 300))))


def context_of(dice):
    """Draw a context."""
    return dice.choice((b"", b"", b"context", dice.randbytes(dice.randint(1, 70))))


def secret(dice):
    """Draw a master key."""
    return dice.randbytes(dice.choice((1, 16, 32, 32, 63, 64, 65, 100)))


# ---- Secure Cell ----


def seal(dice):
    """Seal with a key."""
    key, context = secret(dice), context_of(dice)
    form = write.CellForm(dice, odd=dice.random() < 0.4)
    data, how = write.seal(dice, form, key, text(dice), context), "authentic"
    if dice.random() < 0.7:
        others = [write.seal(dice, write.CellForm(dice), key, text(dice), context)]
        data, how = mutate(dice, data, others, TOKEN_FIELDS)
    if dice.random() < 0.05:
        context, how = mutate(dice, context)
    ours = SCellSeal(key)
    return Case(how, lambda: ours.decrypt(data, context), ("unseal", key, data, context), data)


def protect(dice):
    """Token Protect."""
    key, context = secret(dice), context_of(dice)
    form = write.CellForm(dice, odd=dice.random() < 0.4)
    data, token = write.protect(dice, form, key, text(dice), context)
    other, other_token = write.protect(dice, write.CellForm(dice), key, text(dice), context)
    how, way = "authentic", dice.random()
    if way < 0.3:
        data, how = mutate(dice, data, [other])
    elif way < 0.8:
        token, how = mutate(dice, token, [other_token], TOKEN_FIELDS)
    elif way < 0.85:
        data, token, how = token, data, "swapped"
    token = token if dice.random() < 0.05 else short_length(token)
    ours = SCellTokenProtect(key)
    return Case(
        how,
        lambda: ours.decrypt(data, token, context),
        ("unprotect", key, data, token, context),
        token,
        (data,),
    )


def short_length(token):
    """Make the length field of a token small: the real core allocates what it says."""
    if len(token) < 16 or int.from_bytes(token[12:16], "little") < 1 << 24:
        return token
    return token[:15] + b"\0" + token[16:]


def imprint(dice):
    """Context Imprint, which knows no wrong: any bytes are decrypted alike."""
    key, context = secret(dice), dice.choice((context_of(dice), b"c" * dice.randint(0, 200)))
    data = b"" if dice.random() < 0.02 else text(dice)
    ours = SCellContextImprint(key)
    call = ("imprint_read", key, data, context)
    return Case("any bytes", lambda: ours.decrypt(data, context), call, data, (context,))


def passphrase(dice):
    """Seal with a passphrase, with few iterations."""
    word, context = dice.choice(("word", "grüße 你好", "x" * 70)), context_of(dice)
    form = write.CellForm(dice, odd=dice.random() < 0.4, descriptor=write.PASSPHRASE_CELL)
    salt = dice.randbytes(dice.choice((16, 16, 0, 1, 8, 33)))
    iterations = dice.choice((1, 1, 2, 3, 10, 0 if dice.random() < 0.1 else 5))
    message = text(dice)
    stretched = max(iterations, 1)
    data = write.passphrase_seal(dice, form, word.encode(), message, context, stretched, salt)
    how = "authentic"
    if dice.random() < 0.7:
        other = write.passphrase_seal(
            dice,
            write.CellForm(dice, descriptor=write.PASSPHRASE_CELL),
            b"word",
            b"m",
            b"",
            1,
            salt,
        )
        data, how = mutate(dice, data, [other], PASSPHRASE_FIELDS)
    elif iterations == 0:
        data, how = data[:48] + bytes(4) + data[52:], "no iterations"
    data = few_iterations(data)
    ours = SCellSeal(passphrase=word, min_iterations=1)
    call = ("passphrase_unseal", word, data, context)
    return Case(how, lambda: ours.decrypt(data, context), call, data)


def few_iterations(data):
    """Make the number of iterations small, wherever a reader may look for it."""
    changed = bytearray(data)
    sizes = [int.from_bytes(data[at : at + 4], "little") for at in (4, 8)]
    for at in {48, 20 + 12 + sizes[1], 20 + sizes[0] + 16, 20 + sum(sizes)}:
        if at + 4 <= len(data) and int.from_bytes(changed[at : at + 4], "little") > ITERATIONS_HERE:
            changed[at + 1 : at + 4] = bytes(3)
    return bytes(changed)


# ---- Secure Message ----


@cache
def ec_key(name):
    """Give a recorded EC key as numbers."""
    return write.EcKey(pairs()[name]["private"])


@cache
def rsa_key(name):
    """Give a recorded RSA key as numbers."""
    return write.RsaKey(pairs()[name]["private"])


@cache
def verifier(public):
    """Prepare a public key once."""
    return SecureVerifier(public)


@cache
def messenger(private, public):
    """Prepare a pair once."""
    return SMessage(private, public)


SIGNED_FIELDS = (Field(0), Field(4), Field(8), Field(8))


@cache
def other(public, kind):
    """Give another message that is signed with a key."""
    [private] = {case["private"] for case in pairs().values() if public in case.values()}
    signed = SecureSigner(private).sign(b"other")
    assert signed[:4] == kind.to_bytes(4, "little")
    return signed


def verify(dice, public, kind, sign):
    """Verify a signed message: its signature is odd, or the whole is damaged, or it is fine."""
    message, odd = text(dice), dice.random() < 0.5
    data, how = write.signed(kind, message, sign(message, odd)), "odd" if odd else "authentic"
    if not odd and dice.random() < 0.95:
        others = [other(public, kind)]
        data, how = mutate(dice, data, others, SIGNED_FIELDS)
    ours = verifier(public)
    return Case(how, lambda: ours.verify(data), ("verify", public, data), data, (public,))


def signed_ec(dice):
    """Verify with an EC key."""
    name = dice.choice(EC_NAMES)
    key = ec_key(name)

    def sign(message, odd):
        r, s = key.sign(dice, message)
        if odd:
            return write.der_signature(dice, r, s, key.n)
        body = write.der_number(r) + write.der_number(s)
        return b"\x30" + write.der_length(len(body)) + body

    public = pairs()[name][dice.choice(("public", "public_uncompressed"))]
    return verify(dice, public, write.EC_SIGNED, sign)


def way_of(dice, odd):
    """Draw a way to sign with PSS."""
    return dice.randrange(write.PSS_WAYS) if odd else write.HONEST


def signed_rsa(dice):
    """Verify with an RSA key."""
    name = dice.choice(RSA_NAMES)
    key = rsa_key(name)
    return verify(
        dice,
        pairs()[name]["public"],
        write.RSA_SIGNED,
        lambda message, odd: write.pss_signature(dice, key, message, way_of(dice, odd)),
    )


def unwrap(dice, names, data, others, how, fields):
    """Unwrap a message, damaged or not."""
    if dice.random() < 0.7:
        data, how = mutate(dice, data, others, fields)
    private, public = pairs()[names[0]]["private"], pairs()[names[1]]["public"]
    ours = messenger(private, public)
    return Case(
        how, lambda: ours.unwrap(data), ("unwrap", private, public, data), data, (private, public)
    )


def encrypted_ec(dice):
    """Unwrap with EC keys."""
    names = dice.choice((("p256", "p256_b"), ("p256", "p256_b"), ("p384", "p384_b"), ("p521",) * 2))
    master = agreed(*names)

    def one(odd):
        form = write.CellForm(dice, odd=odd)
        return write.ec_encrypted(write.seal(dice, form, master, text(dice), b""))

    fields = (Field(0), Field(4), *(Field(8 + field.at) for field in TOKEN_FIELDS))
    return unwrap(dice, names, one(dice.random() < 0.4), [one(False)], "authentic", fields)


@cache
def agreed(one, other):
    """Give the secret of two recorded keys."""
    return ec_key(one).agree(pairs()[other]["public"])


def encrypted_rsa(dice):
    """Unwrap with RSA keys; the wrapped secret may be odd."""
    name = dice.choice(RSA_NAMES)
    key = rsa_key(name)

    def one(odd):
        master = dice.randbytes(70)
        if odd and dice.random() < 0.3:
            master = dice.randbytes(dice.choice((0, 1, 32, 69, 71, 86)))
        form = write.CellForm(dice, odd=odd and dice.random() < 0.2)
        is_odd = odd and len(master) == 70
        wrapped = write.oaep(
            dice, key, master, dice.randrange(write.OAEP_WAYS) if is_odd else write.HONEST
        )
        return write.rsa_encrypted(
            wrapped, write.seal(dice, form, master or b"\0", text(dice), b"")
        )

    at = 12 + key.size
    fields = (*(Field(at) for at in (0, 4, 8)), *(Field(at + field.at) for field in TOKEN_FIELDS))
    odd = dice.random() < 0.4
    names = (name, dice.choice(("rsa1024", "rsa2048")))
    return unwrap(dice, names, one(odd), [one(False)], "odd" if odd else "authentic", fields)


# ---- Keys ----


def ec_points(dice, public):
    """Give a public EC key whose point is another, or none."""
    curve = public[3:4].decode()
    size, p, _ = write.CURVES[curve]
    x = public[13 : 13 + size]
    point = dice.choice(
        (
            dice.choice((b"\x02", b"\x03")) + dice.randbytes(size),
            b"\x02" + ((int.from_bytes(x, "big") + p) % (1 << 8 * size)).to_bytes(size, "big"),
            b"\x02" + p.to_bytes(size, "big"),
            bytes([dice.choice((0, 1, 4, 5, 6, 7))]) + x,
            bytes(1 + size),
            b"\x04" + x + dice.randbytes(size),
            b"\x04" + bytes(2 * size),
            b"\0",
        )
    )
    return container(public[:4], point), "another point"


def hybrid(dice, public):
    """Write an uncompressed point in the hybrid form, or nearly."""
    prefix = dice.choice((6, 7, 5, 8))
    return container(public[:4], bytes([prefix]) + public[13:]), f"uncompressed, prefix {prefix}"


def ec_numbers(dice, private):
    """Give a private EC key whose number is another, or none."""
    curve = private[3:4].decode()
    size, _, n = write.CURVES[curve]
    value = dice.choice((0, 1, n - 1, n, n + 1, (1 << 8 * size) - 1, dice.randrange(1, n)))
    prefix = dice.choice((b"\0", b"", b"\1", b"\0\0"))
    number = (value % (1 << 8 * size)).to_bytes(size, "big")
    return container(private[:4], prefix + number), "another number"


def changed_key(dice, name, half):
    """Damage one half of a recorded pair."""
    case = pairs()[name]
    forms = [form for form in case if form.startswith(half)]
    form = dice.choice(forms)
    key = case[form]
    special = {"private": ec_numbers, "private_short": ec_numbers, "public": ec_points}
    if name.startswith("p") and dice.random() < 0.3:
        return special.get(form, hybrid)(dice, key)
    others = [value for other in pairs().values() for part, value in other.items() if half in part]
    return mutate_container(dice, key, others)


def keys(dice, names):
    """Put a damaged key to use."""
    name = dice.choice(names)
    private, public = pairs()[name]["private"], pairs()[name]["public"]
    half = dice.choice(("private", "public"))
    key, how = changed_key(dice, name, half)
    use = dice.choice(("sign", "wrap", "unwrap") if half == "private" else ("verify", "wrap"))
    data = known(name, use)
    private, public = (key, public) if half == "private" else (private, key)
    ours = {
        "sign": lambda: SecureSigner(private).sign(data),
        "verify": lambda: SecureVerifier(public).verify(data),
        "wrap": lambda: SMessage(private, public).wrap(data),
        "unwrap": lambda: SMessage(private, public).unwrap(data),
    }[use]
    arguments = {"sign": (private,), "verify": (public,)}.get(use, (private, public))
    fits = {"sign": lambda made: is_signed(name, made), "wrap": bool}.get(use, bytes)
    call = (use, *arguments, data)
    return Case(f"{half} {name} to {use}: {how}", ours, call, key, (name, half, use), fits)


def is_signed(name, data):
    """Tell whether the honest public key accepts what was signed."""
    return code_of(verifier(pairs()[name]["public"]).verify, data) == THEMIS_CODES.SUCCESS


@cache
def known(name, use):
    """Give something to use a key on."""
    private, public = pairs()[name]["private"], pairs()[name]["public"]
    if use == "verify":
        return SecureSigner(private).sign(b"message")
    return SMessage(private, public).wrap(b"message") if use == "unwrap" else b"message"


def keys_ec(dice):
    """Damaged EC keys."""
    return keys(dice, EC_NAMES)


def keys_rsa(dice):
    """Damaged RSA keys."""
    return keys(dice, ("rsa1024", "rsa1024", "rsa1024", "rsa2048", "rsa2048_b", "rsa4096"))


FAMILIES = {
    "seal": seal,
    "token_protect": protect,
    "context_imprint": imprint,
    "passphrase": passphrase,
    "signed_ec": signed_ec,
    "signed_rsa": signed_rsa,
    "encrypted_ec": encrypted_ec,
    "encrypted_rsa": encrypted_rsa,
    "keys_ec": keys_ec,
    "keys_rsa": keys_rsa,
}
