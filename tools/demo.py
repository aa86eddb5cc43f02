"""Makes the environment and runs a notebook in it, on a cluster with a fresh state folder, printing every cell."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import setup_env

NOTEBOOK = "notebooks/01-quickstart.ipynb"


def show(state: str) -> int:
    """The exit code of the notebook's run in a process of its own, with nothing of this user's Jupyter settings."""
    environment = {
        **os.environ,
        "FTL_STATE_DIR": os.path.join(state, "ftl"),
        "IPYTHONDIR": os.path.join(state, "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    tool = str(setup_env.ROOT / "tools" / "show_notebook.py")
    command = [str(setup_env.PYTHON), tool, str(setup_env.ROOT / NOTEBOOK)]
    return subprocess.run(command, env=environment, check=False).returncode


def main() -> int:
    """0 where every cell ran."""
    progress = setup_env.Progress(setup_env.STEPS + 2)
    setup_env.setup("run", progress)
    with tempfile.TemporaryDirectory(prefix="ftl-demo-", ignore_cleanup_errors=True) as state:
        progress.step(f"running {NOTEBOOK} on a local cluster")
        failed = show(state)
    if failed:
        return failed
    progress.step("done; the cluster ended with its notebook")
    setup_env.say("      make lab opens the notebooks; notebooks/02-flights.ipynb is the one to see next")
    return 0


if __name__ == "__main__":
    setup_env.require_python()
    sys.exit(main())
