"""Java and its jars: which Java the broker and Spark run on, the locked jars that they run, and how they start sooner.

`class_data`, `jars` and `java` are for others; `maven` is how `jars` downloads.
"""

__all__ = ["class_data", "jars", "java"]
