"""The second data product, sensor readings: `contract` declares it, `fleet` has the machines and what happens to them,
`generator` what they measure; `document` has the generated parts of docs/readings.md.
"""

__all__ = ["contract", "document", "fleet", "generator"]
