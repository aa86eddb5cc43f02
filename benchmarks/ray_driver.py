"""A Ray driver with one echo actor: reads a number of calls a line, prints the seconds of each; imports ray alone."""

from __future__ import annotations

import json
import sys
import time


class Actor:
    def echo(self, body: dict[str, object]) -> dict[str, object]:
        return body


def main() -> None:
    import ray

    ray.init(num_cpus=1, include_dashboard=False, logging_level="error", log_to_driver=False)

    actor = ray.remote(Actor).remote()
    body = {"text": "x" * 234, "number": 1}
    for line in sys.stdin:
        took = []
        for _ in range(int(line)):
            start = time.perf_counter()
            ray.get(actor.echo.remote(body))
            took.append(time.perf_counter() - start)
        print(json.dumps(took), flush=True)
    ray.shutdown()


if __name__ == "__main__":
    main()
