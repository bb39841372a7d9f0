"""InduTech: a hybrid AWS data platform that proves itself."""

__version__ = "0.1.0"
