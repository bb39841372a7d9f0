"""`make quick` is quick: what is not marked cannot start a Java, in this process or in another."""

import subprocess
import sys
from pathlib import Path

import pytest


def looks_for_java() -> "subprocess.CompletedProcess[str]":
    """A process that asks each Java of this machine for its version."""
    return subprocess.run([sys.executable, "-m", "indutech.jvm.java"], capture_output=True, text=True, check=False)


def test_no_java_starts_in_a_test_without_a_mark() -> None:
    """Every Java refuses, so that none is found."""
    assert looks_for_java().returncode == 1


@pytest.mark.java
def test_java_starts_in_a_test_with_the_mark() -> None:
    """The refusal is that test's only."""
    assert looks_for_java().returncode == 0


def test_a_fixture_gives_its_mark(java: Path, request: pytest.FixtureRequest) -> None:
    """Nobody has to think of it."""
    assert request.node.get_closest_marker("java")
