# SPDX-License-Identifier: Apache-2.0
"""The arguments of every command. Help, completions and the manual page are built from it."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

DESCRIPTION = "Encrypt, sign and inspect data, in the formats of Themis."
EPILOG = """\
Secrets are never arguments, which other users can see. Where a KEY, or the SOURCE of a passphrase,
is named, give PATH, file:PATH, fd:NUMBER, env:NAME or credential:NAME (of systemd). A key file
holds one line of base64; other users must have no access to that of a secret key.

"-" is the standard input or output. An output file appears whole or not at all, with mode 0600,
and replaces another one only with -f.

exit status:
  0  done
  1  refused: a wrong key, corrupted data, or something that could not be written
  2  wrong arguments, or a file that cannot be read
  3  of several things, some were done
"""
_CURVES = {"P-256": 256, "P-384": 384, "P-521": 521}


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence, and repeats no argument."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        options["allow_abbrev"] = False
        super().__init__(*arguments, **options)

    def error(self, message: str) -> NoReturn:
        """End with the sentence and the exit status 2."""
        self._end(message, self.prog)

    def _end(self, message: str, prog: str) -> NoReturn:
        self.exit(2, f"pythemis: {message}; see {prog} --help\n")

    def parsed(self, arguments: list[str]) -> argparse.Namespace:
        """Parse; what is left over may be a secret, so only names of options are repeated."""
        parsed, left = self.parse_known_args(arguments)
        names = [each.partition("=")[0] for each in left if each.startswith("--")]
        if names:
            self._end(f"unknown option {names[0]}", parsed.prog)
        if left:
            self._end("there are more arguments than this command takes", parsed.prog)
        return parsed


def build(prog: str = "pythemis", command: str | None = None) -> Parser:
    """Build the parser; if a command is named, without the other ones, which takes less time."""
    parser = Parser(prog=prog, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version, and end")
    parser.set_defaults(run="main:no_command", prog=parser.prog)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog=prog)
    for add in [_COMMANDS[command]] if command in _COMMANDS else _COMMANDS.values():
        add(commands)
    return parser


class _Version(argparse.Action):
    """Print the version, which takes a while to look up."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        from .selftest import version

        print(f"pythemis {version()}")
        parser.exit()


def _command(commands: Any, name: str, run: str, text: str, more: str = "") -> Parser:
    parser: Parser = commands.add_parser(
        name, help=text, description=f"{text[:1].upper()}{text[1:]}. {more}".rstrip()
    )
    parser.set_defaults(run=run, prog=parser.prog)
    return parser


def _input(parser: Parser, text: str = "what to read; - is the standard input") -> None:
    parser.add_argument("file", metavar="FILE", nargs="?", default="-", help=text)


def _output(parser: Parser) -> None:
    parser.add_argument("-o", "--output", metavar="OUT", help="where to write; stdout if absent")
    parser.add_argument("-f", "--force", action="store_true", help="replace an existing file")


def _base64(parser: Parser, text: str) -> None:
    parser.add_argument("--base64", action="store_true", help=text)


def _passphrase(parser: Parser, text: str) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-p", "--passphrase", action="store_true", help=f"ask for {text}")
    group.add_argument("--passphrase-from", metavar="SOURCE", help=f"read {text} from there")


# ---- Files ----


def _keys_of_a_ring(parser: Parser) -> None:
    parser.add_argument("--keyring", metavar="RING", help="a keyring file, for the keys in it")
    parser.add_argument("--keyring-key", metavar="KEY", help="the key that opens the keyring file")
    parser.add_argument(
        "--keyring-passphrase-from", metavar="SOURCE", help="read its passphrase from there"
    )
    parser.add_argument(
        "--keyring-name", metavar="NAME", help="its name; RING's name up to a dot if absent"
    )


def _opening(parser: Parser) -> None:
    """Add what opens a file."""
    parser.add_argument(
        *("-k", "--key"), metavar="KEY", action="append", default=[], help="a key that opens it"
    )
    _passphrase(parser, "the passphrase")
    _keys_of_a_ring(parser)
    parser.add_argument("--private", metavar="KEY", help="your private key, on P-256")
    parser.add_argument(
        "--sender", metavar="KEY", help="the public key of the only sender that is accepted"
    )
    _context(parser)
    parser.add_argument("--base64", dest="decode", action="store_true", help="read base64")
    parser.set_defaults(base64=False)


