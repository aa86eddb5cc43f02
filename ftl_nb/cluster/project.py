"""Which project a notebook, shell or test belongs to, and where its cluster lives."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftl_nb.errors import FtlError, fail

STATE_VARIABLE = "FTL_STATE_DIR"
FORMAT = "1"
_SOCKET_PATH_LIMIT = 107


@dataclass(frozen=True, slots=True)
class Project:
    """`folder` holds the notebooks, `state` (0700) what the cluster keeps, `realm` names the cluster's certificates."""

    folder: Path
    state: Path
    realm: str

    @property
    def socket(self) -> Path:
        """The supervisor's Unix socket: in a short private folder, since such paths end at 107 bytes."""
        name = hashlib.sha256(str(self.state).encode()).hexdigest()[:16]
        return runtime_folder() / f"{name}.sock"

    @property
    def log(self) -> Path:
        return self.state / "logs" / "cluster.log"


def project_of(start: Path | None = None) -> Project:
    """The nearest parent with `[tool.ftl_nb]` in its pyproject.toml, else `start` itself (the current folder)."""
    here = (start or Path.cwd()).resolve()
    folder, settings = next(
        ((p, found) for p in (here, *here.parents) if (found := settings_of(p)) is not None), (here, {})
    )
    state = Path(os.environ.get(STATE_VARIABLE) or folder / ".ftl").resolve()
    return Project(folder, state, str(settings.get("realm") or identifier(folder.name)))


def identifier(name: str) -> str:
    """A folder's name made a realm's: letters, digits and underscores, lower case."""
    made = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")
    return made if made and not made[0].isdigit() else f"p{made}"


def settings_of(folder: Path) -> dict[str, Any] | None:
    """`[tool.ftl_nb]` of the folder's pyproject.toml; None where there is none."""
    file = folder / "pyproject.toml"
    if not file.is_file():
        return None
    try:
        tool = tomllib.loads(file.read_text()).get("tool", {})
    except tomllib.TOMLDecodeError as e:
        raise fail("cluster-start", detail=f"{file} is not TOML: {e}", log="not begun") from None
    found = tool.get("ftl_nb")
    return dict(found) if found is not None else None


def runtime_folder() -> Path:
    """A private folder (0700, ours) with a short path. Raises FtlError `runtime-folder` where it is not."""
    base = os.environ.get("XDG_RUNTIME_DIR") or "/tmp"
    folder = Path(base) / f"ftl-{os.getuid()}"
    if len(str(folder)) + 24 > _SOCKET_PATH_LIMIT or not folder.parent.is_dir():
        folder = Path("/tmp") / f"ftl-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or not stat.S_ISDIR(status.st_mode):
        raise fail("runtime-folder", folder=folder)
    return folder


def make_state(project: Project) -> None:
    """Creates the state folder (0700) and checks the version of one that is there; changes nothing in another's."""
    marker = project.state / "format"
    try:
        project.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not marker.exists():
            _make(project.state, marker)
        found = marker.read_text().strip()
    except OSError as e:
        raise unwritable(project, e) from None
    if found != FORMAT:
        raise fail("cluster-folder", folder=project.state, found=found or "(nothing)", known=FORMAT)


def _make(state: Path, marker: Path) -> None:
    """The marker comes last and whole: a disk that is full in between leaves a folder that can be tried again."""
    (state / "logs").mkdir(mode=0o700, exist_ok=True)
    new = marker.with_name(f"format.{os.getpid()}")
    try:
        new.write_text(FORMAT + "\n")
        new.replace(marker)
    finally:
        new.unlink(missing_ok=True)


def unwritable(project: Project, error: OSError) -> FtlError:
    """What to say when the state folder cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return fail("disk-full", folder=project.state, detail=error.strerror)
    return fail("cluster-start", detail=f"{project.state} cannot be used: {error.strerror}", log=project.log)
