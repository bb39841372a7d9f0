"""The set-up: uv gets what this machine has set for pip, checks each hash, and pip takes over where uv cannot."""

import base64
import functools
import hashlib
import http.server
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from indutech.system import packages
from indutech.system.settings import PROJECT

SCRIPT = PROJECT / "lib" / "indutech" / "system" / "packages.py"
NOWHERE = "http://127.0.0.1:1/simple"
OF_A_WHEEL = {
    "METADATA": "Metadata-Version: 2.1\nName: petit\nVersion: 1.0\n",
    "WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A package index that holds one package, and the SHA-256 of its wheel."""
    folder = tmp_path_factory.mktemp("index") / "petit"
    folder.mkdir()
    wheel = folder / "petit-1.0-py3-none-any.whl"
    files = {
        "petit.py": "word = 'here'\n",
        **{f"petit-1.0.dist-info/{name}": text for name, text in OF_A_WHEEL.items()},
    }
    recorded = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},\n"
        for name, text in files.items()
    )
    with zipfile.ZipFile(wheel, "w") as packed:
        for name, text in (files | {"petit-1.0.dist-info/RECORD": f"{recorded}petit-1.0.dist-info/RECORD,,\n"}).items():
            packed.writestr(name, text)
    (folder / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    serve = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder.parent)
    serve.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", hashlib.sha256(wheel.read_bytes()).hexdigest()
        server.shutdown()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with pip, and the real uv beside it."""
    folder = tmp_path_factory.mktemp("un environnement")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    (folder / "bin" / "uv").symlink_to(Path(sys.executable).with_name("uv"))
    return folder / "bin" / "python"


@pytest.fixture
def project(tmp_path: Path, index: tuple[str, str]) -> Path:
    """A folder with a lock of one package, and a pip.conf that names the index."""
    (tmp_path / "requirements.lock").write_text(f"petit==1.0 \\\n    --hash=sha256:{index[1]}\n")
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {index[0]}\n")
    return tmp_path


def set_up(python: Path, project: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the set-up on a machine that has only this set for pip."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    given = {"PIP_CONFIG_FILE": str(project / "pip.conf"), "HOME": str(project / "home"), "PYTHONPATH": ""}
    subprocess.run([python, "-m", "pip", "uninstall", "-qy", "petit"], check=True, capture_output=True)
    return subprocess.run(
        [python, "-P", SCRIPT, project / "requirements.lock"],
        env=bare | given | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def installer(python: Path) -> str:
    """Who has installed the package, as it wrote itself; empty if nobody has."""
    code = "from importlib.metadata import distribution as d; print(d('petit').read_text('INSTALLER'))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


@pytest.mark.slow
def test_uv_goes_where_pip_would_go(python: Path, project: Path, index: tuple[str, str]) -> None:
    """The index stands in pip's file; then pip's variable is stronger than it, as it is for pip."""
    done = set_up(python, project)

    assert (done.returncode, done.stderr) == (0, "")
    assert installer(python) == "uv"

    (project / "pip.conf").write_text(f"[global]\nindex-url = {NOWHERE}\n")
    assert set_up(python, project, PIP_INDEX_URL=index[0]).returncode == 0
    assert installer(python) == "uv"


@pytest.mark.slow
def test_pip_takes_over_where_uv_cannot(python: Path, project: Path) -> None:
    """One sentence, and the package is there."""
    done = set_up(python, project, UV_DEFAULT_INDEX=NOWHERE, UV_HTTP_RETRIES="0")

    assert done.returncode == 0, done.stderr
    assert "uv could not install them; now pip does" in done.stderr
    assert installer(python) == "pip"


@pytest.mark.slow
def test_another_file_than_the_locked_one_is_refused_by_both(python: Path, project: Path) -> None:
    """Whoever installs checks the hash; the last line says what to look at."""
    (project / "requirements.lock").write_text(f"petit==1.0 \\\n    --hash=sha256:{64 * '0'}\n")

    done = set_up(python, project)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("pip could not install the packages either")
    assert installer(python) == ""


def test_every_setting_of_pip_that_says_where_and_how_reaches_uv() -> None:
    """Index, further indexes, folders, hosts, certificates, proxy and time-out; several values as uv writes them."""
    settings = {
        "index-url": "https://mirror.example/simple",
        "extra-index-url": "\nhttps://a.example/simple\nhttps://b.example/simple",
        "find-links": "/wheels /more",
        "trusted-host": "mirror.example a.example",
        "cert": "/ca.pem",
        "client-cert": "/me.pem",
        "proxy": "http://proxy.example:3128",
        "timeout": "180",
        "keyring-provider": "subprocess",
    }

    given = packages.environment_of_uv(settings, {"PATH": "/bin"})

    assert given == {
        "PATH": "/bin",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://a.example/simple https://b.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_INSECURE_HOST": "mirror.example a.example",
        "UV_HTTP_TIMEOUT": "180",
        "UV_KEYRING_PROVIDER": "subprocess",
        "SSL_CERT_FILE": "/ca.pem",
        "SSL_CLIENT_CERT": "/me.pem",
        **dict.fromkeys(("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"), "http://proxy.example:3128"),
    }


def test_what_is_set_for_uv_itself_stays() -> None:
    """And the certificates that pip finds by itself are named to uv too."""
    given = packages.environment_of_uv(
        {"index-url": "https://pip.example"},
        {"UV_DEFAULT_INDEX": "https://uv.example", "REQUESTS_CA_BUNDLE": "/company.pem"},
    )

    assert (given["UV_DEFAULT_INDEX"], given["SSL_CERT_FILE"]) == ("https://uv.example", "/company.pem")


def test_pips_own_settings_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From a file, whose section for `install` is stronger than the general one, and from variables, stronger still."""
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://g.example\ntimeout = 5\n[install]\nindex-url = https://i.example\n")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("PIP_TIMEOUT", "7")

    found = packages.pip_settings()

    assert (found["index-url"], found["timeout"]) == ("https://i.example", "7")