def _encrypt(commands: Any) -> None:
    more = (
        "Give one or more of -k, -p, --keyring and -r: each of them opens the file. What is "
        "written can be read with pythemis.files, and an ordinary cell with every Themis."
    )
    parser = _command(commands, "encrypt", "sealing:encrypt", "encrypt a file or a stream", more)
    _input(parser)
    _output(parser)
    parser.add_argument(
        *("-k", "--key"), metavar="KEY", action="append", default=[],
        help="a key of 16 bytes or more; may be repeated",
    )  # fmt: skip
    _passphrase(parser, "a passphrase")
    _keys_of_a_ring(parser)
    parser.add_argument(
        *("-r", "--recipient"), metavar="KEY", action="append", default=[],
        help="the public key of a recipient, on P-256; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--hidden", action="store_true", help="do not name the recipients in the file"
    )
    parser.add_argument(
        "--private", metavar="KEY", help="your private key: the one recipient sees who wrote it"
    )
    _context(parser, "OUT")
    parser.add_argument(
        "--cell", action="store_true", help="write an ordinary Seal cell, of at most 4 GiB"
    )
    parser.add_argument(
        "--pad", metavar="SIZE", help="hide the length: padme, or a number of bytes to fill up to"
    )
    _base64(parser, "write base64")
    parser.set_defaults(decode=False)


def _decrypt(commands: Any) -> None:
    more = (
        "Sealed files and ordinary cells are read. Into a pipe authentic parts leave as they come; "
        "wait for the exit status, which is 1 if the file proves to be truncated or corrupted."
    )
    parser = _command(commands, "decrypt", "sealing:decrypt", "decrypt a file or a stream", more)
    _input(parser)
    _output(parser)
    _opening(parser)


def _cat(commands: Any) -> None:
    parser = _command(commands, "cat", "sealing:cat", "decrypt files, and print them")
    parser.add_argument("files", metavar="FILE", nargs="+", help="what to decrypt")
    _opening(parser)
    parser.set_defaults(force=False)


def _verify_file(commands: Any) -> None:
    more = "Every byte of a file is verified, and nothing of its content is shown."
    parser = _command(
        commands,
        "verify-file",
        "sealing:verify_file",
        "check that encrypted files are intact",
        more,
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="what to check")
    _opening(parser)


def _rewrap(commands: Any) -> None:
    more = (
        "The data is not encrypted again: anyone who could open the file, and kept it or its key, "
        "still reads it. What opens the file limits what you can add."
    )
    parser = _command(
        commands, "rewrap", "rewrapping:rewrap", "change what opens a sealed file", more
    )
    parser.add_argument("file", metavar="FILE", help="the sealed file, which is replaced")
    _opening(parser)
    parser.add_argument(
        *("-r", "--recipient"), metavar="KEY", action="append", default=[],
        help="the public key of a recipient; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--hidden", action="store_true", help="do not name the recipients in the file"
    )
    parser.add_argument("--new-key", metavar="KEY", help="a key that opens it from now on")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--new-passphrase", action="store_true", help="ask for a new passphrase")
    group.add_argument(
        "--new-passphrase-from", metavar="SOURCE", help="read a new passphrase from there"
    )
    parser.add_argument("--keep", action="store_true", help="keep what opens it already, as well")
    parser.add_argument("--new-context", metavar="TEXT", help="bind it to another context")
    parser.add_argument(
        "--holders-only", action="store_true",
        help="for --new-context: promise that nothing else could ever open the file",
    )  # fmt: skip


# ---- Keys ----


def _keygen(commands: Any) -> None:
    more = "A pair goes to two files: the private key to OUT, the public one to OUT.pub."
    parser = _command(commands, "keygen", "keys:keygen", "generate a key or a pair", more)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        *("--ec",), nargs="?", const="P-256", choices=_CURVES, metavar="CURVE",
        help="a pair of EC keys, on P-256 unless you name P-384 or P-521",
    )  # fmt: skip
    kind.add_argument(
        *("--rsa",), nargs="?", const=2048, type=int, choices=(2048, 4096, 8192), metavar="BITS",
        help="a pair of RSA keys, of 2048 bits unless you name 4096 or 8192",
    )  # fmt: skip
    _output(parser)


