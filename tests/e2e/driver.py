"""Notebooks and scripts of one project on a real cluster, driven by a test; what they give comes back as data.

A `System` is a project folder with a cluster of its own. Its first notebook runs in this process, so that a test can
look at the objects; every further one (`system.kernel(owner)`) is a process of its own, as a Jupyter kernel is.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ftl_nb.client import Session
    from ftl_nb.console import Cluster
    from ftl_nb.errors import FtlError
    from ftl_nb.widgets import Card

_END_SECONDS = 10.0


@dataclass(slots=True)
class Output:
    """What one cell gave. `value` and `error` are the objects themselves, from a kernel of its own only errors are."""

    value: Any = None
    text: str = ""
    html: str = ""
    stdout: str = ""
    stderr: str = ""
    error: BaseException | None = None
    #: What the front end shows of the error.
    shown: str = ""

    @property
    def refusal(self) -> FtlError:
        """The FtlError that the cell ended with; an assertion fails where it did not."""
        from ftl_nb.errors import FtlError

        assert isinstance(self.error, FtlError), f"no FtlError but {self.error!r}, output {self.text!r}"
        return self.error

    @property
    def ok(self) -> Output:
        """This output; an assertion fails where the cell raised."""
        assert self.error is None, f"{self.error!r}\n{self.shown}"
        return self

    @property
    def card(self) -> Card:
        from ftl_nb.widgets import Card

        card = self.ok.value
        assert isinstance(card, Card), f"no card but {card!r}"
        return card


class Notebook:
    """One IPython shell with the extension, in this process."""

    def __init__(self, owner: str) -> None:
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        self.owner = owner
        self._main = sys.modules["__main__"]
        os.environ["JPY_SESSION_NAME"] = owner
        settings = Config({"HistoryManager": {"enabled": False}})
        self.shell: InteractiveShell = InteractiveShell.instance(config=settings, colors="nocolor")
        self.shell.displayhook.__class__ = _quiet(type(self.shell.displayhook))
        self.run("%load_ext ftl_nb").ok  # noqa: B018

    def run(self, cell: str, *, cell_id: str = "") -> Output:
        """Runs one cell, its indentation taken off; never raises."""
        from IPython.utils.capture import capture_output

        with capture_output() as captured:
            result = self.shell.run_cell(textwrap.dedent(cell).lstrip("\n"), cell_id=cell_id or None)
        error = result.error_before_exec or result.error_in_exec
        output = Output(result.result, "", "", captured.stdout, captured.stderr, error)
        if error is not None:
            output.shown, output.stdout = output.stdout, ""
        elif result.result is not None:
            data, _ = self.shell.display_formatter.format(result.result)
            output.text, output.html = data.get("text/plain", ""), data.get("text/html", "")
        return output

    def card(self, cell: str, *, cell_id: str = "") -> Card:
        """The card of a defining cell; an assertion fails where it raised."""
        return self.run(cell, cell_id=cell_id).card

    def module(self, name: str, text: str = "opened = True") -> Card:
        """Runs `%%ftl_module NAME` over a text."""
        return self.card(f"%%ftl_module {name}\n" + textwrap.dedent(text).lstrip("\n"))

    def verb(self, text: str, words: str = "") -> Card:
        """Runs `%%ftl_verb WORDS` over a text."""
        return self.card(f"%%ftl_verb {words}\n" + textwrap.dedent(text).lstrip("\n"))

    def value(self, expression: str) -> Any:
        """What an expression gives in the notebook; an assertion fails where it raises."""
        return self.run(expression).ok.value

    def __getitem__(self, name: str) -> Any:
        """A name of the notebook."""
        return self.shell.user_ns[name]

    def __contains__(self, name: str) -> bool:
        return name in self.shell.user_ns

    @property
    def cluster(self) -> Cluster:
        cluster: Cluster = self.shell._ftl_nb_extension.notebook.cluster
        return cluster

    @property
    def session(self) -> Session:
        return self.cluster.session

    def schema(self, module: str) -> str:
        """The canonical text of a module."""
        return str(self.session.view.module(module))

    def close(self) -> None:
        """Leaves the cluster and takes the shell out of this process again."""
        from ftl_nb.binding import dispatch, finder

        self.cluster.close()
        self.run("%unload_ext ftl_nb")
        self.shell.restore_sys_module_state()
        type(self.shell).clear_instance()
        sys.modules["__main__"] = self._main
        os.environ.pop("JPY_SESSION_NAME", None)
        for name in [n for n in sys.modules if n.startswith("ftl_nb.modules.")]:
            delattr(sys.modules["ftl_nb.modules"], name.rpartition(".")[2])
            del sys.modules[name]
        finder.remove_finder()
        dispatch.install(None)


def _quiet(kind: type) -> type:
    """The display hook that keeps its result and prints nothing."""

    def nothing(self: object, *args: object) -> None: ...

    silent = dict.fromkeys(("write_output_prompt", "write_format_data", "finish_displayhook"), nothing)
    return type("QuietHook", (kind,), silent)


class Kernel:
    """A notebook in a process of its own, as a Jupyter kernel is."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.process = subprocess.Popen(
            [sys.executable, __file__, owner], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )

    def run(self, cell: str, *, cell_id: str = "") -> Output:
        """Runs one cell; values stay there, their text comes back."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        _send(self.process.stdin, {"cell": cell, "cell_id": cell_id})
        return _read(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(_END_SECONDS)
        self.process.stdout.close()

    def kill(self) -> None:
        """`kill -9`, the process alone."""
        self.process.kill()
        self.close()


class System:
    """A project folder, its cluster, and the notebooks and scripts that use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: list[Notebook | Kernel] = []
        self._notebook: Notebook | None = None

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def notebook(self) -> Notebook:
        """The notebook in this process, opened on first use."""
        if self._notebook is None:
            self._notebook = Notebook("first.ipynb")
        return self._notebook

    def kernel(self, owner: str) -> Kernel:
        """Another notebook of the project, in a process of its own."""
        made = Kernel(owner)
        self._open.append(made)
        return made

    def file(self, name: str, text: str) -> Path:
        """A file of the project folder, its indentation taken off."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path

    def python(self, *words: str, timeout: float = 60, state: Path | None = None) -> subprocess.CompletedProcess[str]:
        """`python WORDS…` in the project folder; `state` is the folder of another cluster than this system's."""
        command = [sys.executable, *words]
        # A plain pytest: loading the plugins of this environment takes longer than the tests.
        settings = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "FTL_STATE_DIR": str(state or self.state)}
        return subprocess.run(
            command, cwd=self.folder, env=settings, capture_output=True, text=True, timeout=timeout, check=False
        )

    def close(self) -> None:
        """Closes every notebook, and waits for the end of the cluster's supervisor."""
        for kernel in self._open:
            kernel.close()
        if self._notebook is not None:
            connected = self._notebook.cluster.connection.open
            supervisor = os.pidfd_open(connected.supervisor) if connected is not None and connected.alive else None
            self._notebook.close()
            if supervisor is not None:
                assert wait_for_end(supervisor), "the supervisor outlived its last client"


