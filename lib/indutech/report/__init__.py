"""Running the notebooks headless and turning them into pages that open offline.

Notebooks import `parameters` and `prerequisites`; `make` is what `indutech report` and `indutech notebooks` run.
"""

__all__ = ["make", "parameters", "prerequisites"]
