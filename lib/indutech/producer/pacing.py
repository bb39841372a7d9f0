"""Sends the messages of one run at a rate, or as fast as the client takes them, and keeps the audit up to date."""

import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from indutech.producer.audit_log import AuditWriter
from indutech.producer.counts import Sender, Tally

BEHIND_AT_MOST_S = 0.5  # what was missed before that in a stall is not sent in a burst
TICK_S = 0.05

M = TypeVar("M")


class Run(Generic[M]):
    """One run; `stopped` tells whether it was asked to end before all messages were sent."""

    def __init__(
        self,
        sender: Sender[M],
        tally: Tally,
        audit_writer: AuditWriter,
        stop: Callable[[], bool],
        last_wait_s: float,
    ) -> None:
        self._sender, self._tally, self._audit_writer = sender, tally, audit_writer
        self._stop, self._last_wait_s = stop, last_wait_s
        self.stopped = False

    def send(self, messages: Iterator[list[M]], rate: float | None) -> None:
        """Send all and wait for the delivery reports; end early when asked to, or when the client cannot go on."""
        try:
            for chunk in messages if rate is None else self._at_rate(messages, rate):
                if not self._hand_over(chunk):
                    break
            self._wait_for_reports()
        except BaseException:  # Ctrl-C in a notebook, or a damaged file: wait for the delivery reports all the same
            self.stopped = True
            self._wait_for_reports()
            raise
        finally:
            if self._sender.in_flight():
                self._sender.abandon()

    def _hand_over(self, chunk: list[M]) -> bool:
        while chunk:
            if not self._go_on():
                return False
            taken = self._sender.offer(chunk)
            self._sender.poll(0 if taken else TICK_S)
            self._audit_writer.write_if_due()
            chunk = chunk[taken:]
        self._audit_writer.write_if_due()
        return self._go_on()

    def _at_rate(self, messages: Iterator[list[M]], rate: float) -> Iterator[list[M]]:
        """Yield the messages when they are due: the n-th n / rate seconds after the first was acknowledged."""
        began = None
        due = 0
        for batch in messages:
            if not self._go_on():
                return
            while batch:
                if began is None:
                    # A client that is still connecting would queue the first messages and send them in a burst.
                    yield batch[:1]
                    while self._sender.in_flight():
                        if not self._idle(TICK_S):
                            return
                    batch, due, began = batch[1:], 1, time.monotonic()
                elapsed = time.monotonic() - began
                if (behind := elapsed - due / rate) > BEHIND_AT_MOST_S:
                    began += behind - BEHIND_AT_MOST_S
                    elapsed -= behind - BEHIND_AT_MOST_S
                ready = min(len(batch), int(elapsed * rate) + 1 - due)
                if ready > 0:
                    yield batch[:ready]
                    batch, due = batch[ready:], due + ready
                elif batch and not self._idle(due / rate - elapsed):
                    return

    def _idle(self, wait_s: float) -> bool:
        """Wait, at most one tick, and tell whether to go on."""
        until = time.monotonic() + min(wait_s, TICK_S)
        self._sender.poll(0)
        self._audit_writer.write_if_due()
        time.sleep(max(0.0, until - time.monotonic()))
        return self._go_on()

    def _wait_for_reports(self) -> None:
        """Wait until each message has its delivery report or its timeout; after a stop, only `last_wait_s`."""
        deadline = time.monotonic() + self._last_wait_s
        while self._sender.in_flight() and not self._tally.broken:
            self._sender.poll(TICK_S)
            self._audit_writer.write_if_due()
            self.stopped = self.stopped or self._stop()
            if self.stopped and time.monotonic() > deadline:
                return

    def _go_on(self) -> bool:
        self.stopped = self.stopped or self._stop()
        return not self.stopped and not self._tally.broken
