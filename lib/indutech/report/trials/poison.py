"""A message that is no ticket, followed from the broker to the quarantine and, mended, into the lake."""

import pandas as pd

from indutech.lake import quarantine, reader, replay_log
from indutech.lake.quarantine import Place, Selection
from indutech.producer import quarantine_replay
from indutech.producer.quarantine_replay import ReplayResult
from indutech.report.trials.bench import Bench
from indutech.show.printable import printable
from indutech.system.settings import Settings
from indutech.tickets import contract, mending


def shown(settings: Settings, partition: int, offset: int) -> str:
    """One refused message as Markdown: its bytes, and at which byte the contract objects to what."""
    found = quarantine.message(settings, Place(int(partition), int(offset)))  # a table has numbers of numpy
    faults = contract.all_faults(found.value)
    wrong = (f"- byte {one.position}, field `{one.field}`: {one.reason}" for one in faults)
    return "\n".join(["```json", printable(found.value or b""), "```", *wrong])


def sent_again(bench: Bench, *, reason: str, **fields: str) -> ReplayResult:
    """Send the messages again whose reason begins so, with these fields set; each once, however often it is called."""
    new = {name: mending.as_json_value(name, value) for name, value in fields.items()}
    return quarantine_replay.replay(
        bench.settings, bench.broker, Selection(reason), mend=lambda value: mending.with_fields(value, new)
    )


def followed(settings: Settings) -> pd.DataFrame:
    """Return each refused message with its reason, where it stands again, and the ticket that it has become."""
    again = replay_log.read(settings).places
    tickets = reader.query(settings, "SELECT kafka_partition, kafka_offset, type FROM curated")
    places = zip(tickets["kafka_partition"], tickets["kafka_offset"], tickets["type"], strict=True)
    became = {Place(int(partition), int(offset)): kind for partition, offset, kind in places}
    rows = [
        {
            "refused at": str(one.place),
            "reason": one.reason,
            "sent again to": str(again.get(one.place, "")),
            "stored as": became.get(again[one.place], "") if one.place in again else "",
        }
        for one in quarantine.messages(settings, Selection())
    ]
    return pd.DataFrame(rows)
