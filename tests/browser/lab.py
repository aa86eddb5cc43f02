"""A real JupyterLab with a folder of notebooks of its own, and one page of it as a test sees it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat

CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT, TALL = 1180, 900, 3000
RUN_MS = 120_000
_START_SECONDS = 60.0
_ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/lab\?token=(\w+)")
#: Every cell is in the page at once, and nothing asks for news.
_SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none", "recordTiming": False},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "apputils-extension/themes": {"adaptive-theme": False},
}


class Lab:
    """The server. `url` is its address, `token` what opens it."""

    def __init__(self, home: Path, notebooks: list[Path]) -> None:
        self._home = home
        self._folder = home / "play"
        self._folder.mkdir()
        for notebook in notebooks:
            self._copy(notebook)
        self._write_settings()
        self._process = self._start()
        self.url, self.token = self._address()

    def _copy(self, notebook: Path) -> None:
        """A notebook as one would write it: without its outputs."""
        document: Any = nbformat.read(notebook, as_version=4)
        for cell in document.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(document, self._folder / notebook.name)

    def _write_settings(self) -> None:
        for name, settings in _SETTINGS.items():
            path = self._home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(settings))

    def _start(self) -> subprocess.Popen[str]:
        folders = {"CONFIG_DIR": "config", "RUNTIME_DIR": "runtime", "DATA_DIR": "data"}
        environment = {
            **os.environ,
            **{f"JUPYTER_{name}": str(self._home / folder) for name, folder in folders.items()},
            "JUPYTERLAB_SETTINGS_DIR": str(self._home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self._home / "workspaces"),
            "IPYTHONDIR": str(self._home / "ipython"),
            "FTL_STATE_DIR": str(self._home / "state"),
        }
        words = ["--no-browser", "--allow-root", "--port=0", "--LabApp.expose_app_in_browser=True"]
        return subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *words],
            cwd=self._folder,
            env=environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    def _address(self) -> tuple[str, str]:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := _ADDRESS.search(line):
                return found[1], found[2]
        raise AssertionError("JupyterLab ended before it said its address")

    def close(self) -> None:
        """Ends the server, which ends its kernels, and with them their clusters."""
        self._process.terminate()
        try:
            self._process.communicate(timeout=_START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


class Page:
    """One notebook in the browser."""

    def __init__(self, lab: Lab, page: Any) -> None:
        self._lab = lab
        self.page = page

    def open(self, notebook: str) -> None:
        """Opens a notebook in the simple interface and waits for its kernel."""
        self.page.goto(f"{self._lab.url}/doc/tree/{notebook}?token={self._lab.token}&reset")
        self.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.content?.widgets?.length > 0")
        self.page.evaluate(_KERNEL_READY)

    def command(self, name: str, arguments: dict[str, object] | None = None) -> None:
        """Executes a command of JupyterLab to its end."""
        words = [name, arguments or {}]
        self.page.evaluate("([name, words]) => window.jupyterapp.commands.execute(name, words)", words)

    def run_all(self) -> None:
        """Runs every cell; returns when all have ended."""
        self.command("notebook:run-all-cells")

    def write(self, cell_id: str, source: str) -> str:
        """Puts a text into a cell and runs it to its end; its output's text."""
        self.page.evaluate(_RUN_CELL, [cell_id, source])
        return self.text(cell_id)

    def add(self, after: str, cell_id: str, source: str) -> str:
        """Adds a cell behind another and runs it to its end; its output's text."""
        self.page.evaluate(_ADD_CELL, [after, cell_id])
        return self.write(cell_id, source)

    def cell(self, cell_id: str) -> Any:
        """The locator of a cell, scrolled into view."""
        self.page.evaluate(_SHOW, cell_id)
        return self.page.locator(f"[data-ftl='{cell_id}']")

    def output(self, cell_id: str) -> Any:
        """The locator of a cell's outputs."""
        return self.cell(cell_id).locator(".jp-Cell-outputArea")

    def text(self, cell_id: str) -> str:
        """What a cell's outputs show."""
        return "\n".join(self.output(cell_id).locator(".jp-OutputArea-output").all_inner_texts()).strip()

    def picture(self, path: Path, *cells: str) -> None:
        """A screenshot of these cells alone, one under the other."""
        self.page.set_viewport_size({"width": WIDTH, "height": TALL})
        self.page.evaluate(_ONLY, list(cells))
        boxes = [self.page.locator(f"[data-ftl='{cell}']").bounding_box() for cell in cells]
        end = max(box["y"] + box["height"] for box in boxes)
        top = min(box["y"] for box in boxes)
        clip = {"x": boxes[0]["x"], "y": top, "width": boxes[0]["width"], "height": end - top}
        self.page.screenshot(path=path, clip=clip)
        self.page.evaluate(_ONLY, [])
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})

    def use_theme(self, name: str) -> None:
        """`JupyterLab Light` or `JupyterLab Dark`."""
        light = "true" if name.endswith("Light") else "false"
        self.command("apputils:change-theme", {"theme": name})
        self.page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")


@contextmanager
def pages(lab: Lab, *, scale: float = 1) -> Iterator[Page]:
    """A page in Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=scale)
        page.set_default_timeout(RUN_MS)
        yield Page(lab, page)
        browser.close()


_FIND = """
const notebook = window.jupyterapp.shell.currentWidget.content;
const find = id => notebook.widgets.find(cell => cell.model.sharedModel.getId() === id);
"""
_KERNEL_READY = """async () => {
  const context = window.jupyterapp.shell.currentWidget.context;
  await context.sessionContext.ready;
  await context.sessionContext.session.kernel.info;
}"""
_RUN_CELL = f"""async ([id, source]) => {{
  {_FIND}
  const cell = find(id);
  cell.model.sharedModel.setSource(source);
  notebook.activeCellIndex = notebook.widgets.indexOf(cell);
  notebook.deselectAll();
  await window.jupyterapp.commands.execute("notebook:run-cell");
}}"""
_ADD_CELL = f"""([id, made]) => {{
  {_FIND}
  const index = notebook.widgets.indexOf(find(id)) + 1;
  notebook.model.sharedModel.insertCell(index, {{cell_type: "code", id: made, source: ""}});
}}"""
_SHOW = f"""id => {{
  {_FIND}
  find(id).node.dataset.ftl = id;
  find(id).node.scrollIntoView({{block: "center"}});
}}"""
_ONLY = f"""ids => {{
  {_FIND}
  notebook.widgets.forEach(cell => {{ cell.node.style.display = ids.length ? "none" : ""; }});
  ids.forEach(id => {{ const node = find(id).node; node.dataset.ftl = id; node.style.display = ""; }});
  notebook.activeCellIndex = 0;
  notebook.deselectAll();
  if (ids.length) find(ids[0]).node.scrollIntoView({{block: "start"}});
}}"""
