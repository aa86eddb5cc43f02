"""Codecs made and used by many threads at once."""

from __future__ import annotations

import subprocess
import sys

#: In a process of its own: what goes wrong here ends it.
FIRST_DECODINGS = '''
import sys
import threading
from dataclasses import dataclass

from ftl_nb.schema.json import codec

BODY = b'{"a":{"amount":1,"names":["x"]},"b":{"amount":2,"names":[]},"more":{"k":{"amount":3,"names":["y"]}}}'
TYPES = """
@dataclass
class Inner{n}:
    amount: int
    names: list[str]

@dataclass
class Outer{n}:
    a: Inner{n}
    b: Inner{n}
    more: dict[str, Inner{n}]
"""


def decode(made, barrier):
    barrier.wait()
    sys.stdout.write(made.decode(BODY).more["k"].names[0] + "\\n")


sys.setswitchinterval(1e-6)
for n in range(100):
    exec(TYPES.format(n=n))
    made, barrier = codec(globals()[f"Outer{n}"]), threading.Barrier(8)
    threads = [threading.Thread(target=decode, args=(made, barrier)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
'''


def test_threads_that_decode_a_type_for_the_first_time_at_once() -> None:
    ended = subprocess.run([sys.executable, "-c", FIRST_DECODINGS], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split() == ["y"] * 800
