"""Faults of our own programs: killed, stopped, started twice, read while they write. Families 12, 13, 14, 17 and 20."""

import json
import signal
import threading
import time

from indutech.lake import layout
from indutech.lake import reader as lake
from indutech.lake.checkpoint import Checkpoint
from indutech.producer.audit import read_audit
from indutech.tickets import generator
from tests.faults.laboratory import LONGEST_START_S, Laboratory, ended, java_of, kill_all, wait_until
from tests.faults.on_messages import tickets
from tests.faults.table import fault

MANY = 20_000
SMALL_BATCHES = {"max_batch_tickets": 1_500, "trigger_s": 0}


def cut(messages: list[tuple[bytes, bytes]], every: int = 500) -> list[tuple[bytes, bytes]]:
    """The same messages, some of them cut, so that each micro-batch has something for the quarantine."""
    return [(key, value[:-9] if i % every == 0 else value) for i, (key, value) in enumerate(messages)]


@fault(
    12, "the stream SIGKILLed before, between and after its writes", promised="each offset once", settings=SMALL_BATCHES
)
def stream_killed_at_its_writes(laboratory: Laboratory) -> None:
    """At each of the three moments that matter, in a micro-batch of its own."""
    laboratory.send(cut(tickets(3_000)))
    for moment in ("dies_before_the_first_write", "dies_between_the_two_writes", "dies_before_the_commit"):
        with laboratory.running("stream", "--once", altered=moment) as process:
            assert ended(process).code == -signal.SIGKILL
            laboratory.hurt()
    assert laboratory.committed() == -1


@fault(12, "commits/N deleted, an orphan file left", promised="the micro-batch is replaced", settings=SMALL_BATCHES)
def commit_deleted(laboratory: Laboratory) -> None:
    """As if the newest commit had not reached the disk, while a killed writer left files of another attempt."""
    laboratory.send(cut(tickets(4_000)))
    assert laboratory.stream_once().code == 0
    newest = laboratory.committed()
    (laboratory.settings.checkpoint_dir / "commits" / str(newest)).unlink()
    orphan_of, *_ = (file.path for file in layout.all_files(laboratory.settings, "tickets") if file.batch == newest)
    (orphan_of.parent / "part-00000-of-another-attempt.parquet").write_bytes(orphan_of.read_bytes())
    (layout.root(laboratory.settings, "tickets") / ".spark-staging-of-a-killed-one").mkdir()
    laboratory.hurt(2)
    laboratory.send(tickets(100, seed=2))


@fault(
    13, "the producer SIGKILLed mid-burst, then the same again", promised="acknowledged tickets are there, curated once"
)
def producer_killed(laboratory: Laboratory) -> None:
    """Five bursts of the same seed die at a random moment; the sixth comes through."""
    for _ in range(5):
        before = laboratory.end()
        with laboratory.running("produce", "--count", str(MANY), "--seed", "5", "--load") as process:
            wait_until(lambda before=before: laboratory.end() > before, 60, "it sends", process)
            time.sleep(laboratory.draws.uniform(0, 0.4))  # not a wait for something: the random moment of death
            kill_all(process)
            laboratory.hurt()
    laboratory.produce("--count", str(MANY), "--seed", "5")
    assert laboratory.stream_once().code == 0
    curated = lake.query(laboratory.settings, "SELECT ticket_id FROM curated")["ticket_id"]
    assert sorted(curated) == sorted(generator.make_tickets(MANY, seed=5)["ticket_id"])
    audit = read_audit(laboratory.settings)
    assert audit
    assert audit.acknowledged + audit.recovered == sum(audit_end + 1 for audit_end in audit.last_acknowledged.values())


