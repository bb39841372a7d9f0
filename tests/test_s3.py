"""The lake in a bucket of a real S3 server: who may do what, one writer, and what is said when something is wrong."""

import io
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import obstore
import psutil
import pyarrow.parquet as pq
import pytest
from bench.s3_gate import gate_before
from pydantic import SecretStr, ValidationError

from indutech.lake import compaction, iceberg, identity, layout, reader, reset
from indutech.lake.store import bucket, connection, files, lease, policy
from indutech.lake.store.s3_path import S3Path
from indutech.lake.writer_lock import sole_writer
from indutech.proof import doctor
from indutech.system import ports
from indutech.system.settings import Settings
from tests import lakes

pytestmark = pytest.mark.slow  # the server needs two seconds

DIES = """
import os, signal, sys
from pathlib import Path
from indutech.lake.store import connection
from indutech.lake.writer_lock import sole_writer
from indutech.system.settings import Settings
settings = Settings(_env_file=None, data_dir=Path(sys.argv[1]), lake_uri=sys.argv[2])
with connection.connected(settings) as reached, sole_writer(reached):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings that reach an embedded server; its bucket is `indutech`."""
    folder = tmp_path_factory.mktemp("données S3")
    with connection.connected(Settings(_env_file=None, data_dir=folder, lake_uri="s3a://indutech/lake")) as reached:
        yield reached


