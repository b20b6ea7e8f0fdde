# SPDX-License-Identifier: Apache-2.0
"""The tutorial for Django does what it shows."""

import importlib
import re

from pythemis._cli.main import main
from support.documents import sections
from support.project import ROOT

PAGE = ROOT / "docs" / "how-to" / "django.md"


def test_the_tutorial(tmp_path, monkeypatch, capsys):
    """The files of the page make an application; its other examples print what they say."""
    page = PAGE.read_text("utf-8")
    blocks = [example.code for part in sections(page) for example in part.examples]
    files = {block.splitlines()[0][2:]: block for block in blocks if block.startswith("# shop/")}
    assert files.keys() == {"shop/keys.py", "shop/models.py"}
    (tmp_path / "shop").mkdir()
    for name, text in {"shop/__init__.py": "", **files}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    commands = re.findall(r"^\$ pythemis (key.*)$", page, re.MULTILINE)
    assert [main(command.split()) for command in commands] == [0, 0, 0]
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=["pythemis.fields.django", "shop"],
        SEALED_FIELDS_CIPHER="shop.keys.cipher",
    )
    django.setup()
    call_command("check", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    capsys.readouterr()
    names = {"Customer": importlib.import_module("shop.models").Customer, "connection": connection}
    for block in blocks:
        if block not in files.values():
            exec(block, names)
    promised = [
        line.split("  # ")[1] for block in blocks for line in block.splitlines() if "print(" in line
    ]
    printed = capsys.readouterr().out.splitlines()
    assert len(promised) == len(printed) == 5
    for line, promise in zip(printed, promised, strict=True):
        assert line.startswith(promise.removesuffix(", ..."))
