"""Runs the notebooks without Jupyter and makes the HTML report from them.

Notebooks import `findings`, `parameters`, `prerequisites` and `running_stream`; `build` is what `indutech report` and
`indutech notebooks` call, `edition` makes pages, front page, one file and PDF, `kept_runs` keeps them by run and
`run_comparison` compares two. `documents` renews whatever is generated and committed, `compare` shows what differs
between two models.
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
    "running_stream",
]
