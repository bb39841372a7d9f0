"""The ticket: its contract, what a message must be to hold one, files of tickets, and tickets made from a seed.

`contract` is the only place that names the fields, `fields` says what kinds there are, and `schema` has their columns.
`compact_json` is their layout in bytes, which the generator writes and the fast path reads. `vocabulary` and
`sentences` are what `generator` writes with.
"""

__all__ = [
    "analysis",
    "cases",
    "compact_json",
    "contract",
    "document",
    "fields",
    "files",
    "formats",
    "generator",
    "mending",
    "product",
    "schema",
    "strict_json",
]
