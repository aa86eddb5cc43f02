"""State folders, sockets and project folders that are not as they should be."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.notebook import Place
from chaos.system import SHOP, STOCK, System, running
from ftl_nb.binding.source import Cell
from ftl_nb.cluster.project import FORMAT, Project
from ftl_nb.databases.duckdb.database import DuckDBDatabase
from ftl_nb.errors import FtlError

pytestmark = pytest.mark.chaos


@pytest.fixture
def system(place: Place) -> Iterator[System]:
    with running(place) as system:
        yield system


def test_a_folder_of_another_format_is_left_as_it_is(system: System) -> None:
    system.place.state.mkdir()
    (system.place.state / "format").write_text("0\n")
    (system.place.state / "kept").write_text("as it was")
    with pytest.raises(FtlError, match=f"version 0 of its format, this one reads {FORMAT}") as caught:
        system.call("shop.double", 1)
    assert caught.value.code == "FTL-R603"
    assert caught.value.hint
    assert sorted(p.name for p in system.place.state.iterdir()) == ["format", "kept"]
    assert (system.place.state / "format").read_text() == "0\n"
    assert not system.processes


def test_a_stale_socket_is_replaced(system: System) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(system.place.socket))
    system.deploy()
    assert system.call("shop.double", 21) == 42
    assert stat.S_IMODE(system.place.socket.stat().st_mode) == 0o600


def test_a_project_may_be_deep(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a_folder_with_a_long_name"] * 8)
    deep.mkdir(parents=True)
    with running(Place.under(deep)) as system:
        system.deploy()
        assert system.call("shop.double", 21) == 42


def test_files_of_the_project_cannot_break_the_cluster(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json", "grpc", "typing", "msgspec", "random", "logging"):
        (system.place.folder / f"{name}.py").write_text("raise SystemExit('the wrong file')\n")
    (system.place.folder / "prices.py").write_text("RATE = 21\n")
    # As in a kernel, but last: this process needs the real ones.
    monkeypatch.setattr(sys, "path", [*sys.path, str(system.place.folder)])
    system.deploy("desk", VAT)
    assert system.call("desk.vat") == 42


VAT = """\
import prices
import ftl_nb as ftl

ftl.module("desk")


@ftl.verb(export=True)
def vat() -> int:
    return prices.RATE * 2
"""


@pytest.mark.parametrize("what", ["mode", "owner", "file", "link"])
def test_a_runtime_folder_that_is_not_ours_is_not_used(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    folder = tmp_path / f"ftl-{os.getuid()}"
    spoil(folder, what)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(FtlError, match="private to this user") as caught:
        system.call("shop.double", 1)
    assert caught.value.code == "FTL-R608"
    assert str(folder) in caught.value.message


def spoil(folder: Path, what: str) -> None:
    if what == "file":
        folder.write_text("")
        folder.chmod(0o600)
    elif what == "link":
        other = folder.with_name("other")
        other.mkdir(mode=0o700)
        folder.symlink_to(other)
    else:
        folder.mkdir(mode=0o755 if what == "mode" else 0o700)
        if what == "owner":
            assert os.getuid() == 0, "this test gives a folder away, which needs root"
            os.chown(folder, 65534, 65534)


def test_a_runtime_folder_that_does_not_exist_is_done_without(
    tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "nowhere"))
    assert Project(place.folder, place.state, "play").socket.parent == Path(f"/tmp/ftl-{os.getuid()}")


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A state folder on a file system of 8 MB; `fill` leaves no byte on it."""
    assert os.getuid() == 0, "this test mounts a tmpfs, which needs root"
    state = tmp_path / "small"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(state)], check=True)
    yield state
    subprocess.run(["umount", "-l", str(state)], check=True)


def fill(state: Path) -> None:
    with open(state / "filler", "wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


def test_a_full_disk_is_one_clear_error_and_what_was_there_answers(full: Path, place: Place) -> None:
    with running(Place(place.folder, full)) as system:
        system.deploy()
        fill(full)
        for text in (SHOP.replace("n * 2", "n * 3"), SHOP + "\n# longer\n" * 1000):
            with pytest.raises(FtlError) as caught:
                system.deploy("shop", text)
            assert caught.value.code == "FTL-R604", caught.value
            assert caught.value.hint
        with pytest.raises(FtlError) as caught:
            system.cluster.define("shop", Cell("stock", "sql", "sql", STOCK, {}, "stock"))
        assert caught.value.code == "FTL-R604", caught.value
        assert system.call("shop.double", 21) == 42
        (full / "filler").unlink()
        system.deploy("shop", SHOP.replace("n * 2", "n * 3"))
        assert system.call("shop.double", 21) == 63


def test_a_cluster_does_not_start_on_a_full_disk(full: Path, place: Place) -> None:
    fill(full)
    with running(Place(place.folder, full)) as system:
        with pytest.raises(FtlError) as caught:
            system.deploy()
        assert caught.value.code == "FTL-R604"
        (full / "filler").unlink()
        system.deploy()
        assert system.call("shop.double", 21) == 42


def test_a_database_that_cannot_be_made_on_a_full_disk_says_so(full: Path) -> None:
    fill(full)
    with pytest.raises(FtlError, match="No space left on device") as caught:
        DuckDBDatabase(full / "database", "shop.stock")
    assert caught.value.code == "FTL-R604"
