"""Every setting of the project, once: from the environment, then from `.env`, then the defaults below."""

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """What someone may change without touching the code.

    Names of the environment variables are the aliases; relative folders start at the project's root,
    so that a notebook, a test and the command line all mean the same place.
    """

    model_config = SettingsConfigDict(
        env_file=PROJECT / ".env", env_ignore_empty=True, extra="ignore", populate_by_name=True, frozen=True
    )

    bootstrap_servers: str | None = Field(
        None,
        alias="KAFKA_BOOTSTRAP_SERVERS",
        description="Broker addresses, host:port, comma separated. Empty: an embedded Apache Kafka is started.",
    )
    topic: str = Field(
        "client_tickets",
        alias="KAFKA_TOPIC",
        pattern=r"^[a-zA-Z0-9._-]{1,249}$",
        description="The topic.",
    )
    data_dir: Path = Field(
        Path("data_output"),
        alias="INDUTECH_DATA_DIR",
        description="Lake, checkpoint, audit and embedded broker data; they belong together.",
    )
    broker_timeout_s: float = Field(
        20,
        alias="INDUTECH_BROKER_TIMEOUT_S",
        gt=0,
        le=600,
        description="Longest wait for a broker, in seconds.",
    )
    max_batch_tickets: int = Field(
        1_000_000, alias="INDUTECH_MAX_BATCH_TICKETS", ge=1, description="Most tickets that one micro-batch may hold."
    )
    trigger_s: float = Field(
        2, alias="INDUTECH_TRIGGER_S", ge=0, description="Shortest time between two micro-batches, in seconds."
    )
    driver_memory: str = Field(
        "2g", alias="INDUTECH_DRIVER_MEMORY", pattern=r"^\d+[mg]$", description="Heap of Spark's JVM, e.g. 1500m or 2g."
    )

    @field_validator("data_dir")
    @classmethod
    def _from_project_root(cls, folder: Path) -> Path:
        return folder if folder.is_absolute() else PROJECT / folder

    @property
    def lake_dir(self) -> Path:
        """The lake: tickets, quarantine and the identity that ties them to a topic."""
        return self.data_dir / "lake"

    @property
    def tickets_dir(self) -> Path:
        """Valid tickets, one folder per date and micro-batch."""
        return self.lake_dir / "tickets"

    @property
    def quarantine_dir(self) -> Path:
        """Messages that broke the contract, one folder per date and micro-batch."""
        return self.lake_dir / "quarantine"

    @property
    def checkpoint_dir(self) -> Path:
        """Spark's offsets and commits."""
        return self.data_dir / "checkpoint"

    @property
    def audit_file(self) -> Path:
        """What the producer sent and the broker acknowledged."""
        return self.data_dir / "audit" / "producer.json"

    @property
    def broker_dir(self) -> Path:
        """Data of the embedded broker."""
        return self.data_dir / "broker"

    @property
    def log_dir(self) -> Path:
        """Where Spark and the embedded broker write their logs."""
        return self.data_dir / "logs"

    @property
    def metrics_file(self) -> Path:
        """Progress of the stream, one entry per micro-batch."""
        return self.data_dir / "metrics" / "stream.json"
