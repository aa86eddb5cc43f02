"""The stubs that editors read."""

from pathlib import Path

from ftl_nb.services.typecheck import Stubs


def files(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_stubs_are_those_of_the_modules_that_there_are(tmp_path: Path) -> None:
    stubs = Stubs(tmp_path / "stubs")
    stubs.write({"shop": "a: int\n", "users": "b: int\n"})
    package = {"py.typed": "partial\n", "modules/__init__.pyi": ""}
    assert files(tmp_path / "stubs") == package | {"modules/shop.pyi": "a: int\n", "modules/users.pyi": "b: int\n"}
    stubs.write({"shop": "c: int\n"})
    assert files(tmp_path / "stubs") == package | {"modules/shop.pyi": "c: int\n"}


def test_those_of_an_earlier_run_go_too(tmp_path: Path) -> None:
    Stubs(tmp_path / "stubs").write({"old": ""})
    Stubs(tmp_path / "stubs").write({})
    assert "modules/old.pyi" not in files(tmp_path / "stubs")


def test_a_folder_that_cannot_be_written_to_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "stubs").write_text("a file")
    Stubs(tmp_path / "stubs").write({"shop": ""})
    assert (tmp_path / "stubs").read_text() == "a file"
