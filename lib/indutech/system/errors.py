"""The family of errors that a user can act on."""


class InduTechError(Exception):
    """Something the user can mend: the message says what happened, where, and the next step."""
