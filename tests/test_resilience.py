"""What fails together is computed from the flows."""

from indutech.architecture import failures
from indutech.architecture.platform import platform
from indutech.architecture.tables import data_path, days_for_history, single_points


def ids(components: tuple[failures.Component, ...]) -> list[str]:
    """Their ids."""
    return [component.id for component in components]


def test_single_points_are_those_with_one_copy() -> None:
    """The plant's router and the one-zone warehouse are single points; three brokers in three zones are not."""
    alone = {component.id for component in failures.single_points(platform())}
    assert {"customer_gateway", "redshift"} <= alone
    assert alone.isdisjoint({"redpanda", "dms", "vpn", "s3_lake"})


def test_the_router_interrupts_most() -> None:
    """Notebook 01 says so in its answer."""
    alone = single_points(platform()).sort_values("data flows it stops", ascending=False)
    assert alone["component"].iloc[0] == platform()["customer_gateway"].name
    assert alone["data flows it stops"].iloc[0] > alone["data flows it stops"].iloc[1]


def test_all_copies_in_one_zone_are_a_single_point() -> None:
    """Two bridges in one zone fail with the zone."""
    model = platform()
    crowded = model["mqtt_bridge"].model_copy(update={"subnets": ("private_a", "private_a")})
    assert failures.redundancy(model, crowded) is failures.Redundancy.ONE_ZONE


def test_events_wait_in_redpanda_while_spark_is_away() -> None:
    """The lake grows old, Redpanda keeps the events, and nothing else waits."""
    end = failures.outage(platform(), "spark_compute")
    assert ids(end.buffered_in) == ["redpanda"]
    assert {"s3_lake", "redshift", "analysts"} <= set(end.stale)
    assert "redpanda" not in end.stale


def test_without_the_link_both_replication_and_sensors_wait_in_the_plant() -> None:
    """The VPN carries everything: what waits, waits on-premise."""
    model = platform()
    end = failures.outage(model, "vpn")
    assert {model[name].site for name in ids(end.buffered_in)} == {"on_premise"}
    assert {flow.id for flow in end.cut} >= {"sensor_events", "business_changes", "answers", "directory_trust"}
    assert "sign_in" not in {flow.id for flow in end.cut}


def test_what_the_keys_encrypt_stops_with_the_keys() -> None:
    """Without KMS lake and warehouse stop; the brokers' own disks do not need it."""
    stopped = failures.outage(platform(), "kms").stopped
    assert {"s3_lake", "redshift"} <= set(stopped)
    assert "redpanda" not in stopped


def test_sensor_data_takes_the_drawn_way() -> None:
    """From a sensor to the lake through bridge, Redpanda and Spark."""
    way = data_path(platform(), "sensors", "s3_lake", ("stream",))
    assert [flow.target for flow in way] == ["nlb", "mqtt_bridge", "redpanda", "spark_compute", "s3_lake"]


def test_forty_terabytes_take_what_arithmetic_says() -> None:
    """Read as 40 TiB, as it is billed: 40.7 days at 100 Mbit/s, 4.1 at 1 Gbit/s; 1.43 times that at 70 %."""
    days = [days_for_history(platform(), mbps, 1) for mbps in (100, 500, 1000, 10_000)]
    assert [round(some, 1) for some in days] == [40.7, 8.1, 4.1, 0.4]
    assert round(24 * days[-1]) == 10
    assert round(days_for_history(platform(), 1000, 0.7) / days[2], 2) == 1.43
