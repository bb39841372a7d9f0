"""docs/guarantees.md: each promise names tests that exist, and each error has a test that causes it."""

import ast
import re

import pytest

from indutech.report.error_list import user_errors
from indutech.system.settings import PROJECT

PAGE = (PROJECT / "docs" / "guarantees.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
ROWS = re.findall(r"^\| (.+?) \| (.*?) ?\| (.+) \|$", PAGE.split("## What is not promised")[0], re.MULTILINE)


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED}))
def test_the_named_tests_exist(file: str) -> None:
    """A test that was renamed or deleted takes its promise with it."""
    there = {node.name for node in ast.parse((PROJECT / file).read_text("utf-8")).body if hasattr(node, "name")}

    assert {test for other, test in NAMED if other == file} <= there


def test_each_promise_names_a_test() -> None:
    """No row of a table of promises is only words."""
    promises = [row for row in ROWS if row[0] not in ("promise", "---")]

    assert len(promises) > 20
    assert [
        promise for promise, _, held_by in promises if not re.search(r"`tests/[\w/]+\.py::test_\w+`", held_by)
    ] == []


def test_each_error_is_caused_by_a_test() -> None:
    """It has a sentence that says what it means, and a test in which a user would meet it."""
    errors = user_errors()

    assert len(errors) > 20
    assert [error.name for error in errors if not (error.meaning and error.tests)] == []
