"""Compares the reports of two runs: parameters, figures and conclusions that changed, as plain data and as text."""

import re
from collections.abc import Mapping
from typing import Any

from indutech.report.kept_runs import KeptRun

NUMBERS = re.compile(r"[-+−]?\$?\d[\d,.]*")


def compared(old: KeptRun, new: KeptRun) -> dict[str, Any]:
    """What changed from one run to the other; a figure or a sentence that only one has is None in the other."""
    return {
        "runs": [old.name, new.name],
        "parameters": _changed(old.facts.get("parameters", {}), new.facts.get("parameters", {})),
        "versions": _changed(old.facts.get("facts", {}), new.facts.get("facts", {}), skip=("Made", "Parameters")),
        "figures": _changed(_shown(old), _shown(new)),
        "proof": _changed(_proof(old), _proof(new)),
        "conclusions": _conclusions(old.facts.get("conclusions", {}), new.facts.get("conclusions", {})),
    }


def as_text(found: Mapping[str, Any]) -> str:
    """The comparison for a terminal."""
    old, new = found["runs"]
    lines = [f"{old} → {new}"]
    for part in ("parameters", "versions", "figures", "proof", "conclusions"):
        for name, (before, after) in found[part].items():
            lines.append(f"  {part}: {name}: {_or_dash(before)} → {_or_dash(after)}")
    return "\n".join(lines if len(lines) > 1 else [*lines, "  Nothing changed but the moment."])


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], skip: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    names = [name for name in dict.fromkeys((*before, *after)) if name not in skip]
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def _shown(run: KeptRun) -> dict[str, str]:
    return {name: figure["shown"] for name, figure in run.facts.get("figures", {}).items()}


def _proof(run: KeptRun) -> dict[str, Any]:
    proof = run.facts.get("proof") or {}
    return {"kept": proof.get("kept"), "sentence": proof.get("sentence")}


def _conclusions(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[Any]]:
    """Sentences that changed in their words; their numbers are compared as figures."""
    same = {name for name in before.keys() & after.keys() if _words(before[name]) == _words(after[name])}
    return _changed(before, after, skip=tuple(same))


def _words(text: str) -> str:
    return NUMBERS.sub("…", text)


def _or_dash(value: object) -> object:
    return "–" if value is None else value
