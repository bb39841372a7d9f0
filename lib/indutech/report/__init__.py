"""Running the notebooks headless and turning them into pages that open offline.

Notebooks import `parameters` and `prerequisites`; `make` is what `indutech report` and `indutech notebooks` run,
and `documents` renews whatever is generated and committed.
"""

__all__ = ["documents", "make", "parameters", "prerequisites"]
