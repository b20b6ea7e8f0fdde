# SPDX-License-Identifier: Apache-2.0
"""``pythemis completion``: completions of bash, zsh and fish, built from the parser."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from .parser import build
from .streams import say


class Level(NamedTuple):
    """A command with what may follow its name."""

    path: tuple[str, ...]
    commands: dict[str, str]  # and what each does
    options: dict[str, str]
    values: tuple[str, ...]  # of a positional argument


def parsers() -> list[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """List the parser of each command under its path, the whole first."""
    return _below((), build())


def _below(
    path: tuple[str, ...], parser: argparse.ArgumentParser
) -> list[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    found = [(path, parser)]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, each in action.choices.items():
                found += _below((*path, name), each)
    return found


def levels() -> list[Level]:
    """List what may follow the name of each command."""
    return [_level(path, parser) for path, parser in parsers()]


def _level(path: tuple[str, ...], parser: argparse.ArgumentParser) -> Level:
    commands: dict[str, str] = {}
    options: dict[str, str] = {}
    values: tuple[str, ...] = ()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            texts = {each.dest: each.help or "" for each in action._choices_actions}
            commands = {name: texts.get(name, "") for name in action.choices}
        elif action.option_strings:
            options |= dict.fromkeys(action.option_strings, action.help or "")
        elif action.choices:
            values = tuple(map(str, action.choices))
    return Level(path, commands, options, values)


def completion(options: argparse.Namespace) -> int:
    """Print the completions of a shell."""
    say(_SHELLS[options.shell](levels()).removesuffix("\n"))
    return 0


def _walk(found: list[Level]) -> str:
    """Write the cases that follow the words of a command line down to its command."""
    lines = [
        f'            "{" ".join(("", *each.path))}") at="{" ".join(("", *each.path))}" ;;'
        for each in found
        if each.path
    ]
    return "\n".join(lines)


def _words(found: list[Level]) -> str:
    lines = [
        f'        "{"".join(f" {name}" for name in each.path)}") '
        f'words="{" ".join((*each.commands, *each.values, *each.options))}" ;;'
        for each in found
    ]
    return "\n".join(lines)


def _bash(found: list[Level]) -> str:
    return f"""\
_pythemis() {{
    local at="" words="" word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$at $word" in
{_walk(found)}
        esac
    done
    case "$at" in
{_words(found)}
    esac
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _pythemis pythemis
"""


def _zsh(found: list[Level]) -> str:
    return f"""\
#compdef pythemis
_pythemis() {{
    local at="" words_here="" word
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        case "$at $word" in
{_walk(found)}
        esac
    done
    case "$at" in
{_words(found).replace('words="', 'words_here="')}
    esac
    compadd -- ${{=words_here}}
    _files
}}
compdef _pythemis pythemis
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish(found: list[Level]) -> str:
    lines = []
    for each in found:
        seen = [f"__fish_seen_subcommand_from {name}" for name in each.path]
        unseen = f"not __fish_seen_subcommand_from {' '.join(each.commands)}"
        here = "; and ".join([*seen, unseen] if each.commands else seen)
        start = f"complete -c pythemis -n {_quoted(here)}"
        for name, text in each.commands.items():
            lines.append(f"{start} -f -a {name} -d {_quoted(text)}")
        lines += [f"{start} -f -a {value}" for value in each.values]
        for name, text in each.options.items():
            kind = f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
            lines.append(f"{start} {kind} -d {_quoted(text)}")
    return "\n".join(lines) + "\n"


_SHELLS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
