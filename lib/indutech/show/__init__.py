"""How figures and tables look in notebooks and documents: one style for all. No rule and no figure lives here."""

__all__ = ["charts", "described", "pictures", "printable", "readable", "source", "tables"]
