"""Every claim about a product is defined, used, dated and as sure as it says."""

import re

import pytest

from indutech.architecture import decisions as choices
from indutech.architecture import sources
from indutech.architecture.platform import platform
from indutech.system.settings import PROJECT
from tests.written_by_hand import written_by_hand

DOCUMENTS = tuple(PROJECT / "docs" / name for name in ("01-service-choices.md", "02-compatibility.md", "03-costs.md"))


def used_anywhere() -> set[str]:
    """Ids of the claims that the model, the decisions or a document lean on."""
    parts = (platform().component, platform().account, platform().way_out, platform().licence)
    model = {claim for entries in parts for entry in entries for claim in entry.claims}
    decisions = {claim for matrix in choices.matrices().values() for claim in matrix.claims}
    written = {claim for document in DOCUMENTS for claim in sources.used_in(written_by_hand(document.read_text()))}
    return model | decisions | written


def test_every_claim_used_is_defined() -> None:
    """Nobody leans on a claim that nobody looked up."""
    assert used_anywhere() <= sources.bibliography().keys()


def test_every_claim_defined_is_used() -> None:
    """A claim that nothing leans on is dead weight."""
    assert sources.bibliography().keys() - used_anywhere() == set()


def test_every_claim_has_a_source_and_a_day() -> None:
    """A source that a reader can open, and a day that is not in the future of the project."""
    for claim in sources.bibliography().values():
        assert claim.source.startswith("https://"), claim.id
        assert claim.read.year >= 2025, claim.id
        assert claim.says.endswith("."), claim.id


def test_what_is_not_verified_says_so() -> None:
    """The footnote of an unverified claim carries the warning, and each document that uses one shows it."""
    for claim in sources.bibliography().values():
        assert ("Not verified" in str(claim)) == (claim.status == "unverified")
    for document in DOCUMENTS:
        text = document.read_text()
        for claim in sources.claims(sources.used_in(text)):
            if claim.status == "unverified":
                assert re.search(rf"^\[\^{claim.id}\]: .*Not verified", text, re.MULTILINE), (document.name, claim.id)


def test_a_claim_that_nobody_defined_is_named() -> None:
    """The error says which id to look for."""
    with pytest.raises(sources.UnknownClaim, match="'kafka-is-fast'"):
        sources.footnotes("Kafka is fast.[^kafka-is-fast]")


def test_each_common_mistake_is_corrected() -> None:
    """What is often said and wrong is listed with the claim that corrects it."""
    corrected = " ".join(claim.commonly_said for claim in sources.bibliography().values())
    for mistake in ("MQTT", "c5.large", "ZooKeeper", "per shard", "at once", "S3 by itself", "exactly once", "819",
                    "Snowball", "Glacier", "c7i", "ra3.xlplus"):  # fmt: skip
        assert mistake in corrected, mistake


def test_the_notebook_names_claims_that_exist() -> None:
    """Ids in the notebook's text are those of the bibliography."""
    source = (PROJECT / "notebooks" / "01_architecture.ipynb").read_text()
    for name in re.findall(r"\(`([a-z0-9-]+)`\)", source):
        assert name in sources.bibliography()
