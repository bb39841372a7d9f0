"""Runs the notebooks without Jupyter and makes the HTML report from them.

Notebooks import `parameters`, `prerequisites` and `running_stream`; `build` is what `indutech report` and
`indutech notebooks` call, `documents` renews whatever is generated and committed, `compare` shows what differs between
two models.
"""

__all__ = ["build", "compare", "documents", "generated_templates", "parameters", "prerequisites", "running_stream"]
