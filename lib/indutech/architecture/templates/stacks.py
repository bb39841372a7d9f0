"""All stacks in the order in which they would be deployed, and what stands in their files."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from indutech.architecture.model import Platform
from indutech.architecture.platform import ENDPOINTS
from indutech.architecture.templates.identity import identity
from indutech.architecture.templates.lake import archive, lake, vault
from indutech.architecture.templates.network import network
from indutech.architecture.templates.operate import operate
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
        "operate": operate(platform),
        "warehouse": warehouse(platform),
        "watch": watch(platform, requests),
    }


def counts(platform: Platform) -> dict[str, int]:
    """How many of each thing the templates have that is paid by the piece; the bill counts nothing by itself."""
    types = Counter[str]()
    managed = 0
    for template in stacks(platform, {}).values():
        for resource in template["Resources"].values():
            types[resource["Type"]] += 1
            managed += bool(resource.get("Properties", {}).get("ManageMasterPassword"))
    interfaces = sum(endpoint.kind == "Interface" for endpoint in platform.endpoint)
    return {
        "alarms": types["AWS::CloudWatch::Alarm"],
        "kms_keys": types["AWS::KMS::Key"],
        "secrets": types["AWS::SecretsManager::Secret"] + managed,
        "endpoint_services": interfaces,
        "endpoint_zones": len(platform[ENDPOINTS].subnets),
        "dns_domains": len(platform.names.answered) + 1,  # and the list that holds every name
    }


def text(template: Template) -> str:
    """What stands in a template's file."""
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"
