"""One pass over the messages: each goes to the client when it is due, and the audit and the bar are kept up to date."""

import time
from collections.abc import Callable, Iterator

from indutech.producer.audit_log import Ledger
from indutech.producer.counts import Sender, Tally

DEBT_AT_MOST_S = 0.5  # after a stall, a rate is not caught up with in a burst
TICK_S = 0.05

Messages = Iterator[list[tuple[bytes, bytes]]]


class Run:
    """Sends once; `stopped` tells whether somebody asked it to end before all was sent."""

    def __init__(
        self,
        sender: Sender,
        tally: Tally,
        ledger: Ledger,
        stop: Callable[[], bool],
        last_wait_s: float,
    ) -> None:
        self._sender, self._tally, self._ledger = sender, tally, ledger
        self._stop, self._last_wait_s = stop, last_wait_s
        self.stopped = False

    def send(self, messages: Messages, rate: float | None) -> None:
        """Send them all and wait for the answers, unless told to stop or the broker does not answer any more."""
        try:
            for chunk in messages if rate is None else self._at_rate(messages, rate):
                if not self._hand_over(chunk):
                    break
            self._wait_for_answers()
        except BaseException:  # Ctrl-C in a notebook, or a file that breaks off: what was sent is heard out
            self.stopped = True
            self._wait_for_answers()
            raise
        finally:
            if self._sender.unsettled():
                self._sender.abandon()

    def _hand_over(self, chunk: list[tuple[bytes, bytes]]) -> bool:
        while chunk:
            if not self._go_on():
                return False
            taken = self._sender.offer(chunk)
            self._sender.settle(0 if taken else TICK_S)
            self._ledger.write_if_due()
            chunk = chunk[taken:]
        self._ledger.write_if_due()
        return self._go_on()

    def _at_rate(self, messages: Messages, rate: float) -> Messages:
        """Yield the messages when they are due: the n-th at n / rate seconds after the first was acknowledged."""
        began = None
        due = 0
        for batch in messages:
            if not self._go_on():
                return
            while batch:
                if began is None:
                    # A client that is still connecting would hold the first ones back, and send them in a burst.
                    yield batch[:1]
                    while self._sender.unsettled():
                        if not self._idle(TICK_S):
                            return
                    batch, due, began = batch[1:], 1, time.monotonic()
                elapsed = time.monotonic() - began
                if (debt := elapsed - due / rate) > DEBT_AT_MOST_S:
                    began += debt - DEBT_AT_MOST_S
                    elapsed -= debt - DEBT_AT_MOST_S
                ready = min(len(batch), int(elapsed * rate) + 1 - due)
                if ready > 0:
                    yield batch[:ready]
                    batch, due = batch[ready:], due + ready
                elif batch and not self._idle(due / rate - elapsed):
                    return

    def _idle(self, wait_s: float) -> bool:
        """Wait a little, never longer than a tick, and tell whether to go on."""
        until = time.monotonic() + min(wait_s, TICK_S)
        self._sender.settle(0)
        self._ledger.write_if_due()
        time.sleep(max(0.0, until - time.monotonic()))
        return self._go_on()

    def _wait_for_answers(self) -> None:
        """Each message is answered or fails within the delivery timeout; whoever stopped us waits less than that."""
        deadline = time.monotonic() + self._last_wait_s
        while self._sender.unsettled() and not self._tally.broken:
            self._sender.settle(TICK_S)
            self._ledger.write_if_due()
            self.stopped = self.stopped or self._stop()
            if self.stopped and time.monotonic() > deadline:
                return

    def _go_on(self) -> bool:
        self.stopped = self.stopped or self._stop()
        return not self.stopped and not self._tally.broken
