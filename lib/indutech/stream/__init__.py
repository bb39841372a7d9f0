"""The Spark job from topic to lake: read, validate, enrich, write, each offset exactly once.

`job.run` runs it in the Spark of `session`. `transforms` and `validation` say what happens to a message, `batches` how
a micro-batch is written, `publishing` who else is told of it, `cluster` what executors need; `standalone` starts a
master and workers.
"""

__all__ = ["cluster", "job", "metrics", "route", "session", "standalone", "together", "transforms", "urgent"]
