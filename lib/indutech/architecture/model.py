"""The classes of the platform's model: components, flows, subnets, security groups and the proof of concept."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from indutech.architecture.plan import (
    Account,
    Alarm,
    DataClass,
    Endpoint,
    Fact,
    Licence,
    Names,
    Pillar,
    PlantNetwork,
    Retention,
    ServiceLevel,
    Wave,
    WayOut,
)
from indutech.system.errors import InduTechError

Site = Literal["on_premise", "boundary", "aws"]
Kind = Literal["stream", "batch", "sync", "request"]


class View(StrEnum):
    """The drawings that there are."""

    OVERVIEW = "overview"
    NETWORK = "network"
    POC = "poc"
    FAILURE = "failure"
    WAYS = "ways"
    THREATS = "threats"
    DATA = "data"
    WAVES = "waves"


class Format(StrEnum):
    """The file format of a drawing."""

    SVG = "svg"
    PNG = "png"


class PlatformError(InduTechError):
    """The model of the platform is invalid."""


class Component(Fact):
    """A component: what it is, where it runs, why it was chosen, and what happens when it fails."""

    id: str
    name: str
    short: str = ""  # its name where a drawing has little room
    caption: str = ""  # a few words under its name in a drawing; computed where empty
    icon: str = ""  # a class of the diagrams package (aws.database.RDS) or a file of assets/icons; general where empty
    place: tuple[str, int] | None = None  # column and row in the overview; without one, in its panel of shared services
    site: Site
    service: str
    role: str
    reason: str
    alternatives: tuple[str, ...] = ()
    billed: bool = False  # by AWS: the cost estimate must have a line for it
    regional: bool = False  # run by AWS across the zones of the region, outside the VPC
    copies: int = 1
    copies_note: str = ""
    subnets: tuple[str, ...] = ()
    security_group: str | None = None
    key: str | None = None  # the component whose keys encrypt it at rest
    at_rest: str = ""  # how, where it is not by such a key
    needs: tuple[str, ...] = ()
    holds_hours: float | None = None  # how long it keeps what it cannot pass on, where that is known
    holds: str = ""
    limits: str = ""  # what it does not do
    change: str = ""  # what changes for those who run it on-premise
    when_down: str
    stands_alone: str = ""  # why it takes part in no flow
    account: str = ""  # the AWS account that it stands in; the platform's own where empty
    machine: str = ""  # the class of its machines, as AWS names it
    disk_gb: int = 0  # of each machine
    resources: tuple[str, ...] = ()  # logical ids in the templates, `stack.Name`
    no_resource: str = ""  # why no template has it, though it is billed
    bills: dict[str, str] = Field(default={})  # price id: the resource it is paid for, or `use: …`
    not_in_bill: dict[str, str] = Field(default={})  # a paid resource, and why the bill has no line for it
    audit: str = ""  # where it is written who came in and what they did
    bought_usd: float = 0  # paid once by the plant, an assumption; not part of AWS's bill
    claims: tuple[str, ...] = ()


class Drawn(Fact):
    """Where the overview draws an arrow, if not in the middle of its boxes; in pixels, right and down are positive."""

    shift: tuple[float, float] = (0.0, 0.0)  # along the side of the source's box, and of the target's
    label_shift: float = 0.0  # of a label on a line that goes down


class Flow(Fact):
    """A data flow from source to target; `opened_by` says which of the two opens the connection."""

    id: str
    source: str
    target: str
    via: tuple[str, ...] = ()
    opened_by: Literal["source", "target"] = "source"
    direction: Literal["one-way", "two-way"] = "one-way"
    protocol: str
    ports: tuple[str, ...]
    encryption: str
    plaintext_reason: str = ""
    boundary_exception: str = ""  # why it may cross outside the VPN
    carried_by_aws: bool = False  # between AWS services on AWS's own network: no machine of the VPC opens it
    kind: Kind
    carries: Literal["data", "identity", "operations"] = "data"  # operations: secrets, logs, catalogue entries, backups
    volume: str
    label: str
    proves: str = ""  # how the one who opens the connection proves who it is
    drawn: Drawn = Drawn()

    @property
    def ends(self) -> tuple[str, ...]:
        """Source, what it goes through, and target, in this order."""
        return (self.source, *self.via, self.target)


class Subnet(Fact):
    """A private subnet in one availability zone."""

    id: str
    zone: str
    cidr: str


class InboundRule(Fact):
    """An inbound rule: who may connect to which ports; `origin` is another security group, or the plant."""

    origin: str
    ports: tuple[str, ...]


class SecurityGroup(Fact):
    """A security group: the inbound connections that it allows; all others are refused."""

    id: str
    inbound: tuple[InboundRule, ...]


class PocPart(Fact):
    """A part of the proof of concept and the components that it represents."""

    id: str
    name: str
    what: str
    icon: str
    place: tuple[int, int]  # column and row in its drawing
    stands_for: tuple[str, ...]
    how: Literal["real thing", "stand-in"]
    difference: str


class PocFlow(Fact):
    """A data flow between two parts of the proof of concept."""

    source: str
    target: str
    label: str
    kind: Kind


class Platform(Fact):
    """The whole model; `platform.platform()` reads and validates it."""

    region: str
    vpc_cidr: str
    plant: PlantNetwork
    volumes: dict[str, float]
    subnet: tuple[Subnet, ...]
    component: tuple[Component, ...]
    security_group: tuple[SecurityGroup, ...]
    flow: tuple[Flow, ...]
    poc: tuple[PocPart, ...]
    poc_flow: tuple[PocFlow, ...]
    account: tuple[Account, ...]
    endpoint: tuple[Endpoint, ...]
    names: Names
    way_out: tuple[WayOut, ...]
    service_level: tuple[ServiceLevel, ...]
    data_class: tuple[DataClass, ...]
    retention: tuple[Retention, ...]
    alarm: tuple[Alarm, ...]
    wave: tuple[Wave, ...]
    licence: tuple[Licence, ...]
    pillar: tuple[Pillar, ...]

    def __getitem__(self, component_id: str) -> Component:
        """The component of that id."""
        for component in self.component:
            if component.id == component_id:
                return component
        raise PlatformError(f"No component is called {component_id!r}. Components: {', '.join(self.ids)}.")

    def __contains__(self, component_id: object) -> bool:
        return component_id in self.ids

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all components, in the order of the file."""
        return tuple(component.id for component in self.component)

    @property
    def billed(self) -> tuple[str, ...]:
        """Ids of the components that AWS bills: each needs at least one cost line."""
        return tuple(component.id for component in self.component if component.billed)

    def at(self, site: Site) -> tuple[Component, ...]:
        """The components of one site."""
        return tuple(component for component in self.component if component.site == site)

    def zones_of(self, component: Component) -> tuple[str, ...]:
        """Availability zones in which it has a copy; none for what is regional or on-premise."""
        zone = {subnet.id: subnet.zone for subnet in self.subnet}
        return tuple(zone[subnet] for subnet in component.subnets)

    def opener(self, flow: Flow) -> Component:
        """The component that opens the connection."""
        return self[flow.source if flow.opened_by == "source" else flow.target]

    def reached(self, flow: Flow) -> Component:
        """The component that accepts the connection."""
        return self[flow.target if flow.opened_by == "source" else flow.source]

    def number(self, flow: Flow) -> int:
        """The number of a flow in drawings and lists: its place in the file, from 1."""
        return self.flow.index(flow) + 1

    def crosses(self, flow: Flow) -> bool:
        """Whether the flow crosses the boundary between plant and AWS."""
        return (self[flow.source].site == "on_premise") != (self[flow.target].site == "on_premise")
