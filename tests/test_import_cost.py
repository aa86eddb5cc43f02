"""`%load_ext ftl_nb` loads no heavy library and prints nothing; its time is a benchmark. Each case is a process."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = ("cryptography", "duckdb", "google.protobuf", "grpc", "msgspec", "pandas", "pyarrow", "ray", "sqlglot")

IMPORT = "import ftl_nb, ftl_nb.magics"
# The shell comes first: a notebook has it already when `%load_ext` runs.
LOAD_EXT = """
import sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell()
before = set(sys.modules)
started = time.perf_counter()
shell.run_line_magic("load_ext", "ftl_nb")
took = time.perf_counter() - started
"""


def fresh(program: str, says: str) -> object:
    """The value of the expression `says` after `program`, in a Python of its own."""
    code = f"import sys\n{program}\nimport json\nprint(json.dumps({says}))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=dict(os.environ))
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize("program", [IMPORT, LOAD_EXT], ids=["import", "load_ext"])
def test_nothing_heavy_is_loaded(program: str) -> None:
    assert fresh(program, f"[name for name in {HEAVY!r} if name in sys.modules]") == []


def test_load_ext_and_reload_ext_print_nothing() -> None:
    # A second `%load_ext` is refused by IPython itself, in its own words; `%reload_ext` comes through.
    again = LOAD_EXT + 'shell.run_line_magic("reload_ext", "ftl_nb")\n' * 2
    assert fresh(again, "'ftl' in shell.magics_manager.magics['line']") is True
