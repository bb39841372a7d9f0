"""Damage to a checkpoint, one file at a time, and what `indutech doctor` and the stream say to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from indutech.lake.checkpoint import Checkpoint
from indutech.proof import doctor
from indutech.proof.doctor import Level
from indutech.report.trials.bench import Bench
from indutech.stream import job
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings


def diagnosed(bench: Bench) -> pd.DataFrame:
    """Cut one file after the other, look what doctor and the stream say, and put it back.

    The first file belongs to a micro-batch that is committed, the second to one that was only planned.
    """
    settings = bench.settings
    offsets = settings.checkpoint_dir / "offsets"
    newest = Checkpoint(settings.checkpoint_dir).last_committed() or 0
    cases = {
        "offsets of the newest committed micro-batch, emptied": offsets / str(newest),
        "offsets of the one after it, cut while it was planned": offsets / str(newest + 1),
    }
    rows = []
    for what, file in cases.items():
        with _cut(file, like=offsets / str(newest)):
            rows.append({"damage": what, "doctor says": _said(settings), "the stream": _refused(bench)})
    return pd.DataFrame(rows)


@contextmanager
def _cut(file: Path, like: Path) -> Iterator[None]:
    before = file.read_bytes() if file.exists() else None
    file.write_bytes(b"" if before else like.read_bytes()[:20])
    try:
        yield
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_bytes(before)


def _said(settings: Settings) -> str:
    problems = [found for found in doctor.examine(settings).findings if found.level is Level.PROBLEM]
    return " ".join(_without_the_folder(settings, f"{found.subject}: {found.says}") for found in problems)


def _refused(bench: Bench) -> str:
    try:
        job.run(bench.settings, bench.broker, once=True, spark=bench.spark)
    except InduTechError as error:
        return f"refused to start ({type(error).__name__})"
    return "started"


def _without_the_folder(settings: Settings, text: str) -> str:
    return text.replace(f"{settings.data_dir}/", "")
