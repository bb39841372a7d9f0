"""Renews assets/class-lists: the names of the classes that the broker and Spark load in a small run of the pipeline."""

import lzma
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from indutech.jvm import class_data

# The class that each of them is started by, as its command line has it.
STARTED_BY = {class_data.BROKER: b"kafka/Kafka", class_data.SPARK: b"org/apache/spark/deploy/SparkSubmit"}
COMMANDS = (
    "produce --count 1000 --seed 1",
    "stream --once",
    "compact",
    "produce --count 1000 --seed 2",
    "stream --once",
)


def main() -> None:
    """Run each command with a list for each JVM, and keep the longest list of each kind."""
    with tempfile.TemporaryDirectory() as folder:
        own = {"INDUTECH_DATA_DIR": folder, "JDK_JAVA_OPTIONS": f"-Xshare:off -XX:DumpLoadedClassList={folder}/%p.list"}
        for command in ("broker start", *COMMANDS, "broker stop"):
            run = [sys.executable, "-m", "indutech", *command.split()]
            subprocess.run(run, env={**os.environ, **own}, check=True)
        lists = [path.read_bytes() for path in Path(folder).glob("*.list")]
    for name, main_class in STARTED_BY.items():
        longest = max((one for one in lists if main_class in one.split()), key=len)
        (class_data.LISTS / f"{name}.txt.xz").write_bytes(lzma.compress(longest, preset=9 | lzma.PRESET_EXTREME))
        lines = len(longest.splitlines())
        print(f"{name}: {lines:,} lines")


if __name__ == "__main__":
    main()
