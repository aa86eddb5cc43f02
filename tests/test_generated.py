import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_generated_modules_are_fresh(tmp_path: Path) -> None:
    runpy.run_path(str(ROOT / "tools" / "generate_protos.py"))["generate"](tmp_path)
    fresh = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*_pb2*"))
    assert fresh
    stale = [str(path) for path in fresh if (tmp_path / path).read_bytes() != (ROOT / path).read_bytes()]
    assert stale == []
