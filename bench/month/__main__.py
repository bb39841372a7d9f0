"""Replay a month of InduTech: 50 GB of tickets by default, through producer, broker, stream, compaction and proofs.

The tickets come from a seed, dated by the hours of work. What the stream has committed is deleted from the topic as it
goes, and the producer waits while the topic takes more than --backlog; so the disk holds the Parquet, twice while it is
compacted, and that backlog. Ctrl-C ends all of it and removes what was written.

  python -m bench.month --days 1            a thirtieth of it, to see how fast this machine is
  python -m bench.month --days 30 --save    the whole month, alone on the machine, kept in assets/month-run.json
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console

from bench.month import run, shown
from bench.month.plan import DAYS_A_MONTH, Month, planned
from indutech.kafka import broker as brokers
from indutech.system import leases
from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT, Settings
from indutech.system.signals import STOPPED, interruptible
from indutech.system.state_files import write_json

FILE = PROJECT / "assets" / "month-run.json"
SEED = 7
BACKLOG_GB = 4.0
BATCH = 5_000_000  # twice the default, for half of the fixed costs: nobody waits for the newest ticket
_LOCK, _KEPT = ".lock", ".kept"


def main(arguments: list[str]) -> None:
    """Plan, refuse what has no room, replay, print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.month", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=float, default=DAYS_A_MONTH, help=f"of the month; {DAYS_A_MONTH} by default")
    parser.add_argument("--seed", type=int, default=SEED, help=f"repeats a month exactly; {SEED} by default")
    parser.add_argument(
        "--backlog", type=float, default=BACKLOG_GB, metavar="GB", help=f"most that the topic takes; {BACKLOG_GB:g}"
    )
    parser.add_argument("--keep", action="store_true", help="leave lake, checkpoint and broker data in the folder")
    parser.add_argument(
        "--save",
        action="store_true",
        help=f"write {FILE.relative_to(PROJECT)}, and what a whole month measures for the bill",
    )
    asked = parser.parse_args(arguments)
    if not 0 < asked.days <= 366 or asked.backlog <= 0 or asked.seed < 0:
        parser.error("--days is more than 0 and at most 366, --backlog more than 0, --seed at least 0")
    settings, backlog_bytes = settings_of_month(Settings()), round(asked.backlog * 1e9)
    month = planned(settings, asked.days, asked.seed)
    with own_folder(settings, keep=asked.keep):
        refuse_without_room(month, settings.data_dir, backlog_bytes)
        print(plan_in_words(month, settings.data_dir, backlog_bytes), file=sys.stderr)
        with shown.display(month.tickets) as display:
            for_the_bill = asked.save and asked.days >= DAYS_A_MONTH
            found = run.replay(month, settings, backlog_bytes, display, for_the_bill=for_the_bill)
        Console().print(shown.as_table(found))
        if not found["proven"]:
            counts = ", ".join(f"{found[name]:,} {name}" for name in ("stored", "lost", "twice", "pending"))
            raise InduTechError(f"Not every ticket is in the lake once: {counts}; the audit says {found['audit']}.")
    if asked.save:
        write_json(FILE, {"command": " ".join(["python -m bench.month", *arguments]), **found})
        print(f"Saved: {FILE.relative_to(PROJECT)}")
    if asked.keep:
        print(f"Kept: {settings.data_dir}")


def settings_of_month(settings: Settings) -> Settings:
    """Return the settings for tickets in a folder of the month's own, on an embedded broker."""
    folder = settings.data_dir / "month"
    own = {
        "bootstrap_servers": None,
        "security_protocol": "PLAINTEXT",
        "lake_uri": str(folder / "lake"),  # said, because a program of ours would else read that of `.env`
        "data_dir": folder,
        "max_batch_tickets": BATCH,
    }
    return settings.for_product("tickets").model_copy(update=own)


def plan_in_words(month: Month, folder: Path, backlog_bytes: int) -> str:
    """Return what will be done, and what room it takes."""
    return (
        f"{month.days:g} days: {month.tickets:,} tickets, {shown.gb(month.raw_bytes)} of JSON; up to "
        f"{shown.gb(month.room(backlog_bytes))} of the {shown.gb(shutil.disk_usage(folder).free)} free in {folder}."
    )


def refuse_without_room(month: Month, folder: Path, backlog_bytes: int) -> None:
    """Say before the first ticket that the disk is too small.

    Raises:
        InduTechError: with what it takes and what there is.
    """
    needed, free = month.room(backlog_bytes), shutil.disk_usage(folder).free
    if free < needed:
        raise InduTechError(
            f"{month.days:g} days of tickets take about {shown.gb(needed)} in {folder}, and {shown.gb(free)} are free: "
            "ask for fewer --days or a smaller --backlog, or set another INDUTECH_DATA_DIR."
        )


@contextmanager
def own_folder(settings: Settings, *, keep: bool) -> Iterator[None]:
    """Give an empty folder that nobody else replays into, and remove it afterwards; not if the month has failed.

    Raises:
        InduTechError: another month is being replayed there, or one that was kept is there.
    """
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / _LOCK, timeout=0):
            if (folder / _KEPT).exists():
                raise InduTechError(
                    f"A month is kept in {folder}: delete that folder, or set another INDUTECH_DATA_DIR."
                )
            if brokers.status(settings).running or leases.is_locked(settings.writer_lock):
                raise InduTechError(f"A month that was killed is still ending in {folder}: try again in a minute.")
            for left in folder.iterdir():
                if left.name != _LOCK:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()
            try:
                yield
            except InduTechError as error:
                if {path.name for path in folder.iterdir()} != {_LOCK}:
                    raise InduTechError(f"{error} What it wrote stays in {folder} until the next start.") from error
                raise
            except BaseException:
                shutil.rmtree(folder)
                raise
            if keep:
                (folder / _KEPT).touch()
            else:
                shutil.rmtree(folder)
    except Timeout as error:
        raise InduTechError(f"Another process replays a month into {folder}: wait for it.") from error


if __name__ == "__main__":
    try:
        with interruptible():
            main(sys.argv[1:])
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        sys.exit(130)
    except InduTechError as problem:
        sys.exit(f"month: {problem}")
