"""Nothing is left behind: a kernel killed by SIGKILL fifty times in a row, with everything that a cluster has."""

from __future__ import annotations

import time
from collections import deque

import pytest

from chaos.conftest import Open
from chaos.notebook import Notebook, Place
from chaos.tree import all_gone

ROUNDS = 50

VERBS = """\
import subprocess

import ftl_nb as ftl

ftl.module("shop")


@ftl.verb(export=True)
def leave_processes(n: int) -> int:
    subprocess.run(["sh", "-c", "sleep 3600 & setsid sleep 3600 &"], check=True)
    return n * 2
"""
TABLE = """\
%%ftl_sql shop.stock
-- migrate:up
CREATE TABLE items (sku TEXT PRIMARY KEY);
-- migrate:down
DROP TABLE items;

-- name: CountItems :one
SELECT count(*) AS items FROM items;

-- name: AddItem :exec
INSERT INTO items VALUES (@sku);
"""


#: On what the rounds before have deployed and written.
ROUND = """\
from ftl_nb.modules import shop
shop.add_item("{number}")
print(shop.count_items(), shop.leave_processes(21))
"""


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_nothing_is_left_after_each_of_fifty_kills(open_notebook: Open, place: Place) -> None:
    coming = deque([open_notebook()])
    coming[0].ok(VERBS)
    coming[0].ok(TABLE)
    rounds = []
    for number in range(ROUNDS):
        if number + 1 < ROUNDS:
            coming.append(open_notebook())
        started = time.monotonic()
        gone = kill_and_check(coming.popleft(), place, number)
        rounds.append((gone, time.monotonic() - started))
    slowest, longest = max(g for g, _ in rounds), max(t for _, t in rounds)
    mean = sum(t for _, t in rounds) / len(rounds)
    print(f"{ROUNDS} kills: slowest end {slowest:.3f} s, rounds {mean:.2f} s on average, {longest:.2f} s at most")


def kill_and_check(notebook: Notebook, place: Place, number: int) -> float:
    """One round, while the next kernel starts; the seconds until everything was gone."""
    assert notebook.ok(ROUND.format(number=number)) == f"{number + 1} 42\n"
    before = notebook.processes()
    notebook.kill()
    gone = all_gone(notebook.mark, before)
    assert not place.socket.exists()
    return gone
