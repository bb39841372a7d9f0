"""What was measured by `make bench` and `make month`, beside what the project wants and what others published.

`runs` reads the committed runs, `published` the figures of others, `document` makes docs/performance.md of both.
"""

from indutech.report.performance.document import PARTS
from indutech.report.performance.runs import Section, month, sections

__all__ = ["PARTS", "Section", "month", "sections"]
