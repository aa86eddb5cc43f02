"""Runs every notebook with nbval, each on a cluster of its own, and compares what the cells give with what is saved."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# nbval's own warnings are not ours to mend, and the project's settings for its tests do not fit notebooks.
_SETTINGS = ("-c", os.devnull, "-p", "no:cacheprovider", "--rootdir", str(ROOT), "-q", "--no-header")


def check(notebook: Path) -> bool:
    """Whether each cell of a notebook gave what is saved, in a fresh state folder, without this user's settings."""
    with tempfile.TemporaryDirectory(prefix="ftl-", ignore_cleanup_errors=True) as state:
        environment = {
            **os.environ,
            "FTL_STATE_DIR": os.path.join(state, "ftl"),
            "IPYTHONDIR": os.path.join(state, "ipython"),
            "JUPYTER_PREFER_ENV_PATH": "1",
        }
        command = [sys.executable, "-m", "pytest", *_SETTINGS, "--nbval", "--nbval-current-env", str(notebook)]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def main() -> int:
    """0 where every notebook gave what is saved; all are run either way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    notebooks = parser.parse_args().notebooks or sorted((ROOT / "notebooks").glob("*.ipynb"))
    failed = []
    for notebook in notebooks:
        print(f"      {notebook.name}", flush=True)
        if not check(notebook):
            failed.append(notebook.name)
    if failed:
        print(f"not as saved: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
