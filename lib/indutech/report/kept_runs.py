"""The reports of this data folder: a folder for each run, `latest` for the newest, and old ones deleted on request."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indutech.report.edition import templates
from indutech.show import language
from indutech.system.errors import InduTechError

LATEST = "latest"
FACTS = "run.json"


class UnknownRun(InduTechError):
    """There is no report of that run."""


@dataclass(frozen=True)
class KeptRun:
    """A run whose report is kept."""

    folder: Path
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of its folder, by which it is asked for."""
        return self.folder.name

    @property
    def language(self) -> str:
        """The language of its pages."""
        return str(self.facts.get("language", language.SOURCE))

    @property
    def language_name(self) -> str:
        """The language in its own words."""
        return language.NAMES[self.language]

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def new_folder(root: Path, made_at: datetime, spoken: str = language.SOURCE) -> Path:
    """A folder for a run, named by its moment; a report of an earlier version, without runs, becomes one itself."""
    if (root / FACTS).is_file():
        before = datetime.fromtimestamp((root / FACTS).stat().st_mtime, UTC)
        aside = root.with_name(f"{root.name}.before")
        root.rename(aside)
        root.mkdir()
        aside.rename(_free(root, before))
    root.mkdir(parents=True, exist_ok=True)
    for unfinished in root.glob("*.new"):
        shutil.rmtree(unfinished)
    return _free(root, made_at, spoken)


def edition_folder(folder: Path, spoken: str) -> Path:
    """Where the edition of a run in another language stands: beside it, so that neither replaces the other."""
    others = [f"-{one}" for one in language.LANGUAGES if folder.name.endswith(f"-{one}")]
    return folder.with_name(folder.name.removesuffix("".join(others)) + _suffix(spoken))


def publish(root: Path, folder: Path) -> Path:
    """Make a run the latest one, list it, and return its index under the stable address."""
    link = root / f".{LATEST}"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name, target_is_directory=True)
    link.replace(root / LATEST)
    _write_list(root)
    return root / LATEST / "index.html"


def kept(root: Path) -> list[KeptRun]:
    """All runs, the newest first."""
    folders = [path.parent for path in root.glob(f"*Z*/{FACTS}") if path.parent.suffix != ".new"]
    return [
        KeptRun(folder, json.loads((folder / FACTS).read_text(encoding="utf-8")))
        for folder in sorted(folders, reverse=True)
    ]


def find(root: Path, name: str) -> KeptRun:
    """A run by the name of its folder, or `latest`; or by the path of a report's folder.

    Raises:
        UnknownRun: naming those there are.
    """
    for folder in (root / name, Path(name)):
        if (folder / FACTS).is_file():
            folder = folder.resolve()
            return KeptRun(folder, json.loads((folder / FACTS).read_text(encoding="utf-8")))
    names = ", ".join(run.name for run in kept(root)) or "none yet: make one with `indutech report`"
    raise UnknownRun(f"No report of a run {name!r} in {root}. There are: {names}.")


def beyond(root: Path, keep: int) -> list[KeptRun]:
    """The runs that are older than the newest `keep`; never the latest."""
    latest = (root / LATEST).resolve().name
    return [run for run in kept(root)[keep:] if run.name != latest]


def delete(root: Path, runs: Sequence[KeptRun]) -> None:
    """Delete the reports of these runs, and list what is left."""
    for run in runs:
        shutil.rmtree(run.folder)
    _write_list(root)


def _free(root: Path, moment: datetime, spoken: str = language.SOURCE) -> Path:
    name = f"{moment:%Y-%m-%dT%H%M%SZ}"
    number = 2
    while (folder := root / f"{name}{_suffix(spoken)}").exists():
        name, number = f"{moment:%Y-%m-%dT%H%M%SZ}-{number}", number + 1
    return folder


def _suffix(spoken: str) -> str:
    return "" if spoken == language.SOURCE else f"-{spoken}"


def _write_list(root: Path) -> None:
    (root / "index.html").write_text(templates.render("runs.html.j2", runs=kept(root)), encoding="utf-8")
