"""The `indutech cluster` commands: a Spark master and its workers, for a cluster of one's own."""

from typing import Annotated

import typer

from indutech.system.settings import Settings

cluster_app = typer.Typer(no_args_is_help=True, help="A Spark cluster of one's own: a master and its workers.")


@cluster_app.command("master")
def cluster_master(
    host: Annotated[str, typer.Option(help="The address that it listens at; others reach it there.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 7077,
) -> None:
    """Be a Spark master until Ctrl-C.

    It runs what it is given by whoever reaches it: let nobody but the cluster's own machines do that.

    \b
    indutech cluster master                                            in one terminal,
    SPARK_MASTER=spark://127.0.0.1:7077 indutech cluster worker        in two others, then
    SPARK_MASTER=spark://127.0.0.1:7077 indutech stream --once
    """
    from indutech.stream import standalone

    standalone.refuse_taken(host, port)
    typer.echo(f"The Spark master of SPARK_MASTER=spark://{host}:{port}; Ctrl-C ends it.")
    standalone.become_master(Settings(), host, port)


@cluster_app.command("worker")
def cluster_worker(
    cores: Annotated[int, typer.Option(min=1, help="Cores that it gives to executors.")] = 1,
    memory: Annotated[str, typer.Option(help="Memory that it gives to executors, e.g. 1500m or 2g.")] = "1g",
) -> None:
    """Be a worker of the master that SPARK_MASTER names, until Ctrl-C; it starts executors and writes the lake.

    So it needs the lake: a folder under the same path on every machine, or S3.
    """
    from indutech.stream import standalone

    settings = Settings()
    standalone.refuse_without_standalone(settings)
    typer.echo(
        f"A worker of {settings.spark_master} with {cores} core{'s' * (cores != 1)} and {memory}; Ctrl-C ends it."
    )
    standalone.become_worker(settings, cores, memory)
