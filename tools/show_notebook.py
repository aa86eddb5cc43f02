"""Runs a notebook and prints what each cell gave, as it comes: `python tools/show_notebook.py NOTEBOOK`."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

CELL_TIMEOUT_SECONDS = 120
SOURCE_LINES = 6
WIDTH = 180
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Printer:
    """Prints code cells by their number among the code cells, and markdown cells by their headings."""

    def __init__(self, cells: list[Any]) -> None:
        self._numbers = {id(cell): n for n, cell in enumerate((c for c in cells if c.cell_type == "code"), start=1)}

    def started(self, cell: Any, cell_index: int) -> None:
        if cell.cell_type == "markdown":
            headings = [line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")]
            print("".join(f"\n== {heading}\n" for heading in headings), end="", flush=True)
            return
        lines = cell.source.strip().splitlines()
        more = [f"… {len(lines) - SOURCE_LINES} more lines"] if len(lines) > SOURCE_LINES + 1 else []
        shown = lines[:SOURCE_LINES] + more if more else lines
        head = f"In [{self._numbers[id(cell)]}/{len(self._numbers)}] "
        print("\n" + head + ("\n" + " " * len(head)).join(shown), flush=True)

    def executed(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        for output in cell.get("outputs", ()):
            text = text_of(output)
            print("".join(f"    {line[:WIDTH]}\n" for line in text.splitlines()), end="", flush=True)


def text_of(output: Any) -> str:
    """The plain form of one output; of an error the traceback that the notebook shows."""
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return _COLOUR.sub("", "\n".join(output.traceback)) or f"{output.ename}: {output.evalue}"
    return str(output.data.get("text/plain", f"({', '.join(output.data)})"))


def show(path: Path) -> int:
    """0 where every cell ran; the error of the cell that did not was printed as its output."""
    notebook: Any = nbformat.read(path, as_version=4)
    printer = Printer(notebook.cells)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        resources={"metadata": {"path": str(path.resolve().parent)}},
        extra_arguments=["--log-level=ERROR"],
        on_cell_start=printer.started,
        on_cell_executed=printer.executed,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        print(f"\n{path.name} stopped at this cell: {error.ename}: {error.evalue}", file=sys.stderr)
        return 1
    print(f"\n{path.name}: {len(printer._numbers)} cells ran", flush=True)
    return 0


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    return show(parser.parse_args().notebook)


if __name__ == "__main__":
    sys.exit(main())
