"""Generate the Python modules of every .proto file under ftl_nb/, beside the files themselves.

Run from anywhere: `python tools/generate_protos.py`. With `--out FOLDER` the modules go below FOLDER instead.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Stubs of mypy-protobuf: those of protoc itself do not pass a strict check.
_PLUGIN = f"--plugin=protoc-gen-mypy={Path(sys.executable).parent / 'protoc-gen-mypy'}"


def protos() -> list[Path]:
    """Every .proto file of the package, relative to the repository, in name order."""
    return sorted(path.relative_to(ROOT) for path in (ROOT / "ftl_nb").rglob("*.proto"))


def generate(out: Path) -> None:
    """Write `*_pb2.py` and `*_pb2.pyi` below `out`: messages only, the services are bound in `ftl_nb.rpc`."""
    outputs = [f"--python_out={out}", f"--mypy_out=quiet:{out}"]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", _PLUGIN, *outputs, *map(str, protos())]
    subprocess.run(command, cwd=ROOT, check=True)


def main() -> None:
    """Parse the command line and generate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT)
    generate(parser.parse_args().out.resolve())


if __name__ == "__main__":
    main()
