"""Makes sure of what the tests need beside Python, installed by Debian's apt where it is missing.

`python tools/servers.py` makes sure of all of it, `python tools/servers.py etcd` of what is named.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import NamedTuple


class Server(NamedTuple):
    """`names` are those that it may have on PATH, `package` is Debian's."""

    package: str
    names: tuple[str, ...]
    what_for: str

    def found(self) -> str | None:
        """Its path, or None."""
        return next((path for name in self.names if (path := shutil.which(name))), None)


SERVERS = {
    "chromium": Server("chromium", ("chromium", "chromium-browser", "google-chrome"), "the tests that look at a page"),
    "etcd": Server("etcd-server", ("etcd",), "the tests of the store for several nodes"),
    "go": Server("golang-go", ("go",), "the checker of the store's histories"),
}


def install(missing: list[Server]) -> None:
    """Installs Debian's. Raises SystemExit with what to do where that cannot be done here."""
    packages = [server.package for server in missing]
    wanted = "\n".join(f"  {server.names[0]}, for {server.what_for}" for server in missing)
    if shutil.which("apt-get") is None:
        raise SystemExit(f"Missing on PATH, and there is no apt-get to install it with:\n{wanted}")
    if os.geteuid() != 0:
        raise SystemExit(f"Missing on PATH:\n{wanted}\nInstall it: sudo apt-get install {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", *words], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{done.stdout[-2000:]}{done.stderr[-2000:]}\napt-get {' '.join(words)} failed")


def main(names: list[str]) -> int:
    """0 where everything is there in the end."""
    wanted = [SERVERS[name] for name in names or SERVERS]
    missing = [server for server in wanted if server.found() is None]
    if missing:
        print(f"      installing Debian's {', '.join(server.package for server in missing)} …", flush=True)
        install(missing)
    for server in wanted:
        print(f"      {server.found() or f'{server.names[0]} is missing'}", flush=True)
    return int(any(server.found() is None for server in wanted))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
