"""The model of the platform (`assets/platform.toml`): reads and validates it, and makes tables and drawings from it.

`platform.platform()` returns the model; `templates` are the same as CloudFormation. `failures` and `tables` compute
from it, `decisions` has the weighted comparisons of services, `sources` the claims about products with their sources.
No prices here: see `costs`.
"""

__all__ = [
    "charts",
    "decisions",
    "diagrams",
    "document",
    "failures",
    "model",
    "plan",
    "plan_tables",
    "platform",
    "quantities",
    "sources",
    "tables",
    "templates",
    "threats",
]