def wait_for_end(pidfd: int, seconds: float = _END_SECONDS) -> bool:
    """Whether a process ended in time; closes its descriptor."""
    try:
        return bool(select.select([pidfd], [], [], seconds)[0])
    finally:
        os.close(pidfd)


def _send(stream: IO[bytes], message: object) -> None:
    stream.write(json.dumps(message).encode() + b"\n")
    stream.flush()


def _written(output: Output) -> dict[str, object]:
    """An output as JSON: errors of ours by their dictionary, others by name and text, values by their text alone."""
    from ftl_nb.errors import FtlError

    error = output.error
    told = error.to_dict() if isinstance(error, FtlError) else error and {"raised": f"{type(error).__name__}: {error}"}
    texts = {name: getattr(output, name) for name in ("text", "html", "stdout", "stderr", "shown")}
    return {**texts, "error": told}


def _read(written: dict[str, Any]) -> Output:
    from ftl_nb.errors import FtlError

    told = written.pop("error")
    error = told and (RuntimeError(told["raised"]) if "raised" in told else FtlError.from_dict(told))
    return Output(error=error, **written)


def _serve(owner: str) -> None:
    """A kernel's side: cells come in on standard input, outputs go out on standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    notebook = Notebook(owner)
    for line in sys.stdin.buffer:
        _send(answers, _written(notebook.run(**json.loads(line))))
    notebook.close()


if __name__ == "__main__":
    _serve(sys.argv[1])


def deployment_keys(notebook: Notebook) -> dict[str, str]:
    """The key of every canonical deployment by module."""
    from ftl_nb.rpc import workspace_pb2
    from ftl_nb.rpc.services import WorkspaceService

    response = notebook.session.ask(WorkspaceService.status, workspace_pb2.StatusRequest())
    return {m.name: m.deployment for m in response.modules}


def under(field: str) -> str:
    return f"""
        %%ftl_module under
        from dataclasses import dataclass
        import ftl_nb as ftl

        @dataclass
        class Order:
            sku: str
            {field}: int

        @ftl.verb(export=True)
        def take(order: Order) -> str:
            return order.sku
    """
