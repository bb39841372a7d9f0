"""Columns that are built once and used for every micro-batch: building one asks Java several times."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from pyspark import SparkContext

P = ParamSpec("P")
R = TypeVar("R")


def kept(build: Callable[P, R]) -> Callable[P, R]:
    """Remember what a function builds of its arguments, for as long as the Spark lives that it was built with."""
    of_each: WeakKeyDictionary[SparkContext, dict[object, R]] = WeakKeyDictionary()

    @wraps(build)
    def looked_up(*args: P.args, **kwargs: P.kwargs) -> R:
        spark = SparkContext._active_spark_context
        if spark is None:
            return build(*args, **kwargs)  # which says what is missing
        known = of_each.setdefault(spark, {})
        key = (args, tuple(sorted(kwargs.items())))
        if key not in known:
            known[key] = build(*args, **kwargs)
        return known[key]

    return looked_up
