"""The report as a reader gets it: pages, front page, documents, figures with their data, sources, one file, one PDF.

`report_folder.write` makes the folder; `one_file` and `pdf` are made from it afterwards. `translation` has its words in
another language.
"""

__all__ = [
    "chromium",
    "front_page",
    "one_file",
    "pages",
    "pdf",
    "reference_runs",
    "report_folder",
    "templates",
    "translation",
]
