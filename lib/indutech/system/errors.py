"""The base class of all errors that a user can act on."""


class InduTechError(Exception):
    """An error that the user can correct: the message says what happened, where, and the next step."""
