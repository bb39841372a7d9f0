"""What the platform costs: dated prices × stated usage = charges, bills, scenarios, and what follows from them.

`inputs` holds what is read, `model.read_model` puts it together. A new component is a function in `charges`, a
replacement for one in `alternatives`. `tables`, `charts`, `document`, `exports` and `guardrails` compute no cost.
"""

__all__ = [
    "alternatives",
    "bill",
    "charges",
    "charts",
    "document",
    "estimate_2025",
    "exports",
    "guardrails",
    "inputs",
    "model",
    "recommendations",
    "scenarios",
    "sensitivity",
    "storage",
    "tables",
    "transfers",
]
