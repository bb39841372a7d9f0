"""The image and the conda environment, as far as they can be checked without a Docker engine and without conda."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from dockerfile_parse import DockerfileParser

from indutech.system.settings import PROJECT

DOCKERFILE = (PROJECT / "Dockerfile").read_text()
HADOLINT = Path(sys.executable).with_name("hadolint")
IMAGES = {one["name"]: one["reference"] for one in tomllib.loads((PROJECT / "assets/images.toml").read_text())["image"]}
# What the image gets from this folder: .dockerignore shuts out everything and lets these in.
LET_IN = re.findall(r"^!(.+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE)


def lint(text: str) -> str:
    """Return what hadolint finds."""
    return subprocess.run([HADOLINT, "-"], input=text, capture_output=True, text=True, check=False).stdout


def faults(text: str, folder: Path) -> list[str]:
    """Return what breaks the rules of this project in a Dockerfile."""
    (folder / "Dockerfile").write_text(text)
    parsed = DockerfileParser(str(folder / "Dockerfile"))
    lines = [(one["instruction"], one["value"]) for one in parsed.structure if one["instruction"] != "COMMENT"]
    last_stage = lines[max(at for at, (name, _) in enumerate(lines) if name == "FROM") :]
    defaults = dict(value.split("=", 1) for name, value in lines if name == "ARG" and "=" in value)
    stages = set(re.findall(r" AS (\w+)", "\n".join(value for name, value in lines if name == "FROM")))
    found = []
    for name, value in lines:
        if name == "FROM":
            image = re.sub(r"\$\{(\w+)\}", lambda match: defaults[match[1]], value.split()[0])
            found += [f"{image} is not in assets/images.toml"] if image not in {*IMAGES.values(), *stages} else []
        if name in ("CMD", "HEALTHCHECK", "ENTRYPOINT") and not is_list(value):
            found.append(f"{name} goes through a shell: {value}")
        if name == "COPY" and not value.startswith("--from="):
            for source in value.split()[:-1]:
                if source != "." and not (PROJECT / source).exists():
                    found.append(f"COPY {source}: there is none")
                if source != "." and source.split("/")[0] not in LET_IN:
                    found.append(f"COPY {source}: shut out by .dockerignore")
        if name == "RUN" and "requirements.lock" in value and "--require-hashes" not in value:
            found.append("packages without their hashes")
    users = [value for name, value in last_stage if name == "USER"]
    if not users or re.match(r"(root|0)\b", users[-1]):
        found.append("it runs as root")
    if not {"HEALTHCHECK", "LABEL"} <= {name for name, _ in last_stage}:
        found.append("no health check or no label")
    return found


def is_list(value: str) -> bool:
    """Tell whether a command is a JSON list, which starts no shell."""
    try:
        return isinstance(json.loads(value[value.index("[") :]), list)
    except ValueError:
        return False


def test_the_image_keeps_the_rules(tmp_path: Path) -> None:
    """Hadolint finds nothing, and neither do the project's own rules."""
    assert lint(DOCKERFILE) == ""
    assert faults(DOCKERFILE, tmp_path) == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("python:3.13.9-slim-trixie", "python:latest", "python:latest is not in"),
        ("python:3.13.9-slim-trixie", "python:3.13.8-slim-trixie", "3.13.8-slim-trixie is not in"),
        ("USER $UID:$GID", "USER root", "runs as root"),
        ("USER $UID:$GID", "", "runs as root"),
        ('CMD ["indutech", "health"]', "CMD indutech health | grep well", "HEALTHCHECK goes through a shell"),
        ("HEALTHCHECK", "# HEALTHCHECK", "no health check"),
        ("--require-hashes ", "", "without their hashes"),
        ("COPY requirements.lock", "COPY .env", ".env: "),
        ("COPY assets/jars.lock", "COPY tests", "shut out"),
    ],
)
def test_a_broken_image_is_caught(before: str, after: str, fault: str, tmp_path: Path) -> None:
    """Each rule can fail."""
    assert before in DOCKERFILE
    assert fault in " ".join(faults(DOCKERFILE.replace(before, after), tmp_path))


def test_hadolint_is_the_real_one() -> None:
    """It finds what it is known for."""
    assert "DL3007" in lint("FROM python:latest\n")


def test_only_the_project_goes_into_the_image() -> None:
    """No settings, secrets, data or history; whatever is let in is there."""
    lines = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    assert not {".env", ".git", "data_output", ".venv", "tests"} & set(LET_IN)
    assert all((PROJECT / name).exists() for name in LET_IN)


def test_every_image_is_pinned_and_sourced() -> None:
    """A full version, never latest, and where it was read."""
    for one in tomllib.loads((PROJECT / "assets/images.toml").read_text())["image"]:
        assert re.search(r":v?\d+\.\d+\.\d+(-[a-z-]+)?$", one["reference"]), one
        assert one["source"].startswith("https://")
        assert {"used_for", "read_on"} <= one.keys()


def test_conda_brings_what_make_needs_and_nothing_twice() -> None:
    """Python in the range of the project; every Python package, and with them Java, comes from the lock."""
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text())
    conda = dict(line.partition(" ")[::2] for line in environment["dependencies"] if isinstance(line, str))
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert conda.keys() == {"python", "make", "pip"}
    assert conda["python"] == project["requires-python"]
    [pip] = [line["pip"] for line in environment["dependencies"] if isinstance(line, dict)]
    assert pip == ["--requirement requirements.lock"]
