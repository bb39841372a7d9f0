"""The report in another language: messages are collected from what is shown, and recognised in what a run printed."""

__all__ = ["catalogue", "notebooks", "recognised"]
