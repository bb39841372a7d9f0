"""Every setting of the project, once: from the environment, then from `.env`, then the defaults below."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parents[3]
_BUCKET = r"s3a?://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(/[A-Za-z0-9!_.*'()=-]+)*)/?"


class DataProduct(NamedTuple):
    """Where a data product is declared, and the topic of its messages unless KAFKA_TOPIC names another."""

    module: str
    topic: str


PRODUCTS: Mapping[str, DataProduct] = {
    "tickets": DataProduct("indutech.tickets.contract", "client_tickets"),
    "readings": DataProduct("indutech.plant.sensors.contract", "sensor_readings"),
}
_FIRST_PRODUCT = "tickets"  # its lake stands in the data folder itself, those of the others in folders of their own


def own_place(product: str, place: str) -> str:
    """Return where the lake of a product is, if a setting names this place: beside the first one's, with its name."""
    return place if product == _FIRST_PRODUCT else "-".join(filter(None, [place, product]))


class Settings(BaseSettings):
    """The settings, validated; a wrong value is an error that names the variable.

    Names of the environment variables are the aliases; relative folders start at the project's root,
    so that a notebook, a test and the command line all mean the same place.
    """

    model_config = SettingsConfigDict(
        env_file=PROJECT / ".env",
        env_file_encoding="utf-8-sig",  # Notepad writes a mark that would else be part of the first name
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        frozen=True,
        hide_input_in_errors=True,  # a password in the wrong place must not be printed
    )

    bootstrap_servers: str | None = Field(
        None,
        alias="KAFKA_BOOTSTRAP_SERVERS",
        description="Broker addresses, host:port, comma separated. Empty: an embedded Apache Kafka is started.",
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT",
        alias="KAFKA_SECURITY_PROTOCOL",
        description="PLAINTEXT, SSL (TLS), SASL_PLAINTEXT (a user, unencrypted) or SASL_SSL (a user over TLS).",
    )
    sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"] = Field(
        "SCRAM-SHA-256",
        alias="KAFKA_SASL_MECHANISM",
        description="SCRAM-SHA-256, SCRAM-SHA-512 or PLAIN; used with SASL only.",
    )
    sasl_username: str | None = Field(None, alias="KAFKA_SASL_USERNAME", description="The user; used with SASL only.")
    sasl_password: SecretStr | None = Field(
        None, alias="KAFKA_SASL_PASSWORD", description="The user's password; better in a file, see the next."
    )
    sasl_password_file: Path | None = Field(
        None, alias="KAFKA_SASL_PASSWORD_FILE", description="A file that holds nothing but the password."
    )
    ssl_ca_file: Path | None = Field(
        None,
        alias="KAFKA_SSL_CA_FILE",
        description="PEM file of the authority that signed the broker's certificate. Empty: those this machine trusts.",
    )
    product: str = Field(
        _FIRST_PRODUCT,
        alias="INDUTECH_PRODUCT",
        description=f"The data product that a command works on: {' or '.join(PRODUCTS)}.",
    )
    topic: str = Field(
        default_factory=lambda known: PRODUCTS[known.get("product", _FIRST_PRODUCT)].topic,
        alias="KAFKA_TOPIC",
        pattern=r"^[a-zA-Z0-9._-]{1,249}$",
        description="The topic. Empty: that of the product, "
        f"{', '.join(f'{product.topic} ({name})' for name, product in PRODUCTS.items())}.",
    )
    topic_partitions: int = Field(
        4,
        alias="KAFKA_TOPIC_PARTITIONS",
        ge=1,
        description="Partitions of the topic when it is created: as many cores can read it at once. docs/scaling.md",
    )
    erp_topics: str = Field(
        "erp",
        alias="INDUTECH_ERP_TOPICS",
        pattern=r"^[a-zA-Z0-9._-]{1,200}$",
        description="What the names of the topics with the ERP's changes begin with, as in erp.public.clients.",
    )
    data_dir: Path = Field(
        Path("data_output"),
        alias="INDUTECH_DATA_DIR",
        description="Lake, checkpoint, audit and embedded broker data; they belong together.",
    )
    lake_uri: str | None = Field(
        None,
        alias="INDUTECH_LAKE_URI",
        description="The lake: a folder, or s3a://bucket/prefix. Empty: the folder `lake` in the data folder.",
    )
    s3_endpoint: str | None = Field(
        None,
        alias="INDUTECH_S3_ENDPOINT",
        pattern=r"^https?://[^/\s]+/?$",
        description="Where S3 is, such as https://s3.eu-west-3.amazonaws.com. Empty: an embedded server is started.",
    )
    aws_region: str = Field("eu-west-3", alias="AWS_REGION", description="The region of the bucket.")
    aws_access_key_id: str | None = Field(
        None,
        alias="AWS_ACCESS_KEY_ID",
        description="The key for S3. Empty: that of AWS_PROFILE, else the role of the machine.",
    )
    aws_secret_access_key: SecretStr | None = Field(
        None, alias="AWS_SECRET_ACCESS_KEY", description="The secret of that key."
    )
    aws_session_token: SecretStr | None = Field(
        None, alias="AWS_SESSION_TOKEN", description="The token of a key that is valid for a while only."
    )
    aws_shared_credentials_file: Path | None = Field(
        None,
        alias="AWS_SHARED_CREDENTIALS_FILE",
        description="The file with profiles of keys. Empty: ~/.aws/credentials, if it is there.",
    )
    aws_profile: str = Field("default", alias="AWS_PROFILE", description="The profile of that file.")
    mqtt_broker: str | None = Field(
        None,
        alias="INDUTECH_MQTT_BROKER",
        pattern=r"^[^\s:/]+:\d{1,5}$",
        description="The plant's MQTT broker, host:port. Empty: an embedded one is started.",
    )
    broker_timeout_s: float = Field(
        20,
        alias="INDUTECH_BROKER_TIMEOUT_S",
        gt=0,
        le=600,
        description="Longest wait for a broker, in seconds.",
    )
    max_batch_tickets: int = Field(
        2_500_000, alias="INDUTECH_MAX_BATCH_TICKETS", ge=1, description="Most tickets that one micro-batch may hold."
    )
    trigger_s: float = Field(
        2, alias="INDUTECH_TRIGGER_S", ge=0, description="Shortest time between two micro-batches, in seconds."
    )
    driver_memory: str = Field(
        "2g", alias="INDUTECH_DRIVER_MEMORY", pattern=r"^\d+[mg]$", description="Heap of Spark's JVM, e.g. 1500m or 2g."
    )
    driver_options: str = Field(
        "",
        alias="INDUTECH_DRIVER_OPTIONS",
        pattern=r"^(-\S+( +-\S+)*)?$",
        description="More options of that JVM. -XX:TieredStopAtLevel=1 lets it start sooner and compute more slowly.",
    )
    spark_master: str = Field(
        "local[*]",
        alias="SPARK_MASTER",
        description="Where Spark computes: local[*], local-cluster[WORKERS,CORES,MB] or spark://HOST:PORT.",
    )
    executor_memory: str = Field(
        "1g",
        alias="INDUTECH_EXECUTOR_MEMORY",
        pattern=r"^\d+[mg]$",
        description="Heap of each executor; used on a cluster only.",
    )

    @field_validator("product")
    @classmethod
    def _known_product(cls, name: str) -> str:
        if name not in PRODUCTS:
            raise ValueError(f"there is no data product {name!r}, only {', '.join(PRODUCTS)}")
        return name

    @field_validator("data_dir", "sasl_password_file", "ssl_ca_file", "aws_shared_credentials_file")
    @classmethod
    def _from_project_root(cls, path: Path | None) -> Path | None:
        return PROJECT / path if path else None  # an absolute path stays what it is

    @field_validator("lake_uri")
    @classmethod
    def _folder_or_bucket(cls, uri: str | None) -> str | None:
        if uri is None or not (scheme := re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*)://", uri)):
            return str(PROJECT / uri) if uri else None
        if scheme[1] not in ("s3", "s3a") or not re.fullmatch(_BUCKET, uri):
            raise ValueError("it must be a folder, or s3a://bucket/prefix with a bucket's name as AWS allows it")
        return uri.rstrip("/")

    @property
    def lake_bucket(self) -> tuple[str, str] | None:
        """Bucket and prefix of a lake on S3; None for one in a folder."""
        found = re.fullmatch(_BUCKET, self.lake_uri or "")
        return (found["bucket"], own_place(self.product, (found["prefix"] or "").strip("/"))) if found else None

    @field_validator("spark_master")
    @classmethod
    def _known_master(cls, master: str) -> str:
        if not re.fullmatch(
            r"local(\[(\*|[1-9]\d*)\])?|local-cluster\[[1-9]\d*,[1-9]\d*,\d+\]|spark://[\w.-]+:\d+", master
        ):
            raise ValueError("it is local[*], local-cluster[WORKERS,CORES,MB] or spark://HOST:PORT")
        return master

    def for_product(self, product: str) -> "Settings":
        """Return the same settings for another data product, with its usual topic."""
        return self.model_copy(update={"product": product, "topic": PRODUCTS[product].topic})

    def as_environment(self) -> dict[str, str]:
        """Return the variables that give a program of ours these settings; what is not set is not among them."""
        values = {str(field.alias): getattr(self, name) for name, field in type(self).model_fields.items()}
        told = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in values.items()
        }
        return {name: str(value) for name, value in told.items() if value is not None}

    @property
    def product_dir(self) -> Path:
        """Lake, checkpoint, audit and logs of this product; the broker is in the data folder, for all of them."""
        return self.data_dir if self.product == _FIRST_PRODUCT else self.data_dir / self.product

    @property
    def lake_dir(self) -> Path:
        """The lake in a folder; of one on S3, what stays on this machine beside it (the log of replays)."""
        if self.lake_uri and not self.lake_bucket:
            return Path(own_place(self.product, self.lake_uri))
        return self.product_dir / "lake"

    @property
    def writer_lock(self) -> Path:
        """Locked by the one process that writes the lake."""
        return self.product_dir / "stream.lock"

    @property
    def tickets_dir(self) -> Path:
        """Valid tickets of a lake in a folder, one folder per date and micro-batch."""
        return self.lake_dir / "tickets"

    @property
    def quarantine_dir(self) -> Path:
        """Messages of a lake in a folder that broke the contract, one folder per date and micro-batch."""
        return self.lake_dir / "quarantine"

    @property
    def staging_dir(self) -> Path:
        """Where rows on their way to S3 wait on this machine; nothing but leftovers is in it while nothing writes."""
        return self.product_dir / "spark-staging"

    @property
    def s3_dir(self) -> Path:
        """Data of the embedded S3 server."""
        return self.data_dir / "s3"

    @property
    def mqtt_dir(self) -> Path:
        """Data of the embedded MQTT broker."""
        return self.data_dir / "mqtt"

    @property
    def gateways_dir(self) -> Path:
        """The stores of gateways on this machine: readings that Kafka does not have yet."""
        return self.product_dir / "gateways"

    @property
    def plant_dir(self) -> Path:
        """The whole plant of `indutech plant up`, with a lake and servers of its own."""
        return self.data_dir / "plant"

    @property
    def checkpoint_dir(self) -> Path:
        """Spark's offsets and commits."""
        return self.product_dir / "checkpoint"

    @property
    def route_dir(self) -> Path:
        """Where the route of urgent tickets begins, and the checkpoint of its query."""
        return self.product_dir / "route"

    @property
    def route_lock(self) -> Path:
        """The file that the only route of this data folder holds."""
        return self.product_dir / "route.lock"

    @property
    def audit_file(self) -> Path:
        """What the producer sent and the broker acknowledged."""
        return self.product_dir / "audit" / "producer.json"

    @property
    def broker_dir(self) -> Path:
        """Data of the embedded broker."""
        return self.data_dir / "broker"

    @property
    def erp_dir(self) -> Path:
        """Data of the embedded ERP, and where its change data capture has got to."""
        return self.data_dir / "erp"

    @property
    def secrets_dir(self) -> Path:
        """Certificates, passwords and settings of the users of a secured broker of ours."""
        return self.data_dir / "secrets"

    @property
    def log_dir(self) -> Path:
        """Where Spark writes its logs."""
        return self.product_dir / "logs"

    @property
    def metrics_file(self) -> Path:
        """Progress of the stream, one entry per micro-batch."""
        return self.product_dir / "metrics" / "stream.json"
