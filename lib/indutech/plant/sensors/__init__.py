"""The second data product, sensor readings: `contract` declares it, `fleet` has the machines and what happens to them,
`generator` what they measure; `measured` says what a reading takes, `document` makes parts of docs/readings.md.
"""

__all__ = ["contract", "document", "fleet", "generator", "measured"]
