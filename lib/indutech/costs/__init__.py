"""What the platform costs: dated prices × stated usage = charges, bills, scenarios and what follows from them.

`model.read_model` puts it together. `money` keeps currencies apart; `charges` knows what a component is billed for;
`tables`, `charts` and `document` only show.
"""

__all__ = [
    "bill",
    "charts",
    "charts_over_time",
    "document",
    "focus",
    "guardrails",
    "measure",
    "measurement",
    "model",
    "price_lists",
    "recommendations",
    "scenarios",
    "sensitivity",
    "storage",
    "tables",
    "tables_decisions",
    "transfers",
]
