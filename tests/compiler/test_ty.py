import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ftl_nb.compiler.ty import Finding, Ty, ty_command
from ftl_nb.errors import FtlError

BAD = 'x: int = "é" + nosuch\n'
EXPECTED = [(0, 15, 0, 21, "unresolved-reference", "error")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "ty.toml").write_text("")
    path = tmp_path / "a.py"
    path.write_text(BAD)
    return path


@pytest.fixture
def ty(file: Path) -> Iterator[Ty]:
    ty = Ty(file.parent)
    yield ty
    ty.stop()


def short(findings: list[Finding]) -> list[tuple[int, int, int, int, str, str]]:
    return [tuple(finding)[1:7] for finding in findings]  # type: ignore[misc]


def instead_of_server(folder: Path, shell: str) -> Callable[[], str]:
    """A program that does `shell` when it is asked to serve, and else is ty."""
    script = folder / "ty.sh"
    script.write_text(f'#!/bin/sh\n[ "$1" = server ] && {{ {shell}; exit 1; }}\nexec "{ty_command()}" "$@"\n')
    script.chmod(0o755)
    return lambda: str(script)


def test_findings_have_character_columns_and_severities(ty: Ty, file: Path) -> None:
    findings = ty.check([file], {file: BAD})
    assert short(findings) == EXPECTED
    assert findings[0].path == file
    assert findings[0].message == "Name `nosuch` used when not defined"


def test_an_edit_is_seen(ty: Ty, file: Path) -> None:
    assert ty.check([file], {file: BAD})
    assert ty.check([file], {file: "x = 1\n"}) == []
    assert short(ty.check([file], {file: BAD})) == EXPECTED


def test_files_that_come_change_and_go_are_seen(ty: Ty, file: Path) -> None:
    text, other = "import b\nx: int = b.y\n", file.parent / "b.py"
    file.write_text(text)
    assert [f.rule for f in ty.check([file], {file: text})] == ["import-not-found"]
    for content, expected in (("y = 1\n", []), ("y = 'a'\n", ["invalid-assignment"])):
        other.write_text(content)
        assert [f.rule for f in ty.check([file], {file: text, other: content})] == expected
    other.unlink()
    assert [f.rule for f in ty.check([file], {file: text})] == ["import-not-found"]


def test_one_server_serves_many_checks(ty: Ty, file: Path) -> None:
    ty.start()
    first = ty.pid
    ty.check([file], {file: BAD})
    assert first is not None
    assert ty.pid == first


def test_a_server_that_died_is_started_again(ty: Ty, file: Path) -> None:
    ty.check([file], {file: BAD})
    first = ty.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert short(ty.check([file], {file: BAD})) == EXPECTED
    assert ty.pid not in (None, first)


def test_stop_ends_the_server_and_the_next_check_starts_one(ty: Ty, file: Path) -> None:
    ty.check([file], {file: BAD})
    pid = ty.pid
    assert pid is not None
    ty.stop()
    assert ty.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert short(ty.check([file], {file: BAD})) == EXPECTED


@pytest.mark.parametrize(
    "shell",
    [
        "exit 0",
        "cat > /dev/null",
        "printf 'Content-Length: 3\\r\\n\\r\\nabc'; cat > /dev/null",
        "printf 'Content-Length: x\\r\\n\\r\\n'; cat > /dev/null",
        """printf 'Content-Length: 36\\r\\n\\r\\n{"id":1,"error":{"message":"not now"}}'; cat > /dev/null""",
        """printf 'Content-Length: 36\\r\\n\\r\\n{"id":1,"result":{"capabilities":{}}}'; cat > /dev/null""",
    ],
)
def test_a_server_that_misbehaves_is_replaced_by_the_command(file: Path, shell: str) -> None:
    ty = Ty(file.parent, timeout=1.0, command=instead_of_server(file.parent, shell))
    assert short(ty.check([file], {file: BAD})) == EXPECTED
    assert ty.pid is None


def test_a_checker_that_is_not_there_is_one_error(file: Path) -> None:
    ty = Ty(file.parent, command=lambda: str(file.parent / "nosuch"))
    with pytest.raises(FtlError) as caught:
        ty.check([file], {file: BAD})
    assert caught.value.slug == "internal"


def test_threads_share_one_server(ty: Ty, file: Path) -> None:
    found: list[list[tuple[int, int, int, int, str, str]]] = []
    threads = [threading.Thread(target=lambda: found.append(short(ty.check([file], {file: BAD})))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [EXPECTED] * 8
