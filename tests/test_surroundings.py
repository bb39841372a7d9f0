"""What a machine brings along changes nothing: names of folders, settings files, another Spark, a bare environment."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError
from pyspark.sql import SparkSession

from indutech.kafka.connection import Broker
from indutech.lake import compaction, reader
from indutech.producer.produce import produce
from indutech.proof import reconcile
from indutech.stream import job
from indutech.system.settings import Settings

NewSettings = Callable[..., Settings]


def test_a_folder_whose_name_is_a_pattern(
    broker: Broker, spark: SparkSession, new_settings: NewSettings, tmp_path: Path
) -> None:
    """Brackets, braces, stars and question marks in a folder's name are letters to every reader and writer."""
    decoy = tmp_path / "projet p a essai 1 quoi 1"
    decoy.mkdir()
    folder = tmp_path / "projet [prod] {a,b} essai * quoi ?"
    settings = new_settings("a-pattern").model_copy(update={"data_dir": folder})

    for _ in range(2):
        produce(settings, broker, count=100, seed=1, progress=False)
        job.run(settings, broker, once=True)
    compaction.compact(settings, open_day_too=True)

    assert reconcile.prove(settings, broker, full=True).exit_code == 0
    assert reader.read(settings).num_rows == 200
    seen = reader.rows_by_reader(settings, spark)
    assert seen["rows"].tolist() == seen["distinct places"].tolist() == [200] * 4
    assert list(decoy.iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        "KAFKA_TOPIC=from-a-file\r\n",
        "export KAFKA_TOPIC=from-a-file\n",
        "KAFKA_TOPIC='from-a-file'\n",
        'KAFKA_TOPIC="from-a-file" # a comment\n',
        "# a comment\r\n\r\nKAFKA_TOPIC = from-a-file # another\r\n",
        "\ufeffKAFKA_TOPIC=from-a-file\r\n",
        "KAFKA_BOOTSTRAP_SERVERS=\nINDUTECH_DATA_DIR= # the default\nKAFKA_TOPIC=from-a-file",
    ],
)
def test_settings_files_as_editors_write_them(tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line ends, `export`, quotes, comments, a byte order mark and empty values are understood."""
    for name in ("KAFKA_TOPIC", "KAFKA_BOOTSTRAP_SERVERS", "INDUTECH_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").write_bytes(line.encode())

    settings = Settings(_env_file=tmp_path / ".env")

    assert (settings.topic, settings.bootstrap_servers) == ("from-a-file", None)
    assert settings.data_dir.name == "data_output"


START = """
import json, sys
from indutech.stream.session import session
from indutech.system.settings import Settings
spark = session(Settings(_env_file=None, data_dir=sys.argv[1]))
print(json.dumps([spark.sparkContext.master, spark.conf.get("spark.sql.shuffle.partitions"),
      spark.conf.get("spark.hadoop.leaked", ""), spark._jsc.hadoopConfiguration().get("fs.defaultFS")]))
spark.stop()
"""


@pytest.mark.java
def test_another_spark_on_the_machine(tmp_path: Path) -> None:
    """Settings of another Spark and Hadoop do not reach ours, nor do a bare locale and no home folder stop it."""
    (tmp_path / "spark-defaults.conf").write_text("spark.hadoop.leaked yes\nspark.sql.shuffle.partitions 77\n")
    (tmp_path / "core-site.xml").write_text(
        "<configuration><property><name>fs.defaultFS</name><value>hdfs://elsewhere</value></property></configuration>"
    )
    elsewhere = {name: str(tmp_path) for name in ("SPARK_HOME", "SPARK_CONF_DIR", "HADOOP_CONF_DIR", "YARN_CONF_DIR")}
    bare = {name: value for name, value in os.environ.items() if name not in ("HOME", "LC_ALL", "LANG")}

    started = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path / "données")],
        env={**bare, **elsewhere, "LANG": "C", "PYSPARK_SUBMIT_ARGS": "--master spark://elsewhere:7077 pyspark-shell"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert started.returncode == 0, started.stderr
    assert json.loads(started.stdout) == ["local[*]", "2", "", "file:///"]


def test_the_jvm_of_spark_has_the_options_of_the_settings(spark: SparkSession) -> None:
    """INDUTECH_DRIVER_OPTIONS, which these tests have set; what is no option is refused by name."""
    bean = spark.sparkContext._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean()
    assert set(Settings(_env_file=None).driver_options.split()) <= set(bean.getInputArguments())
    assert Settings(_env_file=None).driver_options
    with pytest.raises(ValidationError, match="INDUTECH_DRIVER_OPTIONS"):
        Settings(_env_file=None, INDUTECH_DRIVER_OPTIONS="Xmx4g")
