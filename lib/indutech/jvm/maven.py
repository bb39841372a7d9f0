"""Maven repositories through jgo: download one jar whole, or resolve everything that a coordinate needs."""

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from indutech.system.errors import InduTechError

ATTEMPTS = 3
PAUSE_S = 2  # between two attempts


class JarsUnavailable(InduTechError):
    """A jar could not be fetched, or is not the one that the lock names."""


def download(coordinate: str, repository: Path) -> Path:
    """Return the jar of `group:artifact:version`, downloaded below a folder that the caller throws away.

    Raises:
        JarsUnavailable: after three attempts.
    """
    import requests  # here, because every command reads this module, and almost none downloads

    artifact = _context(repository).create_dependency(coordinate).artifact
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return Path(artifact.resolve())
        except (requests.RequestException, RuntimeError) as error:
            if attempt == ATTEMPTS:
                raise JarsUnavailable(
                    f"Could not download {coordinate} ({type(error).__name__}): check the network, or name a mirror "
                    "in the [repositories] of jgo's configuration file, then run `make setup` again."
                ) from error
        artifact.cached_path.unlink(missing_ok=True)  # else the half that arrived would be taken for the whole
        time.sleep(PAUSE_S)
    raise AssertionError("the last attempt returns or raises")


def resolve(coordinates: list[str], repository: Path, have: Callable[[str], bool]) -> dict[str, str]:
    """Return coordinate → SHA-256 of everything that these coordinates need and that `have(file name)` denies."""
    context = _context(repository)
    needed: dict[tuple[str, str], Any] = {}
    for coordinate in coordinates:
        # One at a time: together, each one's parent pom would set the versions of the others' dependencies.
        inputs, others = context.resolver.resolve([context.create_dependency(coordinate)])
        for artifact in (one.artifact for one in [*inputs, *others] if one.scope in ("compile", "runtime", None)):
            needed.setdefault((artifact.groupId, artifact.artifactId), artifact)
    missing = [artifact for artifact in needed.values() if not have(artifact.filename)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        files = list(pool.map(lambda artifact: artifact.resolve(), missing))
    return {
        f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}": hashlib.sha256(file.read_bytes()).hexdigest()
        for artifact, file in zip(missing, files, strict=True)
    }


def hashes(coordinates: list[str], repository: Path) -> dict[str, str]:
    """Return coordinate → SHA-256 of exactly these jars, whatever else they ask for."""
    return {one: hashlib.sha256(download(one, repository).read_bytes()).hexdigest() for one in coordinates}


def _context(repository: Path) -> Any:
    """Return jgo's way to the repositories: those of the user's own configuration, then Maven Central."""
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext

    configured = GlobalSettings.load().repositories
    remotes = {**configured, "central": configured.get("central", MAVEN_CENTRAL_URL)}
    return MavenContext(repo_cache=repository, remote_repos=remotes, timeout=30)
