"""The platform as one model: `assets/platform.toml` read, checked, argued, tabulated and drawn.

`platform.platform()` gives the model; `decisions` and `failures` compute from it, `sources` has the claims and where
they were read. Nothing here knows a price.
"""

__all__ = ["charts", "decisions", "diagrams", "document", "model", "platform", "quantities", "sources", "tables"]
