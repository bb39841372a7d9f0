"""docker-compose.yml as the real docker-compose reads it, and the rules that it keeps here."""

import functools
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import typer.main

from indutech.cli.app import app
from indutech.system.settings import PROJECT, Settings

COMPOSE = Path(sys.executable).with_name("docker-compose")
STACKS = {
    "default": [],
    **{stack: [stack] for stack in ("ha", "secure", "cluster", "s3", "report")},
    "all": ["ha", "secure", "cluster", "s3", "report"],
}
SETTINGS = {field.alias for field in Settings.model_fields.values()}
PIPES = re.compile(r"\||\bgrep\b|;\s*true\b|\bcurl\b(?!.*(--fail|-f))")
KEEPS_SECRETS = re.compile(r"PASSWORD$|PASS$|TOKEN|SECRET|ACCESS_KEY|BOOTSTRAP_USER")


def read(stack: str, file: Path = PROJECT / "docker-compose.yml") -> dict[str, Any]:
    """Return what `docker-compose config` makes of the file for a stack."""
    profiles = [word for profile in STACKS[stack] for word in ("--profile", profile)]
    command = [COMPOSE, "--file", file, "--project-directory", PROJECT, *profiles, "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def faults(config: dict[str, Any]) -> list[str]:
    """Return what breaks a rule; nothing if all is well."""
    found = [fault for name, service in config["services"].items() for fault in _of_service(name, service)]
    if set(config["networks"]) != {"indutech"}:
        found.append(f"networks {set(config['networks'])}, not one")
    found += [f"volume {name} is not a named one of ours" for name, one in config["volumes"].items() if "driver" in one]
    found += [f"secret {name} is not a file" for name, one in config.get("secrets", {}).items() if "file" not in one]
    return found


def is_ours(service: dict[str, Any]) -> bool:
    """Tell whether a service is built here."""
    return "build" in service


def _of_service(name: str, service: dict[str, Any]) -> list[str]:
    found = []
    if not is_ours(service) and service["image"] not in _listed():
        found.append(f"{name}: the image {service['image']} is not in assets/images.toml")
    if is_ours(service) and "image" in service:
        found.append(f"{name}: a first build fails when several services write the image {service['image']}")
    built = service.get("build", {})
    if is_ours(service) and Path(built["context"], built["dockerfile"]) != PROJECT / "Dockerfile":
        found.append(f"{name}: not built from the one Dockerfile")
    environment = service.get("environment") or {}
    if is_ours(service):
        found += [f"{name}: {key} is no setting" for key in sorted(environment.keys() - SETTINGS)]
        found += _of_command(name, service["command"])
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        found.append(f"{name}: keeps capabilities")
    found += [
        f"{name}: {key} is a secret in the file" for key, value in environment.items() if value and _is_secret(key)
    ]
    found += _of_health(name, service)
    for port in service.get("ports", []):
        if port.get("host_ip") != "127.0.0.1":
            found.append(f"{name}: port {port['published']} is open to other machines")
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    if not {"cpus", "memory"} <= limits.keys():
        found.append(f"{name}: no limits")
    if service.get("privileged") or "no-new-privileges:true" not in service.get("security_opt", []):
        found.append(f"{name}: privileged, or may become so")
    if set(service.get("networks", {})) != {"indutech"}:
        found.append(f"{name}: not on the one network")
    if "restart" not in service:
        found.append(f"{name}: no restart policy")
    words = " ".join(service.get("command") or [])
    if "rpk redpanda start" in words and ("--mode" in words or "bypass" in words):
        found.append(f"{name}: a mode that bypasses fsync")
    return found


@functools.cache
def _listed() -> set[str]:
    return {one["reference"] for one in tomllib.loads((PROJECT / "assets/images.toml").read_text())["image"]}


def _is_secret(key: str) -> bool:
    return bool(KEEPS_SECRETS.search(key))


@functools.cache
def _commands() -> Any:
    return typer.main.get_command(app)


def _of_command(name: str, command: list[str]) -> list[str]:
    if command[0] == "jupyter":
        return []
    known = _commands()
    for at, word in enumerate(command):
        if at == 0 or not hasattr(known, "commands"):
            continue
        if word not in known.commands:
            return [f"{name}: `{' '.join(command)}` is no command"]
        known = known.commands[word]
    options = {option for parameter in known.params for option in parameter.opts}
    given = {word for word in command if word.startswith("--")}
    return [f"{name}: {option} is no option of `{' '.join(command)}`" for option in sorted(given - options)]


def _of_health(name: str, service: dict[str, Any]) -> list[str]:
    if service.get("restart") == "no":
        return []
    test = (service.get("healthcheck") or {}).get("test")
    if not test:
        return [f"{name}: no health check"]
    if test[0] != "CMD" or PIPES.search(" ".join(test)):
        return [f"{name}: the health check {test} has no exit code of its own"]
    if is_ours(service):
        return _of_command(name, test[1:])
    return []
