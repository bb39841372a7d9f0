"""The producer's own process: sends the month as `indutech produce --load` does, and waits while it is told to.

`python -m bench.month.producer TICKETS SEED DAYS HOLD`; while the file HOLD is there it hands nothing over.
"""

import json
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from indutech.kafka import broker as brokers
from indutech.producer import produce
from indutech.system.settings import Settings
from indutech.system.signals import stop_asked

LOOKS_EVERY_S = 0.1
HELD = "Waits until it is told to go on."


def main(count: int, seed: int, days: float, hold: Path) -> None:
    """Send, and print what the run was as JSON."""
    settings, parent, waited_s = Settings(), os.getppid(), 0.0
    with brokers.connected(settings) as broker, stop_asked() as stop:

        def ending() -> bool:
            """Asked between any two chunks, so this is also where to wait; the client goes on sending meanwhile."""
            nonlocal waited_s
            began = time.monotonic()
            if hold.exists():
                print(HELD, file=sys.stderr, flush=True)
            while hold.exists() and not stop() and os.getppid() == parent:
                time.sleep(LOOKS_EVERY_S)
            waited_s += time.monotonic() - began
            return stop() or os.getppid() != parent

        period = timedelta(days=days)
        sent = produce.produce(
            settings, broker, count=count, seed=seed, load=True, period=period, progress=False, stop=ending
        )
    print(json.dumps({**sent.as_dict(), "waited_s": waited_s}))
    sys.exit(0 if sent.complete and not sent.stopped else 1)


if __name__ == "__main__":
    tickets, drawn, spread, file = sys.argv[1:]
    main(int(tickets), int(drawn), float(spread), Path(file))
