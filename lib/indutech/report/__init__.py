"""Runs the notebooks without Jupyter and makes the HTML report from them.

Notebooks import `parameters` and `prerequisites`; `build` is what `indutech report` and `indutech notebooks` call,
and `documents` renews whatever is generated and committed.
"""

__all__ = ["build", "documents", "parameters", "prerequisites"]
