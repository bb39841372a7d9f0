"""What people wrote in the documents, without what code writes into them."""

import re

BLOCK = re.compile(r"<!-- \[\[\[cog .*?<!-- \[\[\[end\]\]\] -->\n", re.S)


def written_by_hand(text: str) -> str:
    """Return a document without its cog blocks and their output."""
    return BLOCK.sub("", text)
