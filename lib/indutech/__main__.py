"""`python -m indutech`: the command line, where its script is not on the PATH."""

from indutech.cli.app import app

app()
