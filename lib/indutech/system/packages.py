"""Installs the packages of requirements.lock with uv, under the settings that this machine has for pip, else with pip.

`make setup` runs this file before anything else is installed: it imports nothing but Python's own modules.
"""

import ast
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
UV = Path(sys.executable).with_name("uv")
SECTIONS = ("global", "install", ":env:")  # the later one counts, as in pip
# pip's setting → the variable that uv reads for it, and what stands there between several values.
SAME_FOR_UV = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "keyring-provider": ("UV_KEYRING_PROVIDER", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "proxy": ("ALL_PROXY", " "),
    "client-cert": ("SSL_CLIENT_CERT", " "),
    "cert": ("SSL_CERT_FILE", " "),
}
# Where pip finds certificates without a setting of its own.
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# PySpark comes as source only, half a gigabyte of jars: to compress them into a wheel takes longer than all the rest.
BUILDS = "[bdist_wheel]\ncompression = stored\n"
NEXT = "Check the network, or pip's index and certificates (`pip config list`), then run the same again."


def pip_settings() -> dict[str, str]:
    """Return pip's settings from its files and its variables, as `pip config list` shows them."""
    listed = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=False).stdout
    found = re.findall(r"^(\S+)\.([\w-]+)=(.+)$", listed, re.MULTILINE)
    counted = sorted((one for one in found if one[0] in SECTIONS), key=lambda one: SECTIONS.index(one[0]))
    return {name: str(ast.literal_eval(value)) for _, name, value in counted}


def environment_of_uv(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with pip's settings in it as uv reads them; what is set for uv itself stays."""
    told = {uv: gap.join(settings[pip].split()) for pip, (uv, gap) in SAME_FOR_UV.items() if pip in settings}
    if "proxy" in settings:
        told |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), settings["proxy"])
    if bundle := next((environment[name] for name in CERTIFICATES if name in environment), None):
        told.setdefault("SSL_CERT_FILE", bundle)
    # pip takes a file from whichever index has it; which one is right, the hash in the lock says.
    told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {**environment, **told, **{name: value for name, value in environment.items() if name.startswith("UV_")}}


def install(lock: Path, project: Path | None = None) -> None:
    """Install what the lock names, each file checked against its hash, and the project itself, editable."""
    steps = [["--require-hashes", "-r", str(lock)]]
    if project:
        steps.append(["--no-deps", "--no-build-isolation", "-e", str(project)])
    with tempfile.TemporaryDirectory() as folder:
        builds = Path(folder, "builds.cfg")
        builds.write_text(BUILDS, "utf-8")
        environment = {**os.environ, "DIST_EXTRA_CONFIG": str(builds)}
        if (UV.exists() or _uv_alone(lock, Path(folder))) and _with_uv(steps, environment):
            return
        print("uv could not install them; now pip does, which takes a minute or two longer.", file=sys.stderr)
        for step in steps:
            if subprocess.run([*PIP, "install", *step], env=environment, check=False).returncode:
                sys.exit(f"pip could not install the packages either: its last lines say why. {NEXT}")


def _uv_alone(lock: Path, folder: Path) -> bool:
    """Let pip install uv, checked against its hashes in the lock; tell whether it could."""
    locked = re.search(r"^uv==.+?(?=^\S|\Z)", lock.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    if not locked:
        return False
    alone = folder / "uv.lock"
    alone.write_text(locked[0], "utf-8")
    return not subprocess.run([*PIP, "install", "-qq", "--require-hashes", "-r", alone], check=False).returncode


def _with_uv(steps: list[list[str]], environment: dict[str, str]) -> bool:
    settings = pip_settings()
    given = ["--no-index"] if settings.get("no-index", "").lower() in ("1", "true", "yes", "on") else []
    if not sys.stderr.isatty():  # on a terminal its progress moves; elsewhere it would list every package
        given.append("--quiet")
    uv = [str(UV), "pip", "install", "--python", sys.executable, *given]
    environment = environment_of_uv(settings, environment)
    return all(not subprocess.run([*uv, *step], env=environment, check=False).returncode for step in steps)


if __name__ == "__main__":
    install(*map(Path, sys.argv[1:]))
