"""Certificates that live for seconds: every process goes on through the life of several."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from chaos.notebook import Place
from chaos.system import System, running
from chaos.waiting import SOON, until
from ftl_nb.console import Cluster

pytestmark = pytest.mark.chaos

LIFE = 6
#: A cluster as a client starts it, but for the life of its certificates.
SUPERVISOR = f"""\
import os, sys
from datetime import timedelta
from ftl_nb.cluster.project import make_state, project_of
from ftl_nb.cluster.supervisor import Supervisor
project = project_of()
make_state(project)
lock = os.open(project.state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
Supervisor(project, lock, lifetime=timedelta(seconds={LIFE})).run(int(sys.argv[1]))
"""


@pytest.fixture
def system(place: Place) -> Iterator[System]:
    with running(place) as system:
        read, write = os.pipe()
        environment = place.environment(system.mark)
        command = [sys.executable, "-P", "-c", SUPERVISOR, str(write)]
        with subprocess.Popen(command, cwd=place.folder, env=environment, pass_fds=(write,)) as supervisor:
            os.close(write)
            with os.fdopen(read, "rb") as ready:
                assert ready.read() == b"ready"
            yield system
            system.cluster.close()
            supervisor.wait(SOON)


def test_everybody_goes_on_after_the_first_certificates_have_ended(system: System) -> None:
    system.deploy()
    system.deploy_stock()
    runner = system.call("shop.process")
    ends = time.monotonic() + LIFE + 1
    # An idle client, and everybody's first certificate is over.
    until(lambda: time.monotonic() > ends, LIFE + 2)
    assert system.call("shop.process") == runner
    # Fresh handshakes with the control process, the runner and the database, each with what it has by now.
    with Cluster(system.place.folder, owner="another") as other:
        assert other.call("shop.process") == runner
        assert other.call("shop.countItems") == 0
    # The client's own certificate, and the runner's towards the control process.
    system.cluster.restart("shop")
    until(lambda: system.call("shop.process") != runner, SOON)
    system.deploy("shop", (system.place.folder / "shop.py").read_text().replace("n * 2", "n * 3"))
    assert system.call("shop.double", 14) == 42
