"""Java and its jars: which Java the broker and Spark run on, and the locked jars that they run.

`jars` and `java` are for others; `maven` is how `jars` downloads.
"""

__all__ = ["jars", "java"]