def _key(commands: Any) -> None:
    parser = _command(commands, "key", "main:no_command", "show and convert keys")
    kinds = parser.add_subparsers(title="commands", metavar="COMMAND", prog=parser.prog)
    key = "a key file; - is the standard input"

    show = _command(kinds, "show", "keys:show", "show the kind and the name of keys")
    show.add_argument("files", metavar="FILE", nargs="+", help=key)
    show.add_argument("--json", action="store_true", help="one line of JSON for each")

    public = _command(kinds, "public", "keys:public", "write the public key of a private one")
    _input(public, key)
    _output(public)

    to_pem = _command(kinds, "to-pem", "keys:to_pem", "write a key as PEM")
    _input(to_pem, key)
    _output(to_pem)
    _passphrase(to_pem, "a passphrase that encrypts a private key")

    from_pem = _command(
        *(kinds, "from-pem", "keys:from_pem", "read a key of other software"),
        "PEM, DER, JWK and OpenSSH's form are read.",
    )
    _input(from_pem, "the other key; - is the standard input")
    _output(from_pem)
    _passphrase(from_pem, "the passphrase of an encrypted key")

    to_jwk = _command(kinds, "to-jwk", "keys:to_jwk", "write a key as a JSON Web Key")
    _input(to_jwk, key)
    _output(to_jwk)


# ---- Keyrings ----


def _ring(commands: Any, name: str, text: str, more: str = "") -> Parser:
    parser = _command(commands, name, f"keyrings:{name}", text, more)
    parser.add_argument("ring", metavar="RING", help="the file of the keyring")
    parser.add_argument("-k", "--key", metavar="KEY", help="the key that opens the keyring")
    _passphrase(parser, "the passphrase that opens the keyring")
    parser.add_argument(
        "--name", metavar="NAME", help="the name of the ring; RING's name up to a dot if absent"
    )
    parser.add_argument("--json", action="store_true", help="write JSON")
    return parser


def _keyring(commands: Any) -> None:
    more = (
        "To change keys: add one, load the ring into every program, promote it, rotate the old "
        "values, retire the old key, and remove it later."
    )
    parser = _command(commands, "keyring", "main:no_command", "make and change keyrings", more)
    kinds = parser.add_subparsers(title="commands", metavar="COMMAND", prog=parser.prog)
    _ring(kinds, "new", "make a keyring with one key")
    _ring(kinds, "status", "show the keys of a ring, and their pins")
    add = _ring(kinds, "add", "add a key, which only decrypts until it is promoted")
    add.add_argument(
        "--legacy",
        metavar="KEY",
        help="add this key instead, which decrypts cells that are older than the ring",
    )
    promote = _ring(kinds, "promote", "encrypt new values under a key")
    promote.add_argument("id", metavar="ID", nargs="?", help="which key; the newest if absent")
    retire = _ring(kinds, "retire", "let a key decrypt only, for good")
    retire.add_argument("id", metavar="ID", help="which key")
    remove = _ring(kinds, "remove", "remove a retired key: its values become unreadable")
    remove.add_argument("id", metavar="ID", nargs="?", help="which key")
    remove.add_argument("--legacy", action="store_true", help="remove all legacy keys instead")
    more = "Each file holds one value, and is replaced as a whole."
    rotate = _ring(kinds, "rotate", "encrypt stored values anew, under the primary key", more)
    rotate.add_argument("files", metavar="FILE", nargs="+", help="files with one value each")
    _context(rotate)


# ---- Columns ----


def _columns(commands: Any) -> None:
    more = (
        "Files of Parquet, which pyarrow reads, and of CSV in UTF-8. Values become cells that "
        "pythemis.columns, pythemis.fields and a keyring read; in CSV cells are base64."
    )
    text = "seal columns of tables"
    parser = _command(commands, "columns", "main:no_command", text, more)
    kinds = parser.add_subparsers(title="commands", metavar="COMMAND", prog=parser.prog)
    _column(kinds, "seal", "encrypt columns", "Other columns stay as they are.")
    _column(kinds, "unseal", "decrypt columns", "Other columns stay as they are.")
    more = "A file is replaced as a whole, or left alone if no cell needs it."
    _column(kinds, "rotate", "encrypt cells anew that are not under the primary key", more)


