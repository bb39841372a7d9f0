"""The generated parts of docs/ticket.md: what its cog blocks show comes from the contract and its cases."""

from collections.abc import Callable, Mapping

from indutech.tickets import strict_json
from indutech.tickets.cases import malformed_cases
from indutech.tickets.contract import TEAM_FOR_TYPE, Priority
from indutech.tickets.schema import contract_table


def _teams() -> str:
    rows = [f"| {type_} | {team} |" for type_, team in TEAM_FOR_TYPE.items()]
    priorities = ", ".join(f"`{priority}`" for priority in Priority)
    return "\n".join(["| type | team |", "|---|---|", *rows, "", f"Priorities, from low to critical: {priorities}."])


def _limits() -> str:
    rows = [
        ("levels of nesting", strict_json.MAX_DEPTH, "far below where parsers give up, each elsewhere"),
        (
            "digits of a number",
            strict_json.MAX_DIGITS,
            "the limit of the JSON parser inside Spark, so Python keeps it too",
        ),
        ("characters of a key", strict_json.MAX_KEY, "likewise; counted in UTF-16"),
        ("characters of a value in a reason", strict_json.ECHO_CHARACTERS, "the whole value is in the quarantine"),
    ]
    return "\n".join(
        ["| at most | | why |", "|---|---|---|", *(f"| {n:,} | {what} | {why} |" for what, n, why in rows)]
    )


def _refused() -> str:
    rows = [f"| {c.name} | {_quoted(c.reason)} | {c.why} |" for c in malformed_cases() if c.reason]
    return "\n".join(["| message | reason | why it matters |", "|---|---|---|", *rows])


def _taken() -> str:
    rows = [f"| {c.name} | {c.why} |" for c in malformed_cases() if not c.reason]
    return "\n".join(["| message | why it is right |", "|---|---|", *rows])


def _quoted(reason: str) -> str:
    return f"`{reason}`".replace("|", "\\|")


PARTS: Mapping[str, Callable[[], str]] = {
    "contract": contract_table,
    "teams": _teams,
    "limits": _limits,
    "refused": _refused,
    "taken": _taken,
}
