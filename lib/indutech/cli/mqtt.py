"""The `indutech mqtt` commands: the way of sensor readings from a plant to the broker."""

import dataclasses
import json
from typing import Annotated

import typer

from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.system.signals import stop_asked

mqtt_app = typer.Typer(
    no_args_is_help=True, help="Sensor readings over MQTT: a gateway of the plant, an MQTT broker, a bridge to Kafka."
)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object at the end.")]


def _settings() -> Settings:
    """Whatever product other commands work on, it is readings that come over MQTT."""
    return Settings(product="readings")


@mqtt_app.command("bridge")
def mqtt_bridge(as_json: AsJson = False) -> None:
    """Carry readings from MQTT to Kafka until Ctrl-C: acknowledged and confirmed only once Kafka has them.

    Start it in one terminal, a gateway in another; killed or stopped, it goes on where it was.

    \b
    indutech mqtt bridge                                       here, until Ctrl-C
    indutech mqtt send --count 10000 --rate 1000 --seed 7      in another terminal
    INDUTECH_PRODUCT=readings indutech stream --once           then into the lake,
    INDUTECH_PRODUCT=readings indutech reconcile               and the proof
    """
    from indutech.kafka import broker as brokers
    from indutech.plant.mqtt import bridge, connection

    settings = _settings()
    with brokers.connected(settings) as broker, connection.reached(settings) as address, stop_asked() as stop:
        result = bridge.run(settings, broker, address, progress=not as_json, stop=stop)
    typer.echo(json.dumps(result.as_dict()) if as_json else result.sentence)


@mqtt_app.command("send")
def mqtt_send(
    count: Annotated[
        int | None, typer.Option(min=0, help="Readings to measure; 0 only sends what waits. Without it until Ctrl-C.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Readings per second; as fast as they go without it.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Repeat a run exactly; without it one is drawn and printed.")
    ] = None,
    gateway: Annotated[
        str, typer.Option(metavar="NAME", help="Whose store is used; one process for each.")
    ] = "gateway-1",
    wait: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="Longest wait for confirmations at the end; else until Ctrl-C."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Be a gateway of the plant: measure readings, keep them on disk, and send them until the bridge confirms each.

    While the link, the MQTT broker, the bridge or Kafka is away, readings wait in the store; the next run sends them.
    Exit 0: all are in Kafka, or a signal stopped it. Exit 2: some still wait in the store.

    \b
    indutech mqtt send --count 10000 --rate 1000 --seed 7      ten seconds of readings
    indutech mqtt send --rate 500                              until Ctrl-C
    indutech mqtt send --count 0 --wait 30                     only what is left
    """
    from indutech.plant.mqtt import connection
    from indutech.plant.mqtt import gateway as gateways
    from indutech.tickets.product import drawn_seed

    if rate is not None and not 0 < rate < float("inf"):
        raise typer.BadParameter("--rate must be more than 0 readings per second.")
    if not gateway.replace("-", "").isalnum():
        raise typer.BadParameter("--gateway is a name of letters, digits and hyphens.")
    settings = _settings()
    seed = drawn_seed() if seed is None else seed
    with connection.reached(settings) as address, stop_asked() as stop:
        result = gateways.send(
            settings,
            address,
            count=count,
            rate=rate,
            seed=seed,
            gateway=gateway,
            wait_s=wait,
            progress=not as_json,
            stop=stop,
        )
    said = f" Seed {seed}." if result.measured else ""
    typer.echo(json.dumps({**result.as_dict(), "seed": seed}) if as_json else f"{result.sentence}{said}")
    raise typer.Exit(2 if result.waiting and not result.stopped else 0)


@mqtt_app.command("start")
def mqtt_start() -> None:
    """Start the embedded MQTT broker and keep it until `indutech mqtt stop`: Mosquitto if this machine has it."""
    from indutech.plant.mqtt import connection, server

    settings = _settings()
    address = connection.start(settings)
    named = {"mosquitto": "Mosquitto", "amqtt": "aMQTT"}[server.program(settings.mqtt_dir)]
    typer.echo(f"The MQTT broker ({named}) answers at {address}; `indutech mqtt stop` ends it.")


@mqtt_app.command("stop")
def mqtt_stop() -> None:
    """Stop the embedded MQTT broker; exit 1 if others still use it, since it then ends with the last of them."""
    from indutech.plant.mqtt import connection

    settings = Settings(product="readings", mqtt_broker=None)  # ours, whatever broker is named now
    was_running = connection.status(settings).running
    if not connection.stop(settings):
        users = ", ".join(str(pid) for pid in connection.status(settings).leases)
        raise InduTechError(f"The MQTT broker is still used (by process {users}) and stops with its last user.")
    typer.echo("The MQTT broker has stopped." if was_running else "No embedded MQTT broker was running.")


@mqtt_app.command("status")
def mqtt_status(as_json: AsJson = False) -> None:
    """Tell where the MQTT broker is, who uses it, and what waits in the stores of gateways on this machine."""
    from indutech.plant.mqtt import connection, store

    settings = _settings()
    status = connection.status(settings)
    waiting = store.waiting(settings.gateways_dir)
    if as_json:
        typer.echo(json.dumps({**dataclasses.asdict(status), "waiting": waiting}, default=str))
        return
    if not status.running:
        where = f"at {status.address}" if status.address else f"in {status.data_dir}"
        typer.echo(f"No MQTT broker {'answers' if status.address else 'runs'} {where}.")
    elif not status.embedded:
        typer.echo(f"An MQTT broker that is not ours answers at {status.address}.")
    else:
        kept = "kept until `indutech mqtt stop`" if status.kept else "stops with its last user"
        typer.echo(f"The embedded MQTT broker ({status.program}, process {status.pid}) answers at {status.address}.")
        typer.echo(f"Users: {', '.join(map(str, status.leases)) or 'none'}; {kept}.")
    for gateway, readings in waiting.items():
        typer.echo(f"{gateway}: {readings:,} readings wait in its store.")
