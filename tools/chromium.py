"""Makes sure of Chromium, for the tests that look at a page: Debian's, installed by apt where it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")


def found() -> str | None:
    """The browser's path, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> None:
    """Installs Debian's. Raises SystemExit with what to do where that cannot be done here."""
    if shutil.which("apt-get") is None:
        raise SystemExit("The browser tests need Chromium: install it and put `chromium` on PATH.")
    if os.geteuid() != 0:
        raise SystemExit("The browser tests need Chromium: sudo apt-get install chromium")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
        done = subprocess.run(["apt-get", *words], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{done.stdout[-2000:]}{done.stderr[-2000:]}\napt-get {' '.join(words)} failed")


def main() -> int:
    """0 where there is a browser in the end."""
    if found() is None:
        print("      installing Debian's chromium …", flush=True)
        install()
    print(f"      {found()}", flush=True)
    return 0 if found() else 1


if __name__ == "__main__":
    sys.exit(main())
