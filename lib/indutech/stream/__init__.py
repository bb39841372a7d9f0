"""The Spark job from topic to lake: read, validate, enrich, write, each offset exactly once.

`job.run` runs it in the Spark of `session`. `transforms` and `validation` say what happens to a message, `batches` how
a micro-batch is written, `publishing` who else is told of it.
"""

__all__ = ["job", "metrics", "session", "transforms"]
