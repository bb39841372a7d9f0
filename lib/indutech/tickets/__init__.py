"""The ticket: its contract, what a message must be to hold one, files of tickets, and tickets made from a seed.

`contract` is the only place that names the fields. `vocabulary` and `sentences` are what `generator` writes with.
"""

__all__ = ["analysis", "cases", "contract", "document", "files", "formats", "generator", "strict_json"]
