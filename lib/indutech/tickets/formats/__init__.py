"""The formats that a file of tickets may have, each read row by row in bounded memory.

`container` opens a file by its first bytes, `encoding` makes its text UTF-8, `csv_rows`, `json_rows` and `parquet_rows`
read it, `dates` reads what a date does not say, and `row` is what all of them return.
"""

__all__ = ["container", "csv_header", "csv_rows", "dates", "encoding", "json_rows", "parquet_rows", "row"]
