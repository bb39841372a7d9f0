"""The classes of the model for building and running it: accounts, ways out, service levels, retention, alarms, waves.

A field `assumed` is true for what the company did not state.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Fact(BaseModel):
    """An entry of the model: it cannot change, and a field that nobody knows is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlantNetwork(Fact):
    """The address ranges of the plant, its DNS servers and its router."""

    cidrs: tuple[str, ...]
    dns_servers: tuple[str, ...]
    router_address: str  # public
    asn: int
    domain: str
    assumed: bool = True


class Account(Fact):
    """An AWS account, what stands in it, and why apart."""

    id: str
    name: str
    holds: str
    why: str
    claims: tuple[str, ...] = ()


class Endpoint(Fact):
    """An endpoint of the VPC: the service, who needs it, and what its policy allows."""

    service: str  # the last part of its name: com.amazonaws.<region>.<service>
    kind: str = "Interface"
    needed_by: str
    allows: tuple[str, ...]  # actions, for principals of the company's organisation only
    resources: Literal["organisation", "any"] = "organisation"  # on whose resources; any where AWS's own are needed
    reads: tuple[str, ...] = ()  # buckets of AWS that it may read besides


class Names(Fact):
    """The names that the resolver of the VPC answers; every other is refused."""

    answered: tuple[str, ...]


class WayOut(Fact):
    """A way by which something can leave the VPC or come in, and what limits it."""

    way: str
    how: str
    limited_by: str
    remains: str
    claims: tuple[str, ...] = ()


class ServiceLevel(Fact):
    """How long a service may be away (RTO) and what may be lost (RPO), at one level, and what that level adds."""

    id: str
    component: str
    level: str
    chosen: bool = False
    rto_hours: float
    rpo_hours: float
    how: str
    adds: dict[str, float] = Field(default={})  # price id: units a month more than the level before it
    assumed: bool = True


class DataClass(Fact):
    """A class of data: where it is, who reads it in clear, and what is done to it."""

    name: str
    level: str
    where: tuple[str, ...]
    readers: str
    protection: str
    assumed: bool = True


class Retention(Fact):
    """How long the objects under a prefix of the lake, or the entries of a log, are kept."""

    id: str
    place: str  # `s3_lake` with a prefix, or `cloudwatch`
    prefix: str = ""
    storage_class: str = ""  # to which it moves
    moves_after_days: int = 0
    ends_after_days: int | None = None  # none: never by a rule
    old_versions_days: int | None = None
    why: str
    assumed: bool = True


class Alarm(Fact):
    """An alarm: what is measured, when it rings, and the first line of what to do."""

    id: str
    component: str
    namespace: str
    metric: str
    dimensions: dict[str, str] = Field(default={})  # name: value, or a logical id as `!stack.Name`
    statistic: str = "Maximum"
    threshold: float
    comparison: str = "GreaterThanThreshold"
    minutes: int = 5
    runbook: str
    assumed: bool = True


class Wave(Fact):
    """A step of the migration, with its size, its way back and the condition for the next one."""

    order: int
    what: str
    size: str
    weeks: float
    starts: tuple[str, ...] = ()  # components paid from this step on; what no step names is paid from the first
    go: str  # the cut-over criterion
    back: str
    assumed: bool = True


class Licence(Fact):
    """A licence: what it allows, what of it the design uses, and what the design does without."""

    product: str
    licence: str
    used: str
    without: str
    claims: tuple[str, ...] = ()


class Pillar(Fact):
    """A pillar of the Well-Architected Framework: what covers it here, and what is open."""

    name: str
    covered: str
    open: str
