"""Faults of brokers: down, frozen, killed, elsewhere, and with other rights. Families 10, 11 and 19."""

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import trustme

from indutech.kafka import broker as brokers
from indutech.kafka import credentials
from indutech.kafka.readiness import wait_until_it_answers
from tests.faults.laboratory import LONGEST_START_S, Laboratory, ended, wait_until
from tests.faults.on_messages import tickets
from tests.faults.table import fault

FROZEN_S = 30


def java(laboratory: Laboratory) -> int:
    """The process of the laboratory's own broker."""
    pid = brokers.status(laboratory.settings).pid
    assert pid
    return pid


@contextmanager
def a_stream_at_work(laboratory: Laboratory, *more: str) -> Iterator[None]:
    """Producer and stream run while the block hurts the broker; both must come through, with all acknowledged."""
    with ExitStack() as stack:
        stream = stack.enter_context(laboratory.running("stream"))
        producer = stack.enter_context(laboratory.running("produce", "--rate", "500", "--seed", "11", "--json", *more))
        wait_until(lambda: laboratory.committed() >= 1, LONGEST_START_S, "the stream commits", stream)
        yield
        wait_until(laboratory.broker_answers, 60, "the broker answers", producer)
        before = laboratory.end()
        wait_until(lambda: laboratory.end() > before, 90, "the producer goes on", producer)
        producer.send_signal(signal.SIGTERM)
        done = ended(producer, 90)
        assert done.code == 0, done.said
        told = json.loads(done.out)
        assert told["failed"] == 0
        assert told["acknowledged"] == told["sent"] > 500
        laboratory.until_stored(stream)
        stream.send_signal(signal.SIGTERM)
        assert ended(stream, 90).code == 0


@fault(
    10, "broker down at start; wrong port, name or advertised address", promised="bounded, one sentence, the setting"
)
def broker_down(laboratory: Laboratory) -> None:
    """Producer, stream and reconcile say the same, within the time that the settings give."""
    laboratory.send(tickets(200))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        wrong = ("127.0.0.1:1", "nobody.invalid:9092", f"127.0.0.1:{silent.getsockname()[1]}")
        for address in wrong:
            for command in (("stream", "--once"), ("produce", "--count", "1"), ("reconcile",)):
                began = time.monotonic()
                done = laboratory.indutech(*command, KAFKA_BOOTSTRAP_SERVERS=address, INDUTECH_BROKER_TIMEOUT_S="2")
                assert time.monotonic() - began < 25
                assert done.code == 1
                assert address in done.err
                assert "KAFKA_BOOTSTRAP_SERVERS" in done.err
                assert "Traceback" not in done.said
                laboratory.hurt()


@fault(
    11,
    "broker SIGKILLed three times mid-stream",
    promised="acknowledged tickets survive; both resume",
    own_broker="plain",
)
def broker_killed(laboratory: Laboratory) -> None:
    """The supervisor starts it again; producer and stream wait for it."""
    with a_stream_at_work(laboratory):
        for _ in range(3):
            time.sleep(laboratory.draws.uniform(0, 2))  # not a wait for something: the random moment of death
            killed = java(laboratory)
            os.kill(killed, signal.SIGKILL)
            laboratory.hurt()
            wait_until(lambda killed=killed: java(laboratory) != killed, 20, "another Java runs")
            wait_until_it_answers(laboratory.broker, 60, "")


@fault(
    11,
    f"broker frozen for {FROZEN_S} s mid-stream",
    promised="acknowledged tickets survive; both resume",
    own_broker="plain",
)
def broker_frozen(laboratory: Laboratory) -> None:
    """SIGSTOP, as when a machine is suspended."""
    with a_stream_at_work(laboratory):
        os.kill(java(laboratory), signal.SIGSTOP)
        try:
            time.sleep(FROZEN_S)  # not a wait for something: the fault itself
        finally:
            os.kill(java(laboratory), signal.SIGCONT)
        laboratory.hurt()


@fault(
    19,
    "wrong password, unknown CA, plain client on a TLS port",
    promised="a sentence per cause, bounded, no secret",
    own_broker="secured",
    settings={"broker_timeout_s": 10},
)
def security(laboratory: Laboratory) -> None:
    """Each wrong setting is told apart; with the right ones the same tickets go through the same broker."""
    settings, address = laboratory.settings, laboratory.broker.bootstrap_servers
    (settings.secrets_dir / "stranger.pem").write_bytes(trustme.CA().cert_pem.bytes())
    (settings.secrets_dir / "wrong.password").write_text("correct-horse")
    given = credentials.variables_of(settings, "producer", address)
    plain = {name: "" for name in given if "SASL" in name or "SSL" in name}
    wrong = {
        "password": {"KAFKA_SASL_PASSWORD_FILE": str(settings.secrets_dir / "wrong.password")},
        "certificate|authority|CA": {"KAFKA_SSL_CA_FILE": str(settings.secrets_dir / "stranger.pem")},
        "speaks TLS": {**plain, "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"},
    }
    said = set()
    for words, changed in wrong.items():
        began = time.monotonic()
        done = laboratory.indutech("produce", "--count", "1", **{**given, **changed})
        assert time.monotonic() - began < 25
        assert done.code == 1
        assert re.search(words, done.err), done.err
        assert "correct-horse" not in done.err
        said.add(done.err)
        laboratory.hurt()
    assert len(said) == len(wrong)
    laboratory.produce("--count", "300", "--seed", "1", **given)
    laboratory.more_environment = credentials.variables_of(settings, "stream", address)
