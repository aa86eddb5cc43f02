"""Runs notebooks on clusters of their own and saves them with their outputs.

`python tools/run_notebook.py NOTEBOOK …` executes each in place, in a fresh state folder. What differs from run to run
(times, the language's version) is left out of the saved file, so that an unchanged notebook gives an unchanged file.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

CELL_TIMEOUT_SECONDS = 120


def execute(path: Path) -> Any:
    """Runs a notebook in a kernel and a state folder of its own; the notebook with its outputs.

    Raises nbclient's CellExecutionError for a cell that fails and is not tagged `raises-exception`.
    """
    notebook: Any = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="ftl-") as state:
        environment = {**os.environ, "FTL_STATE_DIR": state}
        client = NotebookClient(notebook, timeout=CELL_TIMEOUT_SECONDS, resources={"metadata": {"path": path.parent}})
        client.execute(env=environment)
    return notebook


def tidy(notebook: Any) -> None:
    """Leaves out what is of this run alone."""
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            if "metadata" in output:
                output["metadata"] = {}


def run(path: Path) -> bool:
    """Executes and saves one notebook; whether it ran to its end."""
    started = time.monotonic()
    try:
        notebook = execute(path)
    except CellExecutionError as error:
        print(f"{path}: {error}", file=sys.stderr)
        return False
    tidy(notebook)
    nbformat.write(notebook, path)
    print(f"{path}: {len(notebook.cells)} cells in {time.monotonic() - started:.1f} s")
    return True


def main() -> int:
    """0 where every notebook ran."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    done = [run(path) for path in parser.parse_args().notebooks]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
