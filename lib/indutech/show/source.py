"""The source of a function as a notebook shows it: what runs, so that what is shown cannot differ from it."""

import inspect
from collections.abc import Callable

from IPython.display import Code


def of(function: Callable[..., object]) -> Code:
    """The function's own lines, coloured as Python."""
    return Code(inspect.getsource(function), language="python")  # type: ignore[no-untyped-call]
