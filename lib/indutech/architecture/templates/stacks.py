"""All stacks in the order in which they would be deployed, and what stands in their files."""

import json
from collections.abc import Mapping
from typing import Any

from indutech.architecture.model import Platform
from indutech.architecture.templates.identity import identity
from indutech.architecture.templates.lake import archive, lake, vault
from indutech.architecture.templates.network import network
from indutech.architecture.templates.parts import Template
from indutech.architecture.templates.stream import stream
from indutech.architecture.templates.warehouse import warehouse
from indutech.architecture.templates.watch import watch
from indutech.system.settings import PROJECT

FOLDER = PROJECT / "assets" / "cloudformation"
ACCOUNTS = {"archive": "log_archive_account", "vault": "backups"}  # the others are for the platform's account


def stacks(platform: Platform, requests: Mapping[str, Mapping[str, Any]]) -> dict[str, Template]:
    """Every stack by its name, in order: each imports only from those before it."""
    return {
        "archive": archive(platform),
        "vault": vault(platform),
        "network": network(platform),
        "identity": identity(platform),
        "lake": lake(platform),
        "stream": stream(platform),
        "warehouse": warehouse(platform),
        "watch": watch(platform, requests),
    }


def text(template: Template) -> str:
    """What stands in a template's file."""
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"
