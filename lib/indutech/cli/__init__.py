"""The command line, a module for each group of commands: it asks the rooms below and prints what they answer."""

__all__ = ["app"]
