"""A drawing as a notebook shows it: SVG where that is trusted, PNG where it is not, and a sentence in its place."""

import base64
from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A drawing in two forms, and what it shows in a sentence.

    JupyterLab draws no SVG of a notebook that is not trusted yet, as after a clone; of what it may draw it then takes
    the best, which would be the text.
    """

    svg: bytes
    png: bytes
    sentence: str

    def __repr__(self) -> str:
        return self.sentence

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Return all forms; whoever shows the notebook takes the best that it can."""
        return {
            "image/svg+xml": self.svg.decode(),
            "image/png": base64.b64encode(self.png).decode(),
            "text/plain": self.sentence,
        }
