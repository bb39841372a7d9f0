"""What the platform costs: dated prices × stated usage = charges, bills, scenarios, and what follows from them.

`inputs` holds what is read, `model.read_model` puts it together. A new component is a function in `charges`, a
replacement for one in `alternatives`. `scores` prices the options of the decision matrices, `business` is what stands
around the bill. `views`, `exports`, `calculator` and `guardrails` compute no cost.
"""

__all__ = [
    "alternatives",
    "bill",
    "business",
    "calculator",
    "charges",
    "estimate_2025",
    "exports",
    "guardrails",
    "inputs",
    "model",
    "projections",
    "recommendations",
    "scenarios",
    "scores",
    "sensitivity",
    "storage",
    "transfers",
    "views",
]
