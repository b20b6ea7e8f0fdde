# SPDX-License-Identifier: Apache-2.0
"""Look for branches on secrets and for addresses made of secrets, with valgrind as the judge.

tests/c/consttime.c marks secrets as undefined, so memcheck reports what depends on them. A report
is fine only if it stands in one of the tables below, with its reason; first the judge itself is
judged, on a comparison and a table lookup that leak. Arguments name the cases to run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tools.evidence.drivers import ROOT, build
from tools.evidence.figures import note
from tools.evidence.memcheck import ensure_valgrind

BENEATH_ALL = ("libc.", "ld-", "vgpreload_")
CONTROLS = {
    "control-compare": [("leaky_compare", "UninitCondition")],
    "control-lookup": [("leaky_lookup", "UninitValue")],
    "control-equal": [],
}


class Branch(NamedTuple):
    """A place in the core that may branch: the function, and what stands in the line."""

    function: str
    line: str


class Call(NamedTuple):
    """A call of the core into a library whose code branches."""

    function: str
    library: str


# Branches of ours on what was made of secrets but is itself for everybody to see.
OURS = {
    Branch("soter_container_read", "checksum(start, size) != sum"): "a damaged key is refused",
    Branch("scalar_is_sound", "soter_number_less("): "an impossible key is refused",
    Branch("import_private", "scalar_is_sound("): "an impossible key is refused",
    Branch("random_scalar", "scalar_is_sound("): "a scalar that is none is thrown away",
    Branch("private_is_sound", "soter_number_less("): "an impossible key is refused",
    Branch("private_is_sound", "product_is("): "an impossible key is refused",
    Branch("measure", "!take_line("): "a text of more than one line is refused",
    Branch("themis_secret_text_decode", "!decode("): "what is not the encoding is refused",
    Branch("soter_group_multiply", "product_is_identity && "): (
        "no product of an honest scalar and a judged point is the identity"
    ),
    Branch("soter_group_multiply_base", "crypto_scalarmult_ed25519_base_noclamp"): (
        "no product of an honest scalar and the base point is the identity"
    ),
    Branch("read_text", "!= '\"'"): "where a text ends tells its length",
    Branch("decode_key", "soter_base64_decode_exact("): "what is no base64 is refused",
    Branch("decode_legacy", "soter_base64_decode("): "what is no base64 is refused",
    Branch("take_key", "soter_equal("): "one key twice is refused",
    Branch("themis_sealed_accept", "!soter_equal("): "a file key whose mac is wrong is refused",
    Branch("same_bytes", "soter_equal("): "another key under the same id is refused",
    Branch("themis_run_receive_commitment", "holds ? "): "the peer knows whether its proof holds",
    Branch("themis_run_receive_product", "holds ? "): "the peer knows whether its proof holds",
    Branch("themis_run_receive_generators", "holds[0] && "): (
        "the peer knows whether its proof holds"
    ),
    Branch("themis_run_take_differences", "soter_point_is_identity("): (
        "the points subtracted were sent: both sides know them"
    ),
    **{
        Branch(function, "status != SOTER_SUCCESS"): "points are judged, which were or will be sent"
        for function in (
            "bob_takes_3",
            "alice_takes_2",
            "themis_prove_commitment",
            "themis_verify_commitment",
            "themis_verify_product",
            "themis_run_take_differences",
        )
    },
}
# What the libraries do with what they are given is theirs.
THEIRS = {
    Call("aead_final", "libcrypto"): "a wrong tag is refused; it is compared without branches",
    Call("soter_cipher_feed", "libcrypto"): (
        "AES-CTR branches where the lower 32 bits of its counter overflow"
    ),
    Call("soter_point_multiply", "libcrypto"): (
        "a ladder, or a table that is read in whole, over numbers of OpenSSL that know their length"
    ),
    Call("soter_evp_make", "libcrypto"): (
        "numbers of OpenSSL know their length: leading zero words of a key show"
    ),
    Call("export_numbers", "libcrypto"): (
        "numbers of OpenSSL know their length: leading zero words of a key show"
    ),
    Call("soter_oaep_unwrap", "libcrypto"): (
        "arithmetic with blinded numbers, the blinding being marked as secret"
    ),
    Call("soter_oaep_wrap", "libcrypto"): (
        "RSA with a public key: leading zero words of what is encrypted show"
    ),
    **{
        Call(function, "libsodium"): "points are judged, and products that are the identity"
        for function in (
            "soter_group_multiply",
            "soter_group_multiply_base",
            "soter_group_add",
            "soter_group_subtract",
        )
    },
}
# Where RSA's assembler has no readable stack, the case says who called.
NAMELESS = {"rsa-messages": Call("soter_oaep_unwrap", "libcrypto")}


def main() -> None:
    """Check the judge, then run the cases; leave with 1 if anything is wrong."""
    ensure_valgrind()
    bad = 0
    seen: Counter[Branch | Call] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = build(folder, "consttime", "generator")
        for control, expected in CONTROLS.items():
            found = [(stack[0].function, kind) for kind, stack in reports(program, control, folder)]
            if found != expected:
                raise SystemExit(f"consttime: {control} should give {expected}, not {found}.")
        listed = subprocess.check_output([program], text=True).split()
        cases = sys.argv[1:] or [case for case in listed if case not in CONTROLS]
        for case in cases:
            found_here = reports(program, case, folder)
            for kind, stack in found_here:
                place = explain(case, stack)
                if place is None:
                    bad += 1
                    print(f"FOUND in {case}: {kind}")
                    print("".join(f"    {frame.show()}\n" for frame in stack[:12]))
                else:
                    seen[place] += 1
            print(f"{case}: {len(found_here)} reports")
    for place, count in sorted(seen.items(), key=str):
        reason = OURS[place] if isinstance(place, Branch) else THEIRS[place]
        print(f"{count:4} {' / '.join(place)}: {reason}")
    print(f"consttime: {bad} findings of ours")
    explained = {"cases": len(cases), "places with a reason": len(seen)}
    note({**explained, "reports explained": sum(seen.values()), "findings of ours": bad})
    sys.exit(1 if bad else 0)


class Frame(NamedTuple):
    """A frame of a stack."""

    function: str
    module: str
    file: str
    line: int

    def show(self) -> str:
        """Return where it is."""
        return f"{self.function} ({self.file}:{self.line})" if self.file else self.module


def reports(program: Path, case: str, folder: Path) -> list[tuple[str, list[Frame]]]:
    """Run one case under valgrind: what it reports, each with its kind and its stack."""
    report = folder / f"{case}.xml"
    command = [
        "valgrind",
        "--quiet",
        "--leak-check=no",
        "--num-callers=40",
        "--error-limit=no",
        "--xml=yes",
        f"--xml-file={report}",
        str(program),
        case,
    ]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return [
        (error.findtext("kind", ""), [to_frame(frame) for frame in error.findall("./stack/frame")])
        for error in ET.parse(report).iter("error")
    ]


def to_frame(element: ET.Element) -> Frame:
    """Read a frame."""
    path = Path(element.findtext("dir", ""), element.findtext("file", ""))
    return Frame(
        element.findtext("fn", "?"),
        Path(element.findtext("obj", "?")).name,
        str(path) if element.findtext("file") else "",
        int(element.findtext("line", "0")),
    )


def explain(case: str, stack: list[Frame]) -> Branch | Call | None:
    """Return the entry of the tables that explains a report; None if there is none."""
    frames = [frame for frame in stack if not frame.module.startswith(BENEATH_ALL)]
    ours = next((frame for frame in frames if frame.module == "program"), None)
    if ours is None:
        nameless = NAMELESS.get(case)
        is_theirs = nameless and frames and frames[0].module.startswith(nameless.library)
        return nameless if is_theirs else None
    if frames[0] is not ours:
        call = Call(ours.function, frames[0].module.partition(".")[0])
        return call if call in THEIRS else None
    line = Path(ours.file).read_text(encoding="utf-8").splitlines()[ours.line - 1]
    return next(
        (place for place in OURS if place.function == ours.function and place.line in line), None
    )


if __name__ == "__main__":
    main()
