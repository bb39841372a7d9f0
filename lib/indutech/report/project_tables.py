"""The generated parts about the project itself: settings for README and .env.example, ports, the list of modules."""

from collections.abc import Callable, Iterator, Mapping

import yaml

from indutech.report.error_list import error_table
from indutech.report.module_list import module_list
from indutech.system.settings import PROJECT, Settings


def settings_table() -> str:
    """Return a row for each setting: name, default, meaning."""
    rows = [f"| `{name}` | {f'`{default}`' if default else ''} | {says} |" for name, default, says in _settings()]
    return "\n".join(["| name | default | meaning |", "|---|---|---|", *rows])


def env_example() -> str:
    """Return each setting with its default as a line of a `.env` file, under what it means."""
    return "\n".join(f"# {says}\n{name}={default}" for name, default, says in _settings())


def ports_table() -> str:
    """Return a row for each port that docker-compose.yml publishes: its number, the service, and the stack."""
    services = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    rows = [
        f"| `{port.split(':')[1]}` | `{name}` | {_stack(service)} |"
        for name, service in services.items()
        for port in service.get("ports", [])
    ]
    return "\n".join(["| port | service | stack |", "|---|---|---|", *rows])


def _stack(service: Mapping[str, list[str]]) -> str:
    return " ".join(f"`{profile}`" for profile in service.get("profiles", [])) or "`docker compose up`"


def _settings() -> Iterator[tuple[str, str, str]]:
    for field in Settings.model_fields.values():
        default = "" if field.default is None or field.default_factory else str(field.default)
        yield str(field.alias), default, str(field.description)


PARTS: Mapping[str, Callable[[], str]] = {
    "settings": settings_table,
    "env-example": env_example,
    "ports": ports_table,
    "modules": module_list,
    "errors": error_table,
}
