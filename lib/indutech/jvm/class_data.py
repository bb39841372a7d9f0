"""Java's archives of the classes that the broker and Spark load: made once, so that both start sooner.

Class data sharing is Java's own (JEP 310). A JVM looks whether an archive is of its version and its class path, and
starts as ever, only slower, where it is not or where there is none. Which classes belong in it is a list of names that
a run of the pipeline gave: `python -m bench.class_lists` renews it.
"""

import hashlib
import lzma
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from indutech.jvm import jars, java
from indutech.system.settings import PROJECT

BROKER, SPARK = "kafka-server", "spark"
LISTS = PROJECT / "assets" / "class-lists"
# No class path or archive of the environment may get in between.
_OPTION_VARIABLES = ("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")


def archive(name: str) -> Path:
    """Return where the archive is, or will be: beside the packages whose jars it belongs to."""
    return Path(sys.prefix) / "class-data" / f"{name}.jsa"


def options(name: str) -> list[str]:
    """Return what a JVM is started with so that it uses the archive; nothing where there is none."""
    return [f"-XX:SharedArchiveFile={archive(name)}"] if archive(name).exists() else []


def make(name: str) -> None:
    """Make the archive, unless it is there for this Java, these jars and this list; docs/decisions/0059 has the cost.

    Raises:
        subprocess.CalledProcessError: this Java cannot.
        OSError: the folder cannot be written.
    """
    class_path, listed = _class_path(name), lzma.decompress((LISTS / f"{name}.txt.xz").read_bytes())
    made_for = f"{java.java_home()}\n{hashlib.sha256(listed).hexdigest()}\n{class_path}\n{_newest(class_path)}\n"
    stamp = archive(name).with_suffix(".made-for")
    if archive(name).exists() and stamp.exists() and stamp.read_text("utf-8") == made_for:
        return
    archive(name).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive(name).parent) as folder:
        names, made = Path(folder, "names.txt"), Path(folder, "made.jsa")
        names.write_bytes(listed)
        subprocess.run(
            [
                *(java.find_java(), "-Xshare:dump", "-Xlog:disable", "-Xlog:all=error:stderr"),
                *("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),  # a run of seconds
                *(f"-XX:SharedClassListFile={names}", f"-XX:SharedArchiveFile={made}", "-cp", class_path),
            ],
            env={name: value for name, value in os.environ.items() if name not in _OPTION_VARIABLES},
            capture_output=True,
            text=True,
            check=True,
        )
        made.replace(archive(name))  # who runs on the one before keeps it
    stamp.write_text(made_for, "utf-8")


def _class_path(name: str) -> str:
    if name == BROKER:
        return os.pathsep.join(str(jar) for jar in jars.kafka_server_jars())
    return _of_spark(os.pathsep.join(str(jar) for jar in jars.spark_kafka_jars()))


def _of_spark(first: str) -> str:
    """Ask Spark's own launcher, which prints the command that it would start."""
    import pyspark

    home = Path(pyspark.__file__).parent
    told = subprocess.run(
        [
            *(java.find_java(), "-cp", home / "jars" / "*", "org.apache.spark.launcher.Main"),
            *("org.apache.spark.deploy.SparkSubmit", "--conf", f"spark.driver.extraClassPath={first}", "pyspark-shell"),
        ],
        env={"PATH": os.environ.get("PATH", ""), "SPARK_HOME": str(home), "SPARK_SCALA_VERSION": "2.13"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return told[told.index("-cp") + 1]


def _newest(class_path: str) -> int:
    files = [file for part in class_path.split(os.pathsep) for file in Path(part).parent.glob(Path(part).name)]
    return max(file.stat().st_mtime_ns for file in files if file.is_file())


def main() -> int:
    """Make both archives, side by side; where one cannot be made, say so: everything runs without it, only slower."""
    with ThreadPoolExecutor() as pool:
        for name, making in [(name, pool.submit(make, name)) for name in (BROKER, SPARK)]:
            if error := making.exception():
                told = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else error
                print(f"No class data of {name}, which starts slower without ({told}).", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
