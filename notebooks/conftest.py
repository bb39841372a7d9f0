"""nbval runs each notebook strictly, in a data folder and a topic of its own, as a fresh clone would."""

import secrets
import shutil
import tempfile
from pathlib import Path

import pytest

SANITISE = Path(__file__).parents[1] / "tests" / "nbval.cfg"
ROOM = pytest.StashKey[tuple[pytest.MonkeyPatch, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Make `pytest notebooks` enough: nbval is on, with the kernel of this environment and our sanitising file."""
    config.option.nbval = True
    config.option.nbval_current_env = True
    config.option.nbval_sanitize_with = config.option.nbval_sanitize_with or str(SANITISE)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before a notebook's first cell, and so before its kernel starts, give it an empty room."""
    notebook = item.parent
    if notebook is None or ROOM in notebook.stash:
        return
    folder = tempfile.mkdtemp(prefix="données nbval ")
    environment = pytest.MonkeyPatch()
    environment.setenv("INDUTECH_DATA_DIR", folder)
    environment.setenv("INDUTECH_LAKE_URI", f"{folder}/lake")
    environment.setenv("KAFKA_TOPIC", f"client_tickets-nbval-{secrets.token_hex(4)}")
    environment.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    notebook.stash[ROOM] = environment, folder


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After its last cell, when the kernel has stopped, put the environment back and remove the room."""
    notebook = item.parent
    if notebook is not None and ROOM in notebook.stash and (nextitem is None or nextitem.parent is not notebook):
        environment, folder = notebook.stash[ROOM]
        del notebook.stash[ROOM]
        environment.undo()
        shutil.rmtree(folder, ignore_errors=True)
