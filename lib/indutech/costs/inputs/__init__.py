"""What a bill is computed from: dated prices, usage assumptions, measurements, and money itself.

`prices` and `usage` read the committed files, `price_lists` renews the prices, `measure` makes a `measurement`.
"""

__all__ = ["measure", "measurement", "money", "price_lists", "prices", "usage"]
