"""What people do to kernels: interrupt, restart, close."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.conftest import Open
from chaos.notebook import Notebook, Place
from chaos.system import SHOP
from chaos.tree import all_gone
from chaos.waiting import until

pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """A kernel that these tests interrupt: it and its cluster stay."""
    notebook = Notebook(Place.under(tmp_path_factory.mktemp("kernels")))
    notebook.ok(SHOP)
    yield notebook
    before = notebook.processes()
    notebook.clean_up()
    all_gone(notebook.mark, before)


def interrupt(notebook: Notebook, code: str, begun: Path) -> str:
    """The error of a cell that is interrupted once its verb runs."""
    message = notebook.begin(code)
    until(begun.exists, what=f"{code} runs")
    notebook.interrupt()
    return notebook.end(message).error


def test_an_interrupt_ends_the_verb_and_nothing_else(shop: Notebook, tmp_path: Path) -> None:
    before = [p.pid for p in shop.processes()]
    error = interrupt(shop, f"spin({str(tmp_path / 'begun')!r})", tmp_path / "begun")
    assert error.startswith("KeyboardInterrupt")
    until((tmp_path / "begun.ended").exists, what="the verb was ended")
    assert shop.ok("double(21)") == "42\n"
    assert [p.pid for p in shop.processes()] == before


def test_an_interrupt_reaches_a_verb_that_another_one_called(shop: Notebook, tmp_path: Path) -> None:
    shop.ok(
        "import ftl_nb as ftl\nftl.module('desk')\nfrom ftl_nb.modules import shop\n"
        "@ftl.verb(export=True)\ndef order(begun: str) -> int:\n"
        "    try:\n        return shop.spin(begun)\n"
        "    finally:\n        open(begun + '.order', 'w').close()\n"
    )
    error = interrupt(shop, f"order({str(tmp_path / 'begun')!r})", tmp_path / "begun")
    assert error.startswith("KeyboardInterrupt")
    until((tmp_path / "begun.order").exists, what="the calling verb was ended")
    until((tmp_path / "begun.ended").exists, what="the called verb was ended")
    assert shop.ok("double(21)") == "42\n"


def test_an_interrupted_change_goes_on_and_says_so(shop: Notebook, tmp_path: Path) -> None:
    began, go = tmp_path / "began", tmp_path / "go"
    fixture = (
        "%%ftl_fixture --module shop\ndef wait() -> None:\n"
        "    import time\n    from pathlib import Path\n"
        f"    Path({str(began)!r}).touch()\n"
        f"    while not Path({str(go)!r}).exists():\n        time.sleep(0.01)\n"
    )
    error = interrupt(shop, fixture, began)
    assert error == "KeyboardInterrupt: the change goes on; %ftl changesets says what becomes of it"
    assert "preparing" in shop.ok("print(get_ipython().run_line_magic('ftl', 'changesets 1').plain())")
    go.touch()
    until(lambda: "fixture" in shop.ok("print(get_ipython().run_line_magic('ftl', 'schema shop').plain())"))
    assert shop.ok("double(21)") == "42\n"


def test_a_restarted_kernel_finds_what_was_deployed(open_notebook: Open) -> None:
    notebook = open_notebook()
    notebook.ok(SHOP)
    kernel = notebook.pid
    before = [p for p in notebook.processes() if p.pid != kernel]
    notebook.restart()
    assert notebook.ok("from ftl_nb.modules import shop\nprint(shop.double(21))") == "42\n"
    assert not {p.pid for p in before} & {p.pid for p in notebook.processes()}


def test_a_closed_kernel_takes_its_cluster_with_it(open_notebook: Open, place: Place) -> None:
    notebook = open_notebook()
    notebook.ok(SHOP)
    before = notebook.processes()
    notebook.close()
    all_gone(notebook.mark, before)
    assert not place.socket.exists()
