"""The source of functions as a notebook shows it: what runs, so that what is shown cannot differ from it."""

import inspect
from collections.abc import Callable

from IPython.display import Code


def of(*functions: Callable[..., object]) -> Code:
    """The functions' own lines, coloured as Python."""
    return Code("\n\n".join(map(inspect.getsource, functions)), language="python")  # type: ignore[no-untyped-call]
