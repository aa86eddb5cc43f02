"""The supervisor's socket under hostile use, and imports that harm the zygote, on a live cluster."""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from chaos.notebook import Place
from chaos.system import System, running
from chaos.tree import alive
from chaos.waiting import SOON, until, until_ended
from ftl_nb.cluster.wire import pack, receive

pytestmark = pytest.mark.chaos
HELLO = {"op": "hello", "kind": "test", "id": "x"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Its module imports a package, so that the zygote does too."""
    base = tmp_path_factory.mktemp("hostile")
    packages = base / "site-packages"
    packages.mkdir()
    for name, text in PACKAGES.items():
        (packages / f"{name}.py").write_text(text)
    with pytest.MonkeyPatch.context() as patch, running(Place.under(base)) as system:
        patch.setenv("PYTHONPATH", str(packages))
        patch.setenv("FTL_IMPORT_SECONDS", "3")
        patch.setattr(sys, "path", [*sys.path, str(packages)])
        system.deploy()
        yield system


#: Packages that do in the zygote what they do not in this process and in a runner.
ONLY_THERE = "import os, pathlib, threading\nif 'zygote' in pathlib.Path('/proc/self/comm').read_text():\n    "
PACKAGES = {
    "threaded": ONLY_THERE + "threading.Thread(target=threading.Event().wait, daemon=True).start()\nVALUE = 1\n",
    "crashing": ONLY_THERE + "os.kill(os.getpid(), 11)\nVALUE = 2\n",
    "hanging": ONLY_THERE + "threading.Event().wait()\nVALUE = 5\n",
    "leaving": ONLY_THERE + "raise SystemExit(3)\nVALUE = 3\n",
    "harmless": "VALUE = 4\n",
}
#: Those that no zygote keeps. One that only fails to import is met again by the runner.
HARMFUL = ("threaded", "crashing", "hanging")


@pytest.fixture
def stranger(system: System) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as made:
        made.settimeout(SOON)
        made.connect(str(system.place.socket))
        yield made


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack("!I", 0xFFFFFFFF),
        struct.pack("!I", 2) + b"\xc1\xc1",
        pack({"op": "no such thing"}),
        pack({"no": "op"}),
        pack({"op": 7}),
        pack({"op": "hello"}),
        pack({"op": "hello", "kind": "a/b", "id": ".."}),
        pack({"op": "hello", "kind": 1, "id": None}),
        pack({"op": "control", "token": "guessed", "port": 1}),
        pack({"op": "fork", "id": 1, "spec": {}, "name": "x"}),
        pack(HELLO) + pack({"op": "fork", "id": 1, "spec": {}, "name": "x"}),
        pack(HELLO) + pack({"op": "leaf", "id": 1, "identity": "spiffe://play/service/control"}),
        pack(HELLO) + pack(HELLO),
    ],
)
def test_nonsense_is_cut_off_and_changes_nothing(system: System, stranger: socket.socket, raw: bytes) -> None:
    before = {p.pid for p in system.processes}
    stranger.sendall(raw)
    welcomed = receive(stranger) if raw.startswith(pack(HELLO)) else None
    assert welcomed is None or welcomed["op"] == "welcome"
    assert stranger.recv(1) == b""
    assert system.call("shop.double", 21) == 42
    assert {p.pid for p in system.processes} == before


def test_a_client_that_asks_and_does_not_read_freezes_nobody(system: System, stranger: socket.socket) -> None:
    stranger.sendall(pack(HELLO))
    stranger.setblocking(False)
    asked = pack({"op": "renew"}) * 100
    with suppress(BlockingIOError):
        for _ in range(20):
            stranger.send(asked)
    runner = system.call("shop.process")
    os.kill(runner, signal.SIGKILL)
    until_ended([runner])
    assert system.call_after_death("shop.double", 21) == 42


def test_half_a_message_is_waited_for_and_holds_nobody_up(system: System, stranger: socket.socket) -> None:
    whole = pack(HELLO)
    stranger.sendall(whole[:7])
    assert system.call("shop.double", 21) == 42
    stranger.sendall(whole[7:])
    answer = receive(stranger)
    assert answer is not None
    assert answer["op"] == "welcome"


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_package_is_imported_where_it_harms_nobody(system: System, package: str) -> None:
    text = f"import {package}\nimport ftl_nb as ftl\n\nftl.module('uses_{package}')\n\n\n"
    text += f"@ftl.verb(export=True)\ndef value() -> int:\n    return int({package}.VALUE)\n"
    zygote = system.process("zygote")
    system.deploy(f"uses_{package}", text)
    assert system.call(f"uses_{package}.value") == int(PACKAGES[package].split("VALUE = ")[1])
    if package in HARMFUL:
        until_ended([zygote], SOON)
    else:
        assert alive(zygote)
    log = (system.place.state / "logs" / "cluster.log").read_text()
    assert (f"the package {package} " in log) == (package in HARMFUL)


def test_forks_that_a_dying_zygote_was_asked_for_are_made(system: System) -> None:
    """It is stopped, asked, and killed: whoever asked gets a process of the next one."""
    zygote, runner = system.process("zygote"), system.call("shop.process")
    os.kill(zygote, signal.SIGSTOP)
    os.kill(runner, signal.SIGKILL)
    until(lambda: not alive(runner), what="the runner is dead")
    call = system.threads.submit(system.call_after_death, "shop.process")
    os.kill(zygote, signal.SIGKILL)
    assert call.result(timeout=SOON) != runner
