"""A language server over its standard streams: started, asked, and gone when its input closes.

Its input is a pipe of this process, so it ends with this process however that ends.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_log = logging.getLogger(__name__)

Message = dict[str, Any]


class ServerLost(Exception):
    """The server ended, answered nothing in time, or answered with an error."""


class LanguageServer:
    """One running server. Not thread-safe: its owner holds a lock."""

    def __init__(self, command: Sequence[str], folder: Path, timeout: float) -> None:
        """Starts it. Raises ServerLost when it cannot be started or does not answer within `timeout` seconds."""
        self._timeout = timeout
        self._last_id = 0
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        try:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Jupyter interrupts the whole process group of a kernel.
                start_new_session=True,
            )
        except OSError as error:
            raise ServerLost(str(error)) from error
        threading.Thread(target=self._read, name="ftl-language-server", daemon=True).start()
        try:
            self._initialize(folder)
        except ServerLost:
            self.stop()
            raise

    def _initialize(self, folder: Path) -> None:
        capabilities = {
            "general": {"positionEncodings": ["utf-32"]},
            "workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}},
            "textDocument": {"diagnostic": {}},
        }
        workspace = [{"uri": folder.as_uri(), "name": folder.name}]
        answer = self.request("initialize", {"capabilities": capabilities, "workspaceFolders": workspace})
        if answer["capabilities"].get("positionEncoding") != "utf-32":
            raise ServerLost("it does not count columns in characters")
        self.notify("initialized", {})

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def request(self, method: str, params: Mapping[str, object]) -> Any:
        """The result of a request. Raises ServerLost."""
        self._last_id += 1
        number = self._last_id
        self._send({"id": number, "method": method, "params": params})
        deadline = time.monotonic() + self._timeout
        while True:
            message = self._receive(deadline, method)
            if "method" in message:
                self._answer(message)
            elif message.get("id") == number:
                if "error" in message:
                    raise ServerLost(f"{method}: {message['error'].get('message', '')}")
                return message["result"]

    def notify(self, method: str, params: Mapping[str, object]) -> None:
        """Raises ServerLost."""
        self._send({"method": method, "params": params})

    def stop(self) -> None:
        """Closes its input, which ends it; kills it when that does not."""
        with contextlib.suppress(OSError):
            _stream(self._process.stdin).close()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self, message: Message) -> None:
        """The server's own requests (registrations, progress, configuration) get an empty answer."""
        if "id" in message:
            items = message.get("params", {}).get("items")
            self._send({"id": message["id"], "result": [None] * len(items) if items is not None else None})

    def _send(self, message: Message) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        try:
            stream = _stream(self._process.stdin)
            stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            stream.flush()
        except (OSError, ValueError) as error:
            raise ServerLost(f"it does not read: {error}") from error

    def _receive(self, deadline: float, method: str) -> Message:
        try:
            message = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise ServerLost(f"{method}: no answer within {self._timeout} s") from None
        if message is None:
            raise ServerLost("it ended")
        return message

    def _read(self) -> None:
        stream = _stream(self._process.stdout)
        try:
            with stream:
                while (message := _read_message(stream)) is not None:
                    self._inbox.put(message)
        except (OSError, ValueError) as error:
            _log.debug("language server: %s", error)
        self._inbox.put(None)


def _read_message(stream: IO[bytes]) -> Message | None:
    """The next message; None at the end of the stream. Raises ValueError for what is none."""
    length = None
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if length is None:
        return None
    message: Message = json.loads(stream.read(length))
    return message


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the stream is no pipe")
    return stream
