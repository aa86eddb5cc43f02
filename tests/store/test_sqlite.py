"""What the embedded engine has beside the contract: its folder, its file, a full disk, a killed process."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ftl_nb.errors import FtlError
from ftl_nb.store import Change, Condition, Item, LeaseGoneError, Put, SqliteStore, sqlite


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "deep" / "state") as store:
        store.commit([], [Put("a", b"1")])
        assert mode(tmp_path / "deep" / "state") == 0o700
        assert {mode(file) for file in (tmp_path / "deep" / "state").iterdir()} == {0o600}


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    with SqliteStore(tmp_path) as store:
        store.commit([], [Put("a", b"1")])
        store.commit([], [Put("a", b"2")])
        store.compact(1)
    with SqliteStore(tmp_path) as store:
        assert store.revision == 2
        assert store.get("a", 1) == Item("a", b"1", 1, 1)
        with store.watch("", 2) as watch:
            assert next(watch).revision == 2


KILLED = 8
WRITER = """
import sys
from pathlib import Path
from ftl_nb.store import Put, SqliteStore
store = SqliteStore(Path(sys.argv[1]))
lease = store.grant(3600).id
for n in range(100_000):
    print(store.commit([], [Put("n", b"%d" % n), Put(f"k/{store.revision}", b""), Put("held", b"", lease)]), flush=True)
"""


def write_until_killed(folder: Path, after: int) -> int:
    """The last revision that the writer was told."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WRITER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(after)]
        writer.send_signal(signal.SIGKILL)
        return [*told, *(int(line) for line in writer.stdout.read().split("\n")[:-1])][-1]


def test_nothing_is_lost_when_a_writer_is_killed_again_and_again(tmp_path: Path) -> None:
    for after in range(1, KILLED * 7, 7):
        told = write_until_killed(tmp_path, after)
        with SqliteStore(tmp_path) as store:
            assert store.revision - told in (0, 1)
            assert {item.created for item in store.range("k/")[0]} == set(range(1, store.revision + 1))
            item, held = store.get("n"), store.get("held")
            assert item is not None
            assert held is not None
            assert item.revision == held.revision == store.revision
    leases = store_leases(tmp_path)
    assert len(leases) == KILLED
    with SqliteStore(tmp_path) as store:
        before = store.revision
        for lease in leases:
            store.revoke(lease)
        assert store.get("held") is None
        assert store.revision == before + 1


def store_leases(folder: Path) -> list[int]:
    with closing(sqlite3.connect(folder / sqlite.FILE)) as file:
        return [lease for (lease,) in file.execute("SELECT id FROM leases")]


def test_an_opened_store_gives_each_lease_its_whole_time_again(tmp_path: Path) -> None:
    now = [0.0]
    with SqliteStore(tmp_path, lambda: now[0]) as store:
        lease = store.grant(1000).id
        store.commit([], [Put("a", b"", lease)])
    now[0] += 5000
    with SqliteStore(tmp_path, lambda: now[0]) as store:
        now[0] += 999
        assert store.keep_alive(lease) == 1000
        now[0] += 1000
        with pytest.raises(LeaseGoneError):
            store.keep_alive(lease)
        assert store.grant(1).id > lease
        with store.watch("", 2) as watch:
            assert next(watch).changes == (Change("a", None),)


def test_a_file_from_before_there_were_leases_is_read(tmp_path: Path) -> None:
    with SqliteStore(tmp_path) as store:
        store.commit([], [Put("a", b"1")])
    with closing(sqlite3.connect(tmp_path / sqlite.FILE)) as file:
        file.executescript("DROP TABLE leases; DROP TABLE attached;")
    with SqliteStore(tmp_path) as store:
        store.commit([Condition("a", 1)], [Put("a", b"2", store.grant(100).id)])
        assert store.get("a") == Item("a", b"2", 1, 2)


def test_two_cannot_have_it_open(tmp_path: Path) -> None:
    with SqliteStore(tmp_path), pytest.raises(FtlError, match="is open already"):
        SqliteStore(tmp_path)
    SqliteStore(tmp_path).close()


@pytest.mark.parametrize("found", [0, 99])
def test_a_file_of_another_format_is_refused_and_left_alone(tmp_path: Path, found: int) -> None:
    with closing(sqlite3.connect(tmp_path / sqlite.FILE)) as old:
        old.executescript(f"CREATE TABLE t (x); PRAGMA user_version = {found};")
    before = (tmp_path / sqlite.FILE).read_bytes()
    with pytest.raises(FtlError) as caught:
        SqliteStore(tmp_path)
    assert caught.value.slug == "cluster-folder"
    assert f"version {found}" in caught.value.message
    assert (tmp_path / sqlite.FILE).read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / sqlite.FILE).write_bytes(b"not a database, but long enough to be read as one" * 100)
    for _ in range(2):
        with pytest.raises(FtlError) as caught:
            SqliteStore(tmp_path)
        assert caught.value.slug == "cluster-folder"


BIG = os.urandom(300_000)


def fill(store: SqliteStore) -> FtlError:
    """The error of the first commit for which there is no space."""
    for n in range(1000):
        try:
            store.commit([], [Put(f"big/{n}", BIG), Put("last", b"%d" % n)])
        except FtlError as error:
            return error
    raise AssertionError("the disk was never full")


def check_full(store: SqliteStore) -> None:
    """The failing commit left nothing; what was there is there, in order."""
    assert fill(store).slug == "disk-full"
    revision = store.revision
    items, _ = store.range("big/")
    last = store.get("last")
    assert last is not None
    assert (len(items), int(last.value)) == (revision, revision - 1)
    assert fill(store).slug == "disk-full"
    assert store.revision == revision


def test_without_space_a_commit_fails_whole_and_the_store_goes_on(tmp_path: Path) -> None:
    with SqliteStore(tmp_path) as store:
        pages = store._writer.execute("PRAGMA max_page_count").fetchone()[0]
        store._writer.execute("PRAGMA max_page_count = 500")
        check_full(store)
        store._writer.execute(f"PRAGMA max_page_count = {pages}")
        revision = store.revision
        assert store.commit([], [Put("after", b"")]) == revision + 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 8 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root; the page limit above tests the same without")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(tmp_path)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"this machine does not let root mount: {mounted.stderr.decode().strip()}")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_on_a_full_disk_a_commit_fails_whole_and_goes_on_when_there_is_space(small_disk: Path) -> None:
    with SqliteStore(small_disk / "state") as store:
        (small_disk / "ballast").write_bytes(bytes(2_000_000))
        check_full(store)
        (small_disk / "ballast").unlink()
        revision = store.revision
        assert store.commit([], [Put("after", b"")]) == revision + 1
    with SqliteStore(small_disk / "state") as store:
        assert store.get("after") is not None


def test_no_store_is_begun_on_a_full_disk(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space"):
        ballast.write_bytes(bytes(9_000_000))
    with pytest.raises(FtlError) as caught:
        SqliteStore(small_disk / "state")
    assert caught.value.slug == "disk-full"
    ballast.unlink()
    SqliteStore(small_disk / "state").close()
