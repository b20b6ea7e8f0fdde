# SPDX-License-Identifier: Apache-2.0
"""The pictures of the documentation: well-formed, in their frames, spoken, and true."""

import io
import re
import xml.etree.ElementTree as ET

import pytest

from pictures import PICTURES
from pictures.drawing import WIDTH, Drawing
from pythemis import files
from pythemis.keyring import Keyring
from pythemis.scell import SCellSeal, SCellTokenProtect
from pythemis.scomparator import SComparator
from pythemis.skeygen import GenerateKeyPair
from pythemis.smessage import SMessage
from support.project import ROOT

# But for garbage of other tests, which is collected meanwhile.
pytestmark = pytest.mark.filterwarnings("error", "ignore::ResourceWarning")

DOCS = ROOT / "docs"
SVG = "{http://www.w3.org/2000/svg}"

BY_NAME = pytest.mark.parametrize("name", PICTURES)


def drawn(name):
    """Give a picture as a tree."""
    return ET.fromstring(PICTURES[name].svg(name))


@BY_NAME
def test_a_picture_speaks(name):
    """Its title and description are there, and the picture says that they are its name."""
    picture = drawn(name)
    names = [picture.find(f"{SVG}{part}").attrib["id"] for part in ("title", "desc")]
    assert picture.attrib["role"] == "img"
    assert picture.attrib["aria-labelledby"].split() == names
    assert len(picture.findtext(f"{SVG}desc")) > 40


@BY_NAME
def test_a_picture_stays_in_its_frame(name):
    """No box leaves the frame, and none covers another one."""
    picture = drawn(name)
    _, _, width, height = map(float, picture.attrib["viewBox"].split())
    boxes = [
        [float(box.attrib[side]) for side in ("x", "y", "width", "height")]
        for box in picture.iter(f"{SVG}rect")
    ]
    assert width == WIDTH
    for x, y, wide, high in boxes:
        assert x >= 0
        assert y >= 0
        assert x + wide <= width
        assert y + high <= height
    for at, (x, y, wide, high) in enumerate(boxes):
        for left, top, w, h in boxes[at + 1 :]:
            assert x + wide <= left or left + w <= x or y + high <= top or top + h <= y


@BY_NAME
def test_a_picture_has_no_colours_of_its_own(name):
    """Colours come from the style sheet, by classes that it has."""
    css = (DOCS / "_static" / "site.css").read_text("utf-8")
    text = PICTURES[name].svg(name)
    assert not re.search(r'(fill|stroke|style|font-family)="', text)
    used = set(re.findall(r'<rect class="(\w+)"', text))
    assert used <= set(re.findall(r"^\.picture \.(\w+) \{", css, re.MULTILINE))


def test_dark_pages_have_every_colour():
    """Each colour is given for light pages, for dark ones, and for those that follow the system."""
    css = (DOCS / "_static" / "site.css").read_text("utf-8")
    blocks = re.findall(r"\{((?:\s*--picture-\w+: #\w+;)+)\s*\}", css)
    light, dark, automatic = (dict(re.findall(r"(--[\w-]+): (#\w+)", block)) for block in blocks)
    assert dark == automatic
    assert light.keys() == dark.keys()
    for colours in (light, dark):
        grounds = {"plain", "hidden", "proof", "random", "open", "warn"}
        for ground in grounds:
            for text in ("text", "soft"):
                assert contrast(*(colours[f"--picture-{name}"] for name in (text, ground))) >= 4.5


def contrast(one, other):
    """Give the contrast of two colours as WCAG defines it."""

    def light(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_words_that_do_not_fit_are_refused():
    """A picture with words wider than their box cannot be drawn."""
    with pytest.raises(ValueError, match="needs"):
        Drawing("title", "description").box(0, 0, 40, 40, ["far too many words"])


@BY_NAME
def test_every_picture_is_on_a_page(name):
    """No picture is drawn for nobody."""
    pages = "".join(path.read_text("utf-8") for path in DOCS.glob("**/*.md"))
    assert re.search(rf"^```\{{picture\}} {name}$", pages, re.MULTILINE)


def added(name):
    """Add up the sizes in a picture that are numbers of bytes."""
    sizes = [text.text for text in drawn(name).iter(f"{SVG}text") if text.attrib["class"] == "size"]
    return sum(int(size.split()[0]) for size in sizes if size.split()[0].isdigit())


def test_the_sizes_of_the_formats_are_those_of_the_code():
    """What the parts of a picture add up to is what the code adds."""
    alice, bob = GenerateKeyPair("EC"), GenerateKeyPair("EC")
    message = SMessage(alice.export_private_key(), bob.export_public_key()).wrap(b"message")
    sealed = SCellSeal(key=b"key").encrypt(b"message")
    assert added("seal") == len(sealed) - 7
    assert added("seal-passphrase") == len(SCellSeal(passphrase="word").encrypt(b"message")) - 7
    assert added("token-protect") == len(SCellTokenProtect(b"key").encrypt(b"message")[1])
    assert added("ec-message") == len(message) - 7
    assert added("stored-value") == len(Keyring.new("shop").add().encrypt(b"message")) - 7


def test_the_sizes_of_a_keyring_file_are_those_of_the_code(tmp_path):
    """Its head, the slots of a key and of a passphrase, and its proof have the picture's sizes."""
    Keyring.new("shop").add().save(tmp_path / "shop.ring", key=bytes(32), passphrase="word")
    saved = (tmp_path / "shop.ring").read_bytes()
    assert added("keyring-file") == 14 + int.from_bytes(saved[10:14], "big") + 32


def test_the_sizes_of_a_sealed_file_are_those_of_the_code():
    """Its head, its slots, its proof and its chunks have the picture's sizes."""
    made, recipient = io.BytesIO(), GenerateKeyPair("EC").export_public_key()
    with files.open(made, "wb", key=bytes(32), passphrase="word", to=recipient) as file:
        file.write(bytes(2 << 16))
    sealed = made.getvalue()
    slots = int.from_bytes(sealed[10:14], "big")
    chunks = [len(sealed) - 14 - slots - 32 - 52, 52]
    assert chunks == [2 * ((64 << 10) + 44), 52]
    assert added("sealed-file") - 2 * 64 - 52 == 14 + slots - 3 * 4 - 8 + 32


def test_the_sizes_of_the_comparison_are_those_of_the_code():
    """The four messages of a comparison have the sizes of the picture."""
    one, other = SComparator(b"secret"), SComparator(b"secret")
    messages = [one.begin_compare()]
    while not one.is_compared():
        messages.append((other, one)[len(messages) % 2 == 0].proceed_compare(messages[-1]))
    sizes = [text.text for text in drawn("comparator").iter(f"{SVG}text") if "bytes" in text.text]
    assert [f"{len(message)} bytes" for message in messages if message] == sizes
