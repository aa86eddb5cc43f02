"""A real Jupyter kernel in a project's folder, driven as a front end does."""

from __future__ import annotations

import os
import queue
import re
import signal
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from jupyter_client import KernelManager

from chaos.tree import MARK, Found, marked
from chaos.waiting import CELL, KERNEL, named
from ftl_nb.cluster.project import Project

#: Kernels of all rounds share what was compiled, and leave nothing of it in the tree.
BYTECODE = Path(tempfile.gettempdir()) / f"ftl-chaos-bytecode-{os.getuid()}"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Ran:
    """What a cell left: its streams and results as one text, and the error, `name: value`."""

    text: str = ""
    error: str = ""
    traceback: str = ""


@dataclass(frozen=True)
class Place:
    """A project: its folder and its cluster's state."""

    folder: Path
    state: Path

    @classmethod
    def under(cls, base: Path) -> Self:
        folder = base / "play"
        folder.mkdir()
        return cls(folder, base / "state")

    def environment(self, mark: str) -> dict[str, str]:
        """Of a process that starts anew, or that a cluster starts for us."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**kept, **self.own_environment(mark)}

    def own_environment(self, mark: str) -> dict[str, str]:
        return {"FTL_STATE_DIR": str(self.state), "PYTHONPYCACHEPREFIX": str(BYTECODE), MARK: mark}

    @property
    def socket(self) -> Path:
        return Project(self.folder, self.state, self.folder.name).socket

    @property
    def logs(self) -> str:
        return "\n".join(f"--- {log.name}\n{log.read_text()}" for log in sorted(self.state.glob("logs/*.log")))


@dataclass
class Notebook:
    """One kernel. It starts in the background; the first cell waits until it is ready."""

    place: Place
    mark: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        self._manager: Any = KernelManager(kernel_name="python3", transport="ipc", ip=f"/tmp/{self.mark}")
        self._client: Any = None
        self._manager.start_kernel(cwd=str(self.place.folder), env=self.place.environment(self.mark))

    @property
    def pid(self) -> int:
        return int(self._manager.provisioner.process.pid)

    @property
    def client(self) -> Any:
        if self._client is None:
            self._client = self._manager.blocking_client()
            self._client.start_channels(stdin=False, hb=False)
            self._client.wait_for_ready(timeout=KERNEL)
            self.ok("%load_ext ftl_nb")
        return self._client

    def begin(self, code: str) -> str:
        """Sends a cell without waiting for it; its message id."""
        return str(self.client.execute(code))

    def end(self, message: str) -> Ran:
        """Waits for a cell that was begun."""
        ran = Ran()
        while True:
            got = self._next(ran)
            if got["parent_header"].get("msg_id") != message:
                continue
            kind, content = got["msg_type"], got["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return ran
            _take(ran, kind, content)

    def _next(self, ran: Ran) -> dict[str, Any]:
        try:
            return dict(self.client.get_iopub_msg(timeout=CELL))
        except queue.Empty:
            running = "\n".join(named(found.pid) for found in self.processes())
            raise AssertionError(f"the cell did not end: {ran}\n{running}\n{self.place.logs}") from None

    def run(self, code: str) -> Ran:
        return self.end(self.begin(code))

    def ok(self, code: str) -> str:
        """Runs a cell that must succeed; its text."""
        ran = self.run(code)
        assert not ran.error, f"{code}\n{ran.error}\n{ran.text}\n{ran.traceback[-4000:]}\n{self.place.logs}"
        return ran.text

    def refused(self, code: str) -> str:
        """Runs a cell that must fail; its error."""
        ran = self.run(code)
        assert ran.error, f"{code}\ndid not fail, it wrote: {ran.text}"
        return f"{ran.error}\n{ran.text}\n{ran.traceback}"

    def processes(self) -> list[Found]:
        """Everything that came from this kernel, itself included."""
        return marked(self.mark)

    def kill(self) -> None:
        """SIGKILL to the kernel alone: not to its process group."""
        os.kill(self.pid, signal.SIGKILL)

    def interrupt(self) -> None:
        """As the front end's stop button: SIGINT to the kernel's process group."""
        self._manager.interrupt_kernel()

    def restart(self) -> None:
        """As the front end's restart: asked to end, then started again."""
        self._leave()
        self._manager.restart_kernel()

    def close(self) -> None:
        """As a front end that closes the notebook: asks the kernel to end."""
        self._leave()
        self._manager.shutdown_kernel(now=False)

    def clean_up(self) -> None:
        """Whatever state it is in: nothing stays."""
        self._leave()
        self._manager.shutdown_kernel(now=True)

    def _leave(self) -> None:
        if self._client is not None:
            self._client.stop_channels()
            self._client = None


def _take(ran: Ran, kind: str, content: dict[str, Any]) -> None:
    if kind == "stream":
        ran.text += content["text"]
    elif kind in ("execute_result", "display_data"):
        ran.text += str(content["data"].get("text/plain", "")) + "\n"
    elif kind == "error":
        ran.error = f"{content['ename']}: {content['evalue']}"
        ran.traceback = _COLOUR.sub("", "\n".join(content["traceback"]))
