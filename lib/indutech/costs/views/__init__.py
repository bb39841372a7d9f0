"""What a reader sees of the costs: tables, charts, and the generated parts of the documents; nothing is computed here.

`tables` has the bills, `audit_tables` the estimate of 2025, `data_tables` what is stored and moved, `business_tables`
people, taxes and years, `scaling` what a load needs. `document` lists the parts of the documents, `summary` those of
the page for finance.
"""

__all__ = ["audit_tables", "business_tables", "charts", "data_tables", "document", "matrices", "summary", "tables"]
