"""InduTech: a hybrid AWS data platform that proves itself.

The rooms stand in the order of their imports: each may use those above it in this list, and of them only the modules
that their `__all__` names. `tests/test_layers.py` holds it, docs/modules.md lists every module.
"""

__all__ = [  # noqa: RUF022, the order is the direction
    "system",
    "jvm",
    "show",
    "tickets",
    "kafka",
    "lake",
    "producer",
    "stream",
    "proof",
    "plant",
    "architecture",
    "costs",
    "report",
    "cli",
]

__version__ = "0.1.0"