@pytest.fixture
def settings(server: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """A prefix and a data folder of its own."""
    return server.model_copy(update={"data_dir": tmp_path / "à part", "lake_uri": f"s3a://indutech/{tmp_path.name}"})


@pytest.fixture
def ten_batches(settings: Settings) -> Settings:
    """Batches 0 to 9 of ten offsets each on two days; every third offset is in quarantine."""
    for batch in range(10):
        day = "2026-01-01" if batch < 6 else "2026-01-02"
        mine = range(batch * 10, batch * 10 + 10)
        lakes.store(settings, "tickets", day, batch, [o for o in mine if o % 3])
        lakes.store(settings, "quarantine", day, batch, [o for o in mine if o % 3 == 0])
        lakes.commit(settings, batch, {0: batch * 10 + 10})
    return settings


def test_the_server_is_for_this_machine_only(server: Settings) -> None:
    """It listens on 127.0.0.1, tells nobody about itself, and its keys are for this user only."""
    pid = connection.status(server.model_copy(update={"s3_endpoint": None})).pid
    process = psutil.Process(pid)
    listening = [one.laddr.ip for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]

    assert set(listening) == {"127.0.0.1"}
    assert not [one for one in process.net_connections("inet") if one.raddr and one.raddr.ip != "127.0.0.1"]
    assert {"-master.telemetry=false", "-admin.ui=false", "-webdav=false"} <= set(process.cmdline())
    for name in ("settings.json", "identities.json"):
        assert stat.S_IMODE((server.s3_dir / name).stat().st_mode) == 0o600
    secret = server.aws_secret_access_key.get_secret_value()
    assert secret not in " ".join(process.cmdline())
    assert secret not in (server.s3_dir / "server.log").read_text()


def test_the_server_ends_with_its_last_user_and_keeps_what_it_has(tmp_path: Path) -> None:
    """Two users share one; after the last one, even after its SIGKILL, no process and no socket is left."""
    settings = Settings(_env_file=None, data_dir=tmp_path, lake_uri="s3a://indutech/lake")
    with connection.connected(settings) as one, connection.connected(settings) as other:
        assert one.s3_endpoint == other.s3_endpoint
        pid = connection.status(settings).pid
        (files.root(one) / "kept").write_bytes(b"yes")
    assert not psutil.pid_exists(pid)
    assert not connection.status(settings).running

    subprocess.run([sys.executable, "-c", DIES, tmp_path, settings.lake_uri], check=False)
    deadline = time.monotonic() + 10
    while connection.status(settings).running and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not connection.status(settings).running

    with connection.connected(settings) as again:
        assert (files.root(again) / "kept").read_bytes() == b"yes"


def test_a_server_that_is_kept_is_for_tools_of_ones_own(tmp_path: Path) -> None:
    """`indutech lake start` gives a reader's variables in a file for this user only; `stop` ends the server."""
    settings = Settings(_env_file=None, data_dir=tmp_path, lake_uri="s3a://indutech/lake")
    kept = connection.start(settings)
    try:
        with connection.connected(settings) as same:
            lakes.store(same, "tickets", "2026-01-01", 0, [0, 1, 2])
        status = connection.status(settings)
        assert (status.running, status.kept, status.leases) == (True, True, [])
        file = connection.write_reader_settings(settings)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        variables = dict(line.split("=", 1) for line in file.read_text().splitlines())
        program = "import pyarrow.dataset as d; print(d.dataset('s3://indutech/lake/tickets').count_rows())"
        own = {**os.environ, **variables}
        seen = subprocess.run([sys.executable, "-c", program], env=own, capture_output=True, text=True, check=False)
        assert seen.stdout.strip() == "3", seen.stderr
        assert variables["AWS_ACCESS_KEY_ID"] != kept.aws_access_key_id
    finally:
        assert connection.stop(settings)
    assert not connection.status(settings).running


def test_a_server_for_other_machines(tmp_path: Path) -> None:
    """`indutech lake serve` serves the lake's bucket at a fixed address, and writes a key of each kind to a file."""
    [port] = ports.free(1)
    served = {"INDUTECH_DATA_DIR": str(tmp_path), "INDUTECH_LAKE_URI": "s3a://indutech/lake"}
    command = [sys.executable, "-m", "indutech", "lake", "serve", "--port", str(port)]
    reaching = Settings(
        _env_file=None,
        data_dir=tmp_path / "elsewhere",
        lake_uri="s3a://indutech/lake",
        s3_endpoint=f"http://127.0.0.1:{port}",
        aws_shared_credentials_file=tmp_path / "s3" / "writer.credentials",
    )
    env = {
        **served,
        "INDUTECH_S3_ENDPOINT": f"http://127.0.0.1:{port}",
        "AWS_SHARED_CREDENTIALS_FILE": str(reaching.aws_shared_credentials_file),
    }
    healthy = [sys.executable, "-m", "indutech", "health", "lake"]
    with subprocess.Popen(command, env={**os.environ, **served}, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            assert f"INDUTECH_S3_ENDPOINT=http://127.0.0.1:{port}; Ctrl-C ends it" in server.stdout.readline()
            deadline = time.monotonic() + 20
            while subprocess.run(healthy, env=os.environ | env, capture_output=True, check=False).returncode:
                assert time.monotonic() < deadline
            with connection.connected(reaching) as writing:
                lakes.store(writing, "tickets", "2026-01-01", 0, [0, 1, 2])
            reader_file = tmp_path / "s3" / "reader.credentials"
            reading = reaching.model_copy(update={"aws_shared_credentials_file": reader_file})
            [file] = layout.all_files(reading, "tickets")
            assert pq.read_metadata(io.BytesIO(file.path.read_bytes())).num_rows == 3
            with pytest.raises(bucket.StoreRefused):
                (files.root(reading) / "mine").write_bytes(b"")
            assert stat.S_IMODE(reader_file.stat().st_mode) == 0o600
            again = subprocess.run(
                command, env={**os.environ, **served}, capture_output=True, text=True, check=False, timeout=60
            )
            assert f"No S3 server can listen at 127.0.0.1:{port} (address already in use)" in again.stderr
            assert (again.returncode, again.stdout) == (1, "")
        finally:
            server.terminate()
            assert server.wait(30) is not None


def test_a_reader_may_only_read(server: Settings, ten_batches: Settings) -> None:
    """The reader's key lists and reads; writing and deleting are refused by the server, whatever our code would do."""
    own = ten_batches.model_copy(update={"s3_endpoint": None, "data_dir": server.data_dir})
    reading = connection.for_readers(own).model_copy(update={"data_dir": ten_batches.data_dir})

    assert len(reader.read(reading, "tickets")) == 66
    with pytest.raises(bucket.StoreRefused, match=r"refuses the key .* in bucket indutech .*indutech lake policy"):
        (files.root(reading) / "mine").write_bytes(b"")
    with pytest.raises(bucket.StoreRefused):
        layout.all_files(reading, "tickets")[0].path.unlink()
    assert len(reader.read(ten_batches, "tickets")) == 66


def test_the_policies_have_no_right_too_many() -> None:
    """A reader changes nothing, a writer touches nothing beside its prefix, and neither may do everything."""
    for who in ("reader", "writer"):
        printed = policy.policy("the-bucket", "lake", who)
        actions = {action for one in printed["Statement"] for action in one["Action"]}
        objects = [one["Resource"] for one in printed["Statement"] if one["Sid"] == "Objects"]

        assert objects == ["arn:aws:s3:::the-bucket/lake/*"]
        assert not [action for action in actions if "*" in action]
        changing = {action for action in actions if "Put" in action or "Delete" in action or "Abort" in action}
        assert bool(changing) == (who == "writer")


def test_the_platform_gives_the_stream_these_rights() -> None:
    """The role of the template has them, and the endpoint of the network lets them through."""
    from indutech.architecture.platform import platform
    from indutech.architecture.templates.stream import stream

    roles = stream(platform())["Resources"]["SparkRole"]["Properties"]["Policies"]
    [lake] = [one["PolicyDocument"] for one in roles if one["PolicyName"] == "lake"]
    given = {action for one in lake["Statement"] for action in one["Action"] if action.startswith("s3:")}
    needed = {action for one in policy.policy("b", "p", "writer")["Statement"] for action in one["Action"]}
    [endpoint] = [one for one in platform().endpoint if one.service == "s3"]

    assert given == needed
    assert needed <= set(endpoint.allows)


def test_a_wrong_key_is_one_sentence(server: Settings, settings: Settings) -> None:
    """The key that does not exist, and the secret that does not fit."""
    for wrong in ({"aws_access_key_id": "NOBODY"}, {"aws_secret_access_key": SecretStr("not this")}):
        with (
            pytest.raises(bucket.StoreRefused, match="check AWS_ACCESS_KEY_ID"),
            connection.connected(settings.model_copy(update=wrong)),
        ):
            pass


def test_no_bucket_is_one_sentence(server: Settings) -> None:
    """It is not made in passing: a name that was mistyped would make a second lake."""
    admin = connection._reaching(server.model_copy(update={"s3_endpoint": None}), "admin")
    elsewhere = admin.model_copy(update={"lake_uri": "s3a://indutehc/lake"})
    with pytest.raises(bucket.BucketMissing, match="no bucket indutehc"), connection.connected(elsewhere):
        pass


def test_nobody_there_is_one_sentence_in_bounded_time(settings: Settings) -> None:
    """After the time that is waited for a broker."""
    away = settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:9", "broker_timeout_s": 1.0})
    began = time.monotonic()
    with pytest.raises(bucket.StoreNotReady, match=r"127\.0\.0\.1:9 does not answer"), connection.connected(away):
        pass
    assert time.monotonic() - began < 10


def test_a_store_out_of_order_is_waited_for(server: Settings, ten_batches: Settings) -> None:
    """503 to everything for some seconds: each client asks again until it is answered."""
    with gate_before(server.s3_endpoint) as gate:
        through = ten_batches.model_copy(update={"s3_endpoint": gate.endpoint})
        for work in (
            lambda: (files.root(through) / "written").write_bytes(b"1"),
            lambda: layout.all_files(through, "tickets"),
            lambda: files.metadata(layout.all_files(ten_batches, "tickets")[0].path),
        ):
            gate.refuse_for(1.5)
            work()
        files.metadata(S3Path(bucket.of(through), layout.all_files(ten_batches, "tickets")[0].path.key))
        assert gate.refused >= 2


def test_one_writer_whoever_else_can_reach_the_bucket(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another data folder is refused while the lease is renewed, and takes it over when nobody renews it."""
    monkeypatch.setattr(lease, "EXPIRES_AFTER_S", 2.5)
    monkeypatch.setattr(lease, "RENEWED_EVERY_S", 0.3)
    other = settings.model_copy(update={"data_dir": settings.data_dir.with_name("another")})
    with sole_writer(settings) as still_ours:
        with pytest.raises(lease.HeldElsewhere, match="is written by"), sole_writer(other):
            pass
        still_ours()
        monkeypatch.setattr(lease, "RENEWED_EVERY_S", 100)
        time.sleep(0.7)  # the last renewal that was due before
        with sole_writer(other), pytest.raises(lease.WriterReplaced, match="another writer"):
            still_ours()
    assert not (files.root(settings) / "writer.json").exists()


def test_of_many_that_ask_at_once_one_gets_the_lease(settings: Settings) -> None:
    """The store decides, not a look before the write."""
    leases = [lease.Lease(files.root(settings) / "writer.json", f"machine {i}") for i in range(8)]
    with ThreadPoolExecutor(8) as workers:
        assert sum(workers.map(lambda one: one._write("create"), leases)) == 1


def test_who_wakes_up_late_does_not_take_the_lease_back(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its renewal names the tag that it wrote last, which is not there any more."""
    monkeypatch.setattr(lease, "EXPIRES_AFTER_S", 1.0)
    file = files.root(settings) / "writer.json"
    asleep, other = lease.Lease(file, "asleep"), lease.Lease(file, "other")
    asleep.acquire()
    other.acquire()

    assert not asleep._write(asleep._tag)
    asleep.release()
    other.check()
    assert '"other"' in file.read_text()


def test_a_killed_writer_does_not_keep_its_own_folder_waiting(tmp_path: Path) -> None:
    """The folder's lock says that it is dead, so its lease is taken over at once."""
    settings = Settings(_env_file=None, data_dir=tmp_path, lake_uri="s3a://indutech/lake")
    with connection.connected(settings) as reached:
        subprocess.run([sys.executable, "-c", DIES, tmp_path, settings.lake_uri], check=False)
        assert (files.root(reached) / "writer.json").exists()
        began = time.monotonic()
        with sole_writer(reached) as still_ours:
            still_ours()
        assert time.monotonic() - began < 5


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("step", range(0, 20, 3))
def test_a_compaction_killed_at_any_request_is_finished_later(
    ten_batches: Settings, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Readers through `lake` see each offset once right after the kill; every reader does after the next start."""
    before = {kind: lakes.offsets_seen(ten_batches, kind) for kind in layout.KINDS}
    left = step
    for name in ("put", "copy", "delete"):
        real = getattr(obstore, name)

        def dying(*args: object, real=real, **kwargs: object):
            nonlocal left
            left -= 1
            if left < 0:
                raise _Killed
            return real(*args, **kwargs)

        monkeypatch.setattr(obstore, name, dying)
    with pytest.raises(_Killed):
        compaction.compact(ten_batches)
    monkeypatch.undo()

    for kind in layout.KINDS:
        assert sorted(reader.read(ten_batches, kind)["kafka_offset"].to_pylist()) == before[kind]
    compaction.finish_interrupted(ten_batches)
    assert {kind: lakes.offsets_seen(ten_batches, kind) for kind in layout.KINDS} == before
    assert not list((files.root(ten_batches) / ".compaction").below())


def test_a_compaction_makes_few_files(ten_batches: Settings) -> None:
    """As in a folder: the same offsets in one file a kind, under a number."""
    [done] = compaction.compact(ten_batches)

    assert (done.files_before, done.files_after) == (12, 2)
    assert len(reader.read(ten_batches, "tickets")) == 66
    assert compaction.compact(ten_batches) == []


def test_a_compaction_asks_for_what_the_bill_says(ten_batches: Settings) -> None:
    """At most so many requests at the price of a GET for each file that it replaces."""
    from indutech.costs.charges import GETS_PER_COMPACTED_FILE

    with gate_before(ten_batches.s3_endpoint) as gate:
        [done] = compaction.compact(ten_batches.model_copy(update={"s3_endpoint": gate.endpoint}))

        asked = gate.requests["GET"] + gate.requests["HEAD"]
    assert done.files_before == 12
    assert asked / done.files_before <= GETS_PER_COMPACTED_FILE + 1  # and a few for the journal
    assert gate.requests["PUT"] + gate.requests["COPY"] + gate.requests["LIST"] < 20


def test_what_a_killed_try_left_on_another_day_is_removed(settings: Settings) -> None:
    """A replay replaces only the folders that it writes: rows of the first try would stand beside them."""
    lakes.commit(settings, 0, {0: 10})
    kept = lakes.store(settings, "tickets", "2026-01-01", 1, [10])
    other = lakes.store(settings, "tickets", "2026-01-02", 0, [9])
    lakes.store(settings, "tickets", "2026-01-02", 1, [10])
    before = layout.uncommitted_files(settings)

    layout.remove_stale(settings, "tickets", 1, [kept_day(kept)], before)

    assert {file.path.key for file in layout.all_files(settings, "tickets")} == {kept.key, other.key}


def kept_day(path: S3Path) -> date:
    """The day that a file's folder names."""

    return date.fromisoformat(path.parent.parent.name.removeprefix("ingest_date="))


def test_duckdb_reads_the_bucket_by_its_glob(ten_batches: Settings) -> None:
    """Through the key of the settings, without an extension that it would have to download."""
    place = layout.root(ten_batches, "tickets")
    with files.duckdb_for([place]) as connected:
        [(rows,)] = connected.execute(f"SELECT count(*) FROM '{place}/ingest_date=*/batch=*/*.parquet'").fetchall()
    assert rows == 66


def test_a_checkpoint_without_its_bucket_is_refused(ten_batches: Settings) -> None:
    """Another prefix is another lake: the identity ties bucket and checkpoint as it ties two folders."""
    elsewhere = ten_batches.model_copy(update={"lake_uri": f"{ten_batches.lake_uri}-other"})
    with pytest.raises(identity.LakeIdentityMismatch, match="the lake it wrote is gone: s3://indutech/"):
        identity.check(elsewhere)


def test_reset_empties_the_prefix_and_nothing_else(ten_batches: Settings) -> None:
    """What another lake has in the same bucket stays."""
    beside = S3Path(files.root(ten_batches).bucket, f"{files.root(ten_batches).key}-beside") / "x"
    beside.write_bytes(b"")
    own = ten_batches.model_copy(update={"bootstrap_servers": "nowhere:9"})

    assert next(path for path, _ in reset.listed(own)) == files.root(own)
    reset.delete(own)

    assert reset.listed(own) == []
    assert beside.exists()


def test_the_iceberg_view_says_that_it_needs_a_folder(settings: Settings) -> None:
    """Hard links keep the files of a pinned snapshot, and a bucket has none."""
    with pytest.raises(iceberg.InABucket, match="has no hard links"):
        iceberg.publish(settings)


def test_doctor_looks_at_the_store(settings: Settings) -> None:
    """It says who answers; that an embedded server does not run is no problem; a wrong key is one."""
    said = {one.subject: one for one in doctor.examine(settings).findings}
    assert said["lake's store"].says == f"{settings.s3_endpoint} answers (not ours)."
    unused = settings.model_copy(update={"s3_endpoint": None})
    said = {one.subject: one for one in doctor.examine(unused).findings}
    assert said["lake's store"].level == doctor.Level.NOTE
    wrong = settings.model_copy(update={"aws_access_key_id": "NOBODY"})
    said = {one.subject: one for one in doctor.examine(wrong).findings}
    assert said["lake's store"].level == doctor.Level.PROBLEM


@pytest.mark.parametrize("uri", ["s3a://", "s3a://UPPER/lake", "gs://bucket/lake", "s3a://bucket//lake"])
def test_an_address_that_is_none_is_refused(uri: str) -> None:
    """Before anything is asked over the network."""
    with pytest.raises(ValidationError, match="INDUTECH_LAKE_URI"):
        Settings(_env_file=None, **{"INDUTECH_LAKE_URI": uri})


def test_a_lake_in_a_folder_elsewhere(tmp_path: Path) -> None:
    """The same setting names a folder, whatever its name."""
    settings = Settings(_env_file=None, data_dir=tmp_path / "a", lake_uri=str(tmp_path / "dépôt, l'autre [1]"))
    lakes.store(settings, "tickets", "2026-01-01", 0, [0, 1])
    lakes.commit(settings, 0, {0: 2})

    assert settings.lake_bucket is None
    assert len(reader.read(settings, "tickets")) == 2
    assert (tmp_path / "dépôt, l'autre [1]" / "tickets").is_dir()


def test_a_lake_whose_server_does_not_run_says_so(tmp_path: Path) -> None:
    """Reading does not start a server behind somebody's back."""
    settings = Settings(_env_file=None, data_dir=tmp_path, lake_uri="s3a://indutech/lake")
    with pytest.raises(bucket.StoreNotReady, match="indutech lake start"):
        reader.query(settings, "SELECT 1")