@fault(14, "SIGTERM, Ctrl-C, then run again", promised="exit 0 in bounded time, no Java left, the next run works")
def signals(laboratory: Laboratory) -> None:
    """A producer and a stream are told to stop, each in one way."""
    for number in (signal.SIGTERM, signal.SIGINT):
        laboratory.produce("--count", "500", "--seed", str(int(number)))
        batches, sent = laboratory.committed(), laboratory.end()
        with laboratory.running("stream") as stream, laboratory.running("produce", "--rate", "200") as producer:
            wait_until(lambda sent=sent: laboratory.end() > sent, LONGEST_START_S, "tickets arrive", producer)
            wait_until(
                lambda stream=stream, batches=batches, number=number: (
                    laboratory.committed() > batches if number == signal.SIGTERM else java_of(stream)
                ),
                LONGEST_START_S,
                "the stream works, or its Spark starts",
                stream,
            )
            for process in (producer, stream):
                process.send_signal(number)
                began = time.monotonic()
                done = ended(process, 60)
                laboratory.hurt()
                assert done.code == 0, done.said
                assert "Traceback" not in done.said
                assert time.monotonic() - began < 60
            wait_until(lambda stream=stream: not java_of(stream), 10, "its Java has ended")


@fault(
    17,
    "a second stream and a compaction on the same lake",
    promised="the second is refused with a sentence",
    short=True,
)
def second_writer(laboratory: Laboratory) -> None:
    """While one writes, others are refused at once; two producers at once are not."""
    laboratory.produce("--count", "200", "--seed", "1")
    with laboratory.running("stream") as stream:
        wait_until(lambda: java_of(stream), LONGEST_START_S, "Spark starts", stream)
        for command in (("stream", "--once"), ("compact",)):
            done = laboratory.indutech(*command)
            laboratory.hurt()
            assert done.code == 1
            assert "Another stream or compaction" in done.err
        with laboratory.running("produce", "--count", "300", "--seed", "2", "--json") as other:
            told = laboratory.produce("--count", "300", "--seed", "3")
            first = ended(other)
        assert told["acknowledged"] == json.loads(first.out)["acknowledged"] == 300
        laboratory.until_stored(stream)
        stream.send_signal(signal.SIGTERM)
        assert ended(stream, 60).code == 0


@fault(
    20,
    "readers while the stream writes, is killed and compacts",
    promised="whole micro-batches",
    settings=SMALL_BATCHES,
)
def readers_meanwhile(laboratory: Laboratory) -> None:
    """What a reader sees at any moment is, partition by partition, everything up to the end of one micro-batch."""
    laboratory.produce("--count", str(MANY), "--seed", "6", "--load")
    looks: list[dict[int, tuple[int, int]]] = []
    failures: list[BaseException] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            try:
                rows = lake.query(
                    laboratory.settings,
                    "SELECT kafka_partition AS p, count(DISTINCT kafka_offset) AS n, count(*) AS rows, "
                    "max(kafka_offset) + 1 AS upto FROM "
                    "(SELECT kafka_partition, kafka_offset FROM tickets UNION ALL "
                    "SELECT kafka_partition, kafka_offset FROM quarantine) GROUP BY 1",
                )
                assert (rows[["n", "n"]].to_numpy() == rows[["rows", "upto"]].to_numpy()).all(), rows
                looks.append({int(row.p): int(row.upto) for row in rows.itertuples()})
            except BaseException as error:
                failures.append(error)

    readers = [threading.Thread(target=look) for _ in range(2)]  # two notebooks at once
    for one in readers:
        one.start()
    try:
        for _ in range(2):
            enough = laboratory.committed() + 2
            with laboratory.running("stream") as stream:
                wait_until(
                    lambda enough=enough: laboratory.committed() >= enough, LONGEST_START_S, "it commits", stream
                )
                kill_all(stream)
                laboratory.hurt()
        assert laboratory.stream_once().code == 0
        assert laboratory.indutech("compact", "--open-day-too").code == 0
    finally:
        over.set()
        for one in readers:
            one.join()
    assert failures == []
    log = Checkpoint(laboratory.settings.checkpoint_dir)
    ends = [log.end_offsets(n, laboratory.settings.topic) for n in range(laboratory.committed() + 1)]
    whole = [{p: end for p, end in one.items() if end} for one in [dict[int, int](), *ends]]
    assert len(looks) > 20
    assert [one for one in looks if one not in whole] == []
