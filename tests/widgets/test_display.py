"""What importing the views costs."""

import subprocess
import sys

_SCRIPT = """
import sys
import ftl_nb.widgets
heavy = {"pandas", "pyarrow", "duckdb", "sqlglot", "grpc", "cryptography", "ray", "IPython", "numpy", "google.protobuf"}
print(sorted(heavy & sys.modules.keys()))
"""


def test_no_heavy_import() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
