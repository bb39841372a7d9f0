"""The month's topic: in small segments, whose size on the disk is known, and without what the stream has committed."""

from collections.abc import Mapping

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.kafka.embedded import properties
from indutech.kafka.readiness import ANSWERS_WITHIN_S, asking
from indutech.lake.checkpoint import Checkpoint
from indutech.system.settings import Settings

SEGMENTS_IN_BACKLOG = 64  # Kafka deletes whole segments only
SMALLEST_SEGMENT, LARGEST_SEGMENT = 2**20, 2**26
# How often the broker looks for segments that nobody needs; five minutes is its default, and much is sent in those.
LOOKS_EVERY_MS = 5_000


def quick_deletion() -> None:
    """Let the embedded brokers that this process starts free the disk soon after a deletion."""
    properties.SETTINGS["log.retention.check.interval.ms"] = str(LOOKS_EVERY_MS)


def make(settings: Settings, broker: Broker, backlog_bytes: int) -> None:
    """Make the topic as `produce` does, with segments that are small beside the backlog."""
    name = topics.ensure_topic(broker, settings).name
    segment = min(max(backlog_bytes // SEGMENTS_IN_BACKLOG, SMALLEST_SEGMENT), LARGEST_SEGMENT)
    own = {"segment.bytes": str(segment), "file.delete.delay.ms": "1000"}
    entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in own.items()]
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
    with asking(broker) as admin:
        admin.incremental_alter_configs([resource], request_timeout=ANSWERS_WITHIN_S)[resource].result()


def delete_committed(settings: Settings, broker: Broker, known: Mapping[int, int]) -> dict[int, int]:
    """Delete the records that the stream has committed, and return partition → first offset that is left.

    `known` is what the last call returned: what is deleted already is not asked for again.
    """
    committed = Checkpoint(settings.checkpoint_dir).committed_offsets(settings.topic)
    wanted = {p: offset for p, offset in committed.items() if offset > known.get(p, 0)}
    if wanted:
        places = [TopicPartition(settings.topic, partition, offset) for partition, offset in wanted.items()]
        with asking(broker) as admin:
            for deleted in admin.delete_records(places, request_timeout=ANSWERS_WITHIN_S).values():
                deleted.result()
    return {**known, **wanted}


class OnDisk:
    """The segments of the topic in the embedded broker's folder; those that are deleted were seen before."""

    def __init__(self, settings: Settings) -> None:
        self._folder, self._topic = settings.broker_dir, settings.topic
        self._seen: dict[tuple[str, str], int] = {}

    def bytes_now(self) -> int:
        """Look, and return the bytes that the topic takes now."""
        now = 0
        for path in self._folder.glob(f"**/{self._topic}-*/*.log*"):  # deleted ones are renamed first
            try:
                size = path.stat().st_size
            except FileNotFoundError:
                continue
            now += size
            place = (path.parent.name, path.name.split(".")[0])
            self._seen[place] = max(size, self._seen.get(place, 0))
        return now

    @property
    def bytes_written(self) -> int:
        """Bytes that the broker has written of it, as far as was looked."""
        return sum(self._seen.values())
