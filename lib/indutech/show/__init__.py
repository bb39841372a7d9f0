"""How figures and tables look in notebooks and documents, and in which language. No rule and no figure lives here."""

__all__ = ["charts", "described", "language", "pictures", "printable", "readable", "source", "tables"]
