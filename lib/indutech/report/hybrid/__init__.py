"""What notebook 07 does: tickets and readings of a lake on S3 crossed with the ERP, asked in Redshift's SQL.

`scene` makes readings, tickets and changes of the ERP in a known order, `breakdowns` the tickets that follow what
sensors announced. `questions` has the questions as Redshift would be asked, `crossing` carries them over to DuckDB and
runs them, and `spectrum` counts what Spectrum would read and charge.
"""

__all__ = ["breakdowns", "crossing", "questions", "scene", "spectrum"]
