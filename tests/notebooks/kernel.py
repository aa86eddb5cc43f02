"""A Jupyter kernel as a front end drives it: cells with and without ids, completion, and what comes back."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client import KernelManager

SECONDS = 60.0
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(slots=True)
class Answer:
    """What one cell gave: its streams, its result as text, and the `error` message where one was sent."""

    streams: str = ""
    result: str = ""
    error: str = ""
    #: `code: sentence` of the error.
    value: str = ""
    shown: list[str] = field(default_factory=list)

    @property
    def traceback(self) -> str:
        """What the front end prints of the error, without colours."""
        return _COLOUR.sub("", "\n".join(self.shown))


class Kernel:
    """One kernel in `folder`, its cluster's state beside it, with the extension loaded."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._sockets = tempfile.TemporaryDirectory(prefix="ftl-k-")
        self._manager: Any = KernelManager(kernel_name="python3", transport="ipc", ip=f"{self._sockets.name}/k")
        self._manager.start_kernel(cwd=str(folder), env=environment)
        self._client: Any = self._manager.blocking_client()
        self._client.start_channels(stdin=False, hb=False)
        self._client.wait_for_ready(timeout=SECONDS)
        self.run("%load_ext ftl_nb")

    def run(self, code: str, cell_id: str = "") -> Answer:
        """Runs one cell, as JupyterLab does where it has an id, else as nbclient does."""
        session = self._client.session
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "user_expressions": {}}
        metadata = {"cellId": cell_id} if cell_id else {}
        message = session.msg("execute_request", content, metadata=metadata)
        self._client.shell_channel.send(message)
        return self._answer(message["header"]["msg_id"])

    def _answer(self, sent: str) -> Answer:
        answer = Answer()
        while True:
            got = self._client.get_iopub_msg(timeout=SECONDS)
            if got["parent_header"].get("msg_id") != sent:
                continue
            if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
                return answer
            _take(answer, got["msg_type"], got["content"])

    def complete(self, code: str) -> list[str]:
        """What a press of the tab key behind `code` offers."""
        reply = self._client.complete(code, len(code), reply=True, timeout=SECONDS)
        return list(reply["content"]["matches"])

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=False)
        self._sockets.cleanup()


def _take(answer: Answer, kind: str, content: dict[str, Any]) -> None:
    if kind == "stream":
        answer.streams += content["text"]
    elif kind in ("execute_result", "display_data"):
        answer.result = str(content["data"].get("text/plain", ""))
    elif kind == "error":
        answer.error, answer.value = content["ename"], content["evalue"]
        answer.shown = list(content["traceback"])
