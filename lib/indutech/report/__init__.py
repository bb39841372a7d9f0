"""Runs the notebooks without Jupyter and makes the HTML report from them.

Notebooks import `parameters` and `prerequisites`; `build` is what `indutech report` and `indutech notebooks` call,
`documents` renews whatever is generated and committed, `compare` shows what differs between two models.
"""

__all__ = [
    "build",
    "compare",
    "documents",
    "edition",
    "findings",
    "generated_templates",
    "kept_runs",
    "parameters",
    "prerequisites",
    "run_comparison",
]
