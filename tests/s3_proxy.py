"""S3Proxy, an S3 server of other authors: a Java program over a folder, from Maven; for the long runs only."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indutech.jvm import jars, java

LOCK = Path(__file__).with_suffix(".lock")
LOGGING = """<configuration><appender name="console" class="ch.qos.logback.core.ConsoleAppender">
<encoder><pattern>%d %p %c{1} %m%n</pattern></encoder></appender>
<root level="warn"><appender-ref ref="console"/></root></configuration>"""
KEY, SECRET = "S3PROXYKEY", "a-secret-of-this-test"


class S3Proxy:
    """One server over one folder; a kill keeps what the folder has."""

    key, secret = KEY, SECRET

    def __init__(self, folder: Path, bucket: str) -> None:
        self.bucket = bucket
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        (folder / "data" / bucket).mkdir(parents=True)
        (folder / "s3proxy.conf").write_text(
            f"s3proxy.endpoint={self.endpoint}\n"
            "s3proxy.authorization=aws-v2-or-v4\n"
            f"s3proxy.identity={KEY}\ns3proxy.credential={SECRET}\n"
            f"jclouds.provider=filesystem-nio2\njclouds.filesystem.basedir={folder / 'data'}\n"
        )
        (folder / "logback.xml").write_text(LOGGING)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        locked = tomllib.loads(LOCK.read_text())["s3-proxy"]
        class_path = os.pathsep.join(str(jar) for jar in jars.fetch(jars.Jar(*one) for one in locked.items()))
        with (self._folder / "s3proxy.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(java.find_java()), "-Xmx256m", "-Dlogback.configurationFile=logback.xml"),
                    *("org.gaul.s3proxy.Main", "--properties", "s3proxy.conf"),
                ],
                env={**os.environ, "CLASSPATH": class_path},
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            assert time.monotonic() < deadline, (self._folder / "s3proxy.log").read_text()[-2000:]
            time.sleep(0.1)

    def kill(self) -> None:
        """End it at once."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)

    def kill_and_start(self) -> None:
        """Kill it and start it again on the same port."""
        self.kill()
        self.start()


@contextmanager
def s3_proxy(bucket: str) -> Iterator[S3Proxy]:
    """A server with one bucket while the block runs, in a folder whose name its settings can hold."""
    with tempfile.TemporaryDirectory(prefix="s3proxy-") as folder:
        proxy = S3Proxy(Path(folder), bucket)
        proxy.start()
        try:
            yield proxy
        finally:
            proxy.kill()
