"""What notebook 07 does: tickets of the lake crossed with the ERP, asked in Redshift's SQL.

`scene` makes tickets and changes of the ERP in a known order. `questions` has the questions as Redshift would be asked,
`crossing` carries them over to DuckDB and runs them, and `spectrum` counts what Spectrum would read and charge.
"""

__all__ = ["crossing", "questions", "scene", "spectrum"]
