"""Who has no certificate of the cluster gets nothing from any of its ports, and there is no port but on loopback."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chaos.notebook import Place
from chaos.system import System, running
from ftl_nb.rpc import Authority, Identity
from ftl_nb.rpc.identity import Leaf

pytestmark = pytest.mark.chaos
#: As the kernel prints 127.0.0.1, and the same in a socket that could do IPv6.
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F"}
PLAIN = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(Place.under(tmp_path_factory.mktemp("doors"))) as system:
        system.deploy()
        system.deploy_stock()
        assert system.call("shop.double", 21) == 42
        yield system


def listening(pid: int) -> set[tuple[str, int]]:
    """Address (as the kernel prints it) and port of every TCP socket that a process listens at; none where it ended."""
    with suppress(FileNotFoundError):
        return _listening(pid)
    return set()


def _listening(pid: int) -> set[tuple[str, int]]:
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            inodes.add(os.readlink(fd).removeprefix("socket:[").removesuffix("]"))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, port = fields[1].split(":")
                found.add((address, int(port, 16)))
    return found


def ports(system: System) -> dict[str, int]:
    named = {name: listening(system.process(name)) for name in ("control", "runner", "database")}
    return {name: port for name, found in named.items() for _, port in found}


def test_every_port_is_on_loopback(system: System) -> None:
    addresses = {address for p in system.processes for address, _ in listening(p.pid)}
    assert addresses <= LOOPBACK
    assert set(ports(system)) == {"control", "runner", "database"}
    assert all(len(listening(system.process(name))) == 1 for name in ports(system))
    assert not [p for p in system.processes if p.name in ("ftl:supervisor", "ftl:zygote") and listening(p.pid)]


def answer(port: int, context: ssl.SSLContext | None) -> bytes:
    """What a port says to a stranger. TLS 1.3 refuses a client's certificate at its first read."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain, suppress(OSError):
        speaking = context.wrap_socket(plain, server_hostname="x") if context is not None else plain
        with speaking:
            speaking.sendall(PLAIN if context is None else b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
            return speaking.recv(1 << 12)
    return b""


def stranger(tmp_path: Path, leaf: Leaf | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if leaf is not None:
        file = tmp_path / "leaf.pem"
        file.write_bytes(leaf.certificate_pem + leaf.key_pem)
        context.load_cert_chain(file)
    return context


@pytest.mark.parametrize("who", ["plain", "no certificate", "another cluster"])
@pytest.mark.parametrize("name", ["control", "runner", "database"])
def test_a_stranger_gets_nothing(system: System, tmp_path: Path, name: str, who: str) -> None:
    realm = system.cluster.session.realm
    leaf = Authority(realm).issue(Identity.client("notebook", "a", realm)) if who == "another cluster" else None
    said = answer(ports(system)[name], None if who == "plain" else stranger(tmp_path, leaf))
    # To plain text gRPC says with a goodbye that it speaks HTTP/2, and no more.
    assert b"grpc-status" not in said
    assert said == b"" if who != "plain" else len(said) < 100
    assert system.call("shop.double", 21) == 42


def test_no_key_is_on_disk(system: System) -> None:
    files = [p for p in system.place.state.rglob("*") if p.is_file()]
    assert files
    assert not [p for p in files if b"PRIVATE KEY" in p.read_bytes()]
    assert system.place.state.stat().st_mode & 0o077 == 0


def test_children_hold_nothing_of_the_supervisors(system: System) -> None:
    """Neither the listener, nor the lock, nor the pipe's end that keeps them alive, nor a client's socket."""
    supervisor = system.cluster.session.supervisor
    own = {target for _, target, _ in held(supervisor)}
    lifelines = {target for _, target, mode in held(supervisor) if target.startswith("pipe:") and mode == os.O_WRONLY}
    lock = str(system.place.state / "lock")
    assert lock in own
    for process in system.processes:
        if process.pid == supervisor:
            continue
        there = held(process.pid)
        assert lock not in {target for _, target, _ in there}, process
        shared = {target for _, target, _ in there if target.startswith("socket:")} & own
        assert not shared, process
        assert not {target for _, target, mode in there if mode == os.O_WRONLY} & lifelines, process


def held(pid: int) -> list[tuple[int, str, int]]:
    """Every open file of a process: number, what it is, and whether for reading or writing."""
    found = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            flags = Path(f"/proc/{pid}/fdinfo/{fd.name}").read_text().split("flags:")[1].split()[0]
            found.append((int(fd.name), os.readlink(fd), int(flags, 8) & os.O_ACCMODE))
    return found