def _column(kinds: Any, name: str, text: str, more: str) -> None:
    parser = _command(kinds, name, f"columns:{name}", text, more)
    if name == "rotate":
        parser.add_argument("files", metavar="FILE", nargs="+", help="files of tables")
    else:
        _input(parser, "the table; - is the standard input")
        _output(parser)
    parser.add_argument(
        "--table", metavar="NAME", required=True, help="the table's name, a part of every cell"
    )
    parser.add_argument(
        *("--column",), metavar="NAME", required=True, action="append",
        help="a column, whose name is a part of its cells; may be repeated",
    )  # fmt: skip
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument(
        *("--rows",), metavar="NAME", action="append",
        help="the column with the row ids; repeated, all of a primary key, in its order",
    )  # fmt: skip
    group.add_argument(
        *("--no-rows",), dest="rows", action="store_const", const=None,
        help="cells are bound to their column alone: anyone who can write can exchange them",
    )  # fmt: skip
    _keys_of_a_ring(parser)
    _values_of_columns(parser, name)
    parser.add_argument(
        "--threads", metavar="COUNT", default="1", help="the most threads that share the work"
    )
    parser.add_argument("--json", action="store_true", help="report what was done as JSON")
    parser.set_defaults(key=[], base64=False, decode=False)


def _values_of_columns(parser: Parser, name: str) -> None:
    if name == "rotate":
        parser.set_defaults(type=[])
    else:
        what = "what cells of CSV hold: text, or bytes (base64)"
        parser.add_argument(
            *("--type",), metavar="[COLUMN=]TYPE", action="append", default=[],
            help=what if name == "seal" else "text, which is the default, bytes or int",
        )  # fmt: skip
    if name == "seal":
        text = "hide lengths: fill values up to a multiple of so many bytes"
        parser.add_argument("--pad", metavar="SIZE", default="0", help=text)
    else:
        parser.set_defaults(pad="0")
    parser.add_argument(
        *("--bare",), action="store_true",
        help="values have no frame: columns of other Themis programs",
    )  # fmt: skip
    parser.add_argument(
        *("--delimiter",), metavar="CHAR", default=",", help="what separates cells of CSV, or tab"
    )
    parser.add_argument(
        *("--null",), metavar="TEXT", default="",
        help="what is NULL in CSV, without quotes; nothing if absent",
    )  # fmt: skip


# ---- Database fields ----


def _fields(commands: Any) -> None:
    more = (
        "A MODEL is MODULE:CLASS, MODULE:CLASS.ATTRIBUTE, or MODULE:BASE for all classes of a "
        "base. The module is imported, in the current folder first; its cipher has the keys."
    )
    text = "rotate sealed columns of SQLAlchemy"
    parser = _command(commands, "fields", "main:no_command", text, more)
    kinds = parser.add_subparsers(title="commands", metavar="COMMAND", prog=parser.prog)
    status = _command(kinds, "status", "fields:status", "count values by their keys", more)
    status.add_argument("models", metavar="MODEL", nargs="+", help="the classes, or attributes")
    _database(status)
    beside = "Other programs may write meanwhile. If it is interrupted, start it again."
    rotate = _command(
        kinds, "rotate", "fields:rotate", "write values under the primary key", f"{more} {beside}"
    )
    rotate.add_argument("models", metavar="MODEL", nargs="+", help="the classes, or attributes")
    rotate.add_argument(
        "--reindex", action="store_true", help="make all blind indexes anew, for a new index key"
    )
    _rewriting(rotate)
    migrate = _command(
        kinds, "migrate", "fields:migrate", "seal what another column has", f"{more} {beside}"
    )
    migrate.add_argument("model", metavar="MODEL", help="the attribute: MODULE:CLASS.ATTRIBUTE")
    migrate.add_argument(
        *("--from",), dest="source", metavar="COLUMN", required=True,
        help="the column that has the values, which becomes NULL row by row",
    )  # fmt: skip
    migrate.add_argument(
        *("--reader",), metavar="MODULE:FUNCTION",
        help="what makes a value of what the column has, and of the primary key; plain if absent",
    )  # fmt: skip
    _rewriting(migrate)


def _database(parser: Parser) -> None:
    parser.add_argument(
        *("--database",), metavar="SOURCE", default="env:DATABASE_URL",
        help="where SQLAlchemy's URL of the database is, env:DATABASE_URL if absent; or the URL "
        "itself, if it has no password",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="write JSON")


