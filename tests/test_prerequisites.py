"""The settings that a notebook runs with."""

import pytest

from indutech.report import parameters, prerequisites


@pytest.mark.parametrize(
    ("count", "asked_for", "options"),
    [
        (20_000, "", prerequisites.ONE_COMPILER),
        (20_000, "-Xlog:gc", "-Xlog:gc"),
        (prerequisites.SHORT, "", ""),
    ],
)
def test_few_tickets_do_without_the_optimising_compiler(
    count: int, asked_for: str, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many are worth it, and who names options of their own gets those."""
    monkeypatch.setenv("INDUTECH_DRIVER_OPTIONS", asked_for)

    settings = prerequisites.settings_for(parameters.Asked({"count": count}, frozenset()))

    assert settings.driver_options == options
