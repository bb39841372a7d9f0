"""Tables of what it takes to build and run the platform: accounts, addresses, ways out, data, alarms, migration."""

import pandas as pd

from indutech.architecture.model import Platform
from indutech.architecture.plan import Alarm
from indutech.architecture.tables import days_for_history, names

NODE_GB_S = 0.65  # what one ra3.xlplus reads in a second, as Redshift's documentation lists it; an upper bound
LINK_MBPS, LINK_SHARE = 1000, 0.7
SECONDS_PER_HOUR = 3600
ASSUMED = "assumed"


def accounts(platform: Platform) -> pd.DataFrame:
    """The accounts, what stands in each, and why it is apart."""
    return pd.DataFrame(
        {"account": a.name, "holds": a.holds, "why": a.why + _marks(a.claims)} for a in platform.account
    )


def addresses(platform: Platform) -> pd.DataFrame:
    """Address ranges: the VPC, its subnets, the plant, and what each route leads to."""
    rows = [("VPC", platform.vpc_cidr, "local", "ours to choose")]
    rows += [(f"{subnet.id}, {subnet.zone}", subnet.cidr, "local", "ours to choose") for subnet in platform.subnet]
    rows += [("plant", cidr, "VPN gateway", ASSUMED) for cidr in platform.plant.cidrs]
    rows += [("plant's DNS servers", ", ".join(platform.plant.dns_servers), "VPN gateway", ASSUMED)]
    rows += [("router's public address", platform.plant.router_address, "internet", ASSUMED)]
    rows += [("S3", "prefix list of the region", "gateway endpoint", "AWS's")]
    return pd.DataFrame(rows, columns=["what", "addresses", "route", "origin"])


def endpoints(platform: Platform) -> pd.DataFrame:
    """The endpoints with what their policies let pass, for principals of the organisation only."""
    return pd.DataFrame(
        {"endpoint": e.service, "kind": e.kind, "needed by": e.needed_by, "lets pass": ", ".join(e.allows),
         "on resources of": e.resources + (f"; reads {', '.join(e.reads)}" if e.reads else "")}
        for e in platform.endpoint
    )  # fmt: skip


def ways_out(platform: Platform) -> pd.DataFrame:
    """Each way in or out of the VPC, what limits it, and what remains."""
    return pd.DataFrame(
        {"way": w.way, "how": w.how, "limited by": w.limited_by, "what remains": w.remains + _marks(w.claims)}
        for w in platform.way_out
    )


def data_classes(platform: Platform) -> pd.DataFrame:
    """Classes of data: where they are, who reads them in clear, what protects them."""
    return pd.DataFrame(
        {"data": d.name, "class": d.level, "where": names(platform, d.where), "read in clear by": d.readers,
         "protection": d.protection}
        for d in platform.data_class
    )  # fmt: skip


def retention(platform: Platform) -> pd.DataFrame:
    """How long each thing is kept; the templates' rules are made of the same entries."""
    rows = []
    for rule in platform.retention:
        moves = f"{rule.storage_class} after {rule.moves_after_days} days" if rule.storage_class else "–"
        rows.append({
            "rule": rule.id, "of": f"{rule.place} {rule.prefix}".strip(), "moves": moves,
            "ends": f"after {rule.ends_after_days} days" if rule.ends_after_days else "by erasure only",
            "old versions": f"{rule.old_versions_days} days" if rule.old_versions_days else "–", "why": rule.why,
        })  # fmt: skip
    return pd.DataFrame(rows)


def alarms(platform: Platform) -> pd.DataFrame:
    """The alarms with the first line of what to do."""
    signs = {"GreaterThanThreshold": ">", "LessThanThreshold": "<"}
    return pd.DataFrame(
        {"alarm": a.id, "watches": platform[a.component].name,
         "rings at": f"{a.metric} {signs[a.comparison]} {_threshold(a)} for {a.minutes} min", "first": a.runbook}
        for a in platform.alarm
    )  # fmt: skip


def _threshold(alarm: Alarm) -> str:
    """CloudWatch counts storage in bytes, which nobody reads at a glance."""
    return f"{alarm.threshold / 2**30:g} GiB" if "Storage" in alarm.metric else f"{alarm.threshold:,.12g}"


def waves(platform: Platform) -> pd.DataFrame:
    """The migration: steps with size, duration, condition for the next one, and way back."""
    return pd.DataFrame(
        {"step": str(w.order), "what": w.what, "size": w.size, "weeks": f"{w.weeks:g}", "next step when": w.go,
         "way back": w.back}
        for w in platform.wave
    )  # fmt: skip


def licences(platform: Platform) -> pd.DataFrame:
    """Licences: what the design uses, and what it does without."""
    return pd.DataFrame(
        {"product": x.product, "licence": x.licence, "used": x.used, "done without": x.without + _marks(x.claims)}
        for x in platform.licence
    )


def pillars(platform: Platform) -> pd.DataFrame:
    """The pillars of the Well-Architected Framework: covered and open."""
    return pd.DataFrame({"pillar": p.name, "covered": p.covered, "open": p.open} for p in platform.pillar)


def restore(platform: Platform) -> pd.DataFrame:
    """How long the history takes to come back, by each way; computed from rates, not measured."""
    history_gb = platform.volumes["history_tb"] * 1024**4 / 10**9  # the brief's TB are TiB here, as everywhere
    nodes = 2
    copied = history_gb / (nodes * NODE_GB_S) / SECONDS_PER_HOUR
    days = days_for_history(platform, LINK_MBPS, LINK_SHARE)
    return pd.DataFrame(
        [
            ("snapshot into another zone or cluster", "minutes until it answers, hours until it is fast",
             "blocks come when they are asked for; not measured"),
            (f"COPY from the lake by {nodes} nodes", f"{copied:.1f} hours at best",
             f"{NODE_GB_S} GB/s a node, an upper bound; not verified"),
            (f"again from the plant, {LINK_MBPS} Mbit/s at {LINK_SHARE:.0%}", f"{days:.1f} days",
             "only while the originals are kept"),
        ],
        columns=["way", f"{platform.volumes['history_tb']:g} TB", "what it rests on"],
    )  # fmt: skip


def _marks(claims: tuple[str, ...]) -> str:
    return "".join(f"[^{claim}]" for claim in claims)
