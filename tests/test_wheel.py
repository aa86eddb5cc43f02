"""The built wheel works alone: an empty environment, the locked dependencies, no checkout in sight, the quickstart."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = "01-quickstart.ipynb"


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a program prints. Fails with its output where it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FTL_", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**kept, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from this checkout."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"ftl_nb"}
    assert "ftl_nb/py.typed" in names
    assert [name for name in names if "__pycache__" in name] == []


@pytest.mark.timeout(900)
def test_the_quickstart_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    for file in (
        ROOT / "notebooks" / NOTEBOOK,
        ROOT / "tools" / "show_notebook.py",
        ROOT / "requirements" / "run.lock",
    ):
        shutil.copy(file, away)
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile", "--no-deps")
    run(*pip, "--require-hashes", "--only-binary", ":all:", "-r", "run.lock", cwd=away)
    run(*pip, wheel, cwd=away)
    assert run(python, "-m", "pip", "--disable-pip-version-check", "check", cwd=away).startswith("No broken")
    home = {"FTL_STATE_DIR": str(tmp_path / "state"), "IPYTHONDIR": str(tmp_path / "ipython")}
    where = run(python, "-c", "import ftl_nb; print(ftl_nb.__file__)", cwd=away)
    assert Path(where.strip()).is_relative_to(tmp_path)
    said = run(python, "show_notebook.py", NOTEBOOK, cwd=away, JUPYTER_PREFER_ENV_PATH="1", **home)
    assert "cells ran" in said
    assert "Receipt(sku='tea', total=7.0, currency='EUR')" in said
