"""The `indutech lake` commands: the embedded S3 server of a lake in a bucket, and the rights that a key needs."""

import dataclasses
import json
from typing import Annotated

import typer

from indutech.lake.store import connection, policy
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

lake_app = typer.Typer(no_args_is_help=True, help="Where the lake is: its embedded S3 server, and rights on a bucket.")


@lake_app.command("start")
def lake_start() -> None:
    """Start the embedded S3 server and keep it until `indutech lake stop`, for readers of your own.

    \b
    INDUTECH_LAKE_URI=s3a://indutech/lake indutech lake start
    set -a; . data_output/s3/reader.env; set +a           be a reader in this shell
    """
    settings = Settings()
    reached = connection.start(settings)
    file = connection.write_reader_settings(settings)
    typer.echo(f"S3 answers at {reached.s3_endpoint}; `indutech lake stop` ends it. A key that may only read: {file}")


@lake_app.command("serve")
def lake_serve(
    host: Annotated[str, typer.Option(help="The address that it listens at; others reach it there.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8333,
) -> None:
    """Be an S3 server for the lake's bucket until Ctrl-C, also for other machines.

    S3 asks for a key; the server's own parts, at other ports, ask for none: let nobody but your own machines reach it.

    \b
    INDUTECH_LAKE_URI=s3a://indutech/lake indutech lake serve               in one terminal, in another
    export INDUTECH_LAKE_URI=s3a://indutech/lake INDUTECH_S3_ENDPOINT=http://127.0.0.1:8333
    export AWS_SHARED_CREDENTIALS_FILE=data_output/s3/writer.credentials    (reader.credentials: it may only read)
    indutech stream --once
    """
    settings = Settings()
    become = connection.server(settings, host, port)
    typer.echo(f"The S3 server of INDUTECH_S3_ENDPOINT=http://{host}:{port}; Ctrl-C ends it. Keys: {settings.s3_dir}")
    become()


@lake_app.command("stop")
def lake_stop() -> None:
    """Stop the embedded S3 server; exit 1 if others still use it, since it then ends with the last of them."""
    settings = Settings()
    was_running = connection.status(settings).running
    if not connection.stop(settings):
        users = ", ".join(str(pid) for pid in connection.status(settings).leases)
        raise InduTechError(f"The S3 server is still used (by process {users}) and stops with its last user.")
    typer.echo("The S3 server has stopped; its data stays." if was_running else "No embedded S3 server was running.")


@lake_app.command("status")
def lake_status(as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Tell where the lake is, and who uses its embedded server."""
    settings = Settings()
    status = connection.status(settings)
    place = settings.lake_uri or str(settings.lake_dir)
    if as_json:
        typer.echo(json.dumps({"lake": place, **dataclasses.asdict(status)}, default=str))
        return
    typer.echo(f"The lake is {place}.")
    if status.running:
        kept = "kept until `indutech lake stop`" if status.kept else "stops with its last user"
        typer.echo(f"The embedded S3 server (process {status.pid}) answers at {status.endpoint}.")
        typer.echo(f"Users: {', '.join(map(str, status.leases)) or 'none'}; {kept}. Data: {status.data_dir}.")
    elif settings.s3_endpoint:
        typer.echo(f"S3 is {settings.s3_endpoint}, which is not ours.")
    else:
        typer.echo("No embedded S3 server runs.")


@lake_app.command("policy")
def lake_policy(
    who: Annotated[policy.Who, typer.Argument(help="The stream, or whoever reads.")] = "writer",
) -> None:
    """Print the IAM policy with the rights that the stream, or a reader, needs on the lake's bucket, and no more."""
    bucket, prefix = Settings().lake_bucket or ("YOUR-BUCKET", "lake")
    typer.echo(json.dumps(policy.policy(bucket, prefix, who), indent=2))
