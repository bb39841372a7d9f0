"""Commands and programs that tests start to kill them: with the settings of the test, in a session of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from indutech.system.settings import Settings


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment in which another process has these settings; its Spark needs less memory than a user's."""
    secret = settings.aws_secret_access_key
    return {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers or "",
        "KAFKA_TOPIC": settings.topic,
        "SPARK_MASTER": settings.spark_master,
        "INDUTECH_DATA_DIR": str(settings.data_dir),
        "INDUTECH_LAKE_URI": settings.lake_uri or "",
        "INDUTECH_S3_ENDPOINT": settings.s3_endpoint or "",
        "AWS_ACCESS_KEY_ID": settings.aws_access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": secret.get_secret_value() if secret else "",
        "INDUTECH_MAX_BATCH_TICKETS": str(settings.max_batch_tickets),
        "INDUTECH_TRIGGER_S": str(settings.trigger_s),
        "INDUTECH_DRIVER_MEMORY": "1g",
    }


@contextmanager
def running(settings: Settings, *arguments: str, **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """Python with these arguments, so that its JVM dies in the same instant; dead at the end in any case."""
    process = subprocess.Popen(
        [sys.executable, *arguments], env=environment_of(settings), start_new_session=True, **options
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
