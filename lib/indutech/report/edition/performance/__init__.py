"""What was measured by `make bench` and `make month`, beside what the project wants and what others published.

`runs` reads the committed runs, `published` the figures of others, `document` makes docs/performance.md of both.
"""

__all__ = ["document", "published", "runs"]