def _rewriting(parser: Parser) -> None:
    _database(parser)
    parser.add_argument("--batch", metavar="ROWS", default="500", help="rows of a transaction: 500")
    parser.add_argument("--rate", metavar="ROWS", help="the most rows of a second")
    parser.add_argument("--dry-run", action="store_true", help="open and count, and write nothing")


def _index_plan(commands: Any) -> None:
    more = "It needs neither a key nor a database."
    text = "show what a blind index costs and reveals"
    parser = _command(commands, "index-plan", "planning:plan", text, more)
    parser.add_argument("--rows", metavar="N", required=True, help="the rows of the table")
    parser.add_argument(
        "--distinct", metavar="M", required=True, help="the different values in the column"
    )
    parser.add_argument("--bits", metavar="B", help="one size, 8 to 256; all usual ones if absent")
    parser.add_argument("--json", action="store_true", help="write JSON")


# ---- Messages ----


def _sign(commands: Any) -> None:
    more = "The signed message contains the message, which anyone can read."
    parser = _command(commands, "sign", "messages:sign", "sign a message", more)
    _input(parser)
    parser.add_argument("-k", "--key", required=True, metavar="KEY", help="your private key")
    _output(parser)
    _base64(parser, "write base64")


def _verify(commands: Any) -> None:
    more = "The message is written only if the signature is right."
    parser = _command(commands, "verify", "messages:verify", "verify a signed message", more)
    _input(parser)
    parser.add_argument(
        *("--public",), required=True, metavar="KEY", help="the public key of the signer"
    )
    _output(parser)
    _base64(parser, "read base64")


# ---- What is it, does it work ----


def _inspect(commands: Any) -> None:
    more = "No key is needed. The exit status is 1 if nothing is recognised."
    parser = _command(commands, "inspect", "reports:inspect", "say what data is", more)
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="what to read; - is the standard input"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON for each")


def _context(parser: Parser, of: str = "FILE") -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--context", metavar="TEXT", help="the context, which is not secret")
    text = f"the context is the name of {of}, without its folder"
    group.add_argument(*("--context-name",), action="store_true", help=text)


def _doctor(commands: Any) -> None:
    more = (
        "It tries the known mistakes with your own keys: wrong encodings, newlines, exchanged "
        "arguments, what pythemis 0.15 and Themis 0.9.6 wrote. It prints no secret and no "
        "plaintext. The exit status is 0 if something opens the data."
    )
    text = "find out why data does not decrypt"
    parser = _command(commands, "doctor", "doctor:doctor", text, more)
    _input(parser, "the encrypted data; with --scan a folder")
    parser.add_argument("-k", "--key", metavar="KEY", help="the key, as your program has it")
    _passphrase(parser, "the passphrase")
    parser.add_argument("--private", metavar="KEY", help="your private key, for a message")
    parser.add_argument("--sender", metavar="KEY", help="the public key of the sender")
    parser.add_argument("--token", metavar="FILE", help="the token of a Token Protect cell")
    _context(parser)
    parser.add_argument(
        *("--scan",), action="store_const", dest="run", const="scan:scan",
        help="look at every file of a folder for what pythemis 0.15 wrote wrongly",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="write JSON")


def _selftest(commands: Any) -> None:
    more = (
        "Known answers, round trips, and that what is corrupted is refused. The exit status is 0 "
        "if all of it is right, otherwise 1."
    )
    text = "print versions and try every cryptosystem"
    _command(commands, "selftest", "selftest:selftest", text, more)


def _completion(commands: Any) -> None:
    more = 'For bash: eval "$(pythemis completion bash)"'
    parser = _command(
        commands, "completion", "completion:completion", "write completions for a shell", more
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="which shell")


_COMMANDS = {
    "encrypt": _encrypt,
    "decrypt": _decrypt,
    "cat": _cat,
    "verify-file": _verify_file,
    "rewrap": _rewrap,
    "keyring": _keyring,
    "columns": _columns,
    "fields": _fields,
    "index-plan": _index_plan,
    "keygen": _keygen,
    "key": _key,
    "sign": _sign,
    "verify": _verify,
    "inspect": _inspect,
    "doctor": _doctor,
    "selftest": _selftest,
    "completion": _completion,
}
