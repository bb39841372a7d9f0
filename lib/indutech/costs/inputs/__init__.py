"""What a bill is computed from: dated prices, usage assumptions, measurements, and money itself.

`prices` and `usage` read the committed files, `price_lists` renews the prices, `measure` makes a `measurement`,
`s3_requests` has what a micro-batch asks of S3, `sensors` what a reading takes, `questions` what questions read.
"""

__all__ = [
    "measure",
    "measurement",
    "money",
    "price_lists",
    "prices",
    "questions",
    "s3_requests",
    "sensors",
    "usage",
]
