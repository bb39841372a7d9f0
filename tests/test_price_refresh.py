"""Renewing prices: differences are shown, nothing is written unasked, and an implausible change never is."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from indutech.cli.app import app
from indutech.costs.inputs import price_lists
from indutech.costs.inputs.price_lists import PRICE_LIST, RefreshError, apply, compare, from_folder, listed_tiers
from indutech.costs.inputs.prices import COLUMNS, PRICES_FILE, read_prices


def product(sku: str, usage_type: str, tiers: dict[str, str], **attributes: str) -> dict[str, Any]:
    """One product of a price list with its on-demand tiers (begin of the range: USD), as AWS writes it."""
    dimensions = {
        f"{sku}.JRTCKXETXF.{i}": {"unit": "GB-Mo", "beginRange": begin, "endRange": "Inf", "appliesTo": [],
                                  "description": "", "pricePerUnit": {"USD": usd}}
        for i, (begin, usd) in enumerate(tiers.items())
    }  # fmt: skip
    term = {"offerTermCode": "JRTCKXETXF", "sku": sku, "effectiveDate": "2026-11-01T00:00:00Z",
            "priceDimensions": dimensions, "termAttributes": {}}  # fmt: skip
    return {"products": {sku: {"sku": sku, "attributes": {"usagetype": usage_type, **attributes}}},
            "terms": {"OnDemand": {sku: {f"{sku}.JRTCKXETXF": term}}}}  # fmt: skip


def price_list(*products: dict[str, Any]) -> dict[str, Any]:
    """A price-list file of these products, shaped like AWS's."""
    whole: dict[str, Any] = {"formatVersion": "v1.0", "publicationDate": "2026-11-20T10:00:00Z", "products": {},
                             "terms": {"OnDemand": {}, "Reserved": {}}}  # fmt: skip
    for one in products:
        whole["products"] |= one["products"]
        whole["terms"]["OnDemand"] |= one["terms"]["OnDemand"]
    return whole


ROWS = [
    ("s3_standard", "GB-Months", "0", "0.024", "", "", "exact-region"),
    ("s3_standard", "GB-Months", "51200", "0.023", "", "", "exact-region"),
    ("s3_standard", "GB-Months", "512000", "0.022", "", "", "exact-region"),
    ("s3_put", "1000 Requests", "0", "0.0053", "", "", "exact-region"),
    ("s3_get", "1000 Requests", "0", "0.00042", "", "", "exact-region"),
    ("kms_key", "Keys-Months", "0", "1", "", "", "exact-region"),
    ("redshift_managed_storage", "GB-Months", "0", "0.025", "0.024", "0.0256", "unverified"),
    ("redshift_spectrum", "TB", "0", "7", "5", "7", "unverified"),
]
STANDARD = {"0": "0.0240000000", "51200": "0.0253000000", "512000": "0.0220000000"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two downloaded price lists: S3, whose second tier is 10 % more, and KMS, whose unit is another one."""
    s3 = price_list(product("S3A", "EUW3-TimedStorage-ByteHrs", STANDARD), product("S3B", "EUW3-Requests-Tier1",
                                                                                   {"0": "0.0000053"}))  # fmt: skip
    kms = price_list(product("K1", "EUW3-KMS-Keys", {"0": "12"}))
    for name, content in (("AmazonS3", s3), ("awskms", kms)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


@pytest.fixture
def prices_file(tmp_path: Path) -> Path:
    """A small price list: S3 in three tiers, requests, a key, and two rates in doubt."""
    file = tmp_path / "prices.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        for price_id, unit, start, price, low, high, confidence in ROWS:
            writer.writerow({"price_id": price_id, "service": "S", "item": "I", "region": "eu-west-3", "unit": unit,
                             "from_quantity": start, "price": price, "low": low, "high": high, "currency": "USD",
                             "as_of": "2025-06-05", "confidence": confidence, "source": "a list",
                             "look_up": "" if confidence == "exact-region" else "ask"})  # fmt: skip
    return file


def verdicts(folder: Path, prices_file: Path) -> dict[tuple[str, int], str]:
    """The verdict on each rate and tier for which there is a price list."""
    found = compare(from_folder(folder, price_lists.offers()), prices_file)
    return {(one.price_id, int(one.from_quantity)): one.verdict for one in found}


def test_what_changed_is_told_apart_from_what_did_not(folder: Path, prices_file: Path) -> None:
    """Tier by tier: the same, ten percent more, in other units, absent from the list, without a list."""
    found = verdicts(folder, prices_file)

    assert [found["s3_standard", tier] for tier in (0, 51200, 512000)] == ["same", "changed", "same"]
    assert found["s3_put", 0] == "same"
    assert found["kms_key", 0] == "implausible"
    assert found["s3_get", 0] == "not found"
    assert found["redshift_spectrum", 0] == "no file"


def test_only_what_was_found_and_is_plausible_is_written(folder: Path, prices_file: Path) -> None:
    """The changed tier gets its price, date and source; everything else keeps its text."""
    before = prices_file.read_text().splitlines()
    changed = apply(compare(from_folder(folder, price_lists.offers()), prices_file), prices_file)
    after = prices_file.read_text().splitlines()

    [(old, new)] = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert changed == 1
    assert old.startswith("s3_standard,")
    assert '0.0253000000,,,USD,2026-11-20,exact-region,"AWS price list, eu-west-3, published 2026-11-20"' in new
    assert read_prices(prices_file)["s3_standard"].tiers[1].price == Decimal("0.0253")


def test_a_rate_in_doubt_becomes_exact_when_it_is_read(tmp_path: Path, prices_file: Path) -> None:
    """Reading the managed storage of Paris takes away its bracket and its mark, even at the same price."""
    redshift = price_list(product("R1", "EUW3-RMS:ra3.xlplus", {"0": "0.025"}))
    found = compare({"AmazonRedshift": redshift}, prices_file)

    apply(found, prices_file)

    price = read_prices(prices_file)["redshift_managed_storage"]
    assert (price.confidence.value, price.in_doubt, price.region) == ("exact-region", False, "eu-west-3")


def test_a_reserved_term_is_found_by_its_contract() -> None:
    """One year without upfront is not three years, and a fee paid upfront is not an hourly rate."""
    offer = price_list(product("N1", "EUW3-Node:ra3.xlplus", {"0": "1.265"}))
    hourly = {"unit": "Hrs", "beginRange": "0", "pricePerUnit": {"USD": "0.88"}}
    upfront = {"unit": "Quantity", "pricePerUnit": {"USD": "5000"}}
    terms = {
        f"{years}-{option}": {
            "priceDimensions": {"hourly": hourly, "upfront": upfront},
            "termAttributes": {"LeaseContractLength": years, "PurchaseOption": option, "OfferingClass": "standard"},
        }
        for years, option in (("1yr", "No Upfront"), ("3yr", "All Upfront"))
    }
    offer["terms"]["Reserved"]["N1"] = terms

    where = "term=Reserved;LeaseContractLength=1yr;PurchaseOption=No Upfront"
    assert list(listed_tiers(offer, "Node:ra3.xlplus", where)) == [(0, Decimal("0.88"))]
    assert list(listed_tiers(offer, "Node:ra3.xlplus", "")) == [(0, Decimal("1.265"))]


def test_another_operation_of_the_same_usage_is_not_taken() -> None:
    """Attributes in the key must all agree."""
    offer = price_list(product("E1", "EUW3-BoxUsage:c5.large", {"0": "0.5"}, operation="RunInstances:0002"))

    assert list(listed_tiers(offer, "BoxUsage:c5.large", "operation=RunInstances")) == []


def test_a_folder_without_lists_says_where_to_get_one(tmp_path: Path) -> None:
    """The message has the address and the name to save it under."""
    with pytest.raises(RefreshError, match=r"AWSBackup/current/eu-west-3/index.json as AWSBackup.json"):
        from_folder(tmp_path, ["AWSBackup"])


@pytest.mark.parametrize(("content", "says"), [("<html>", "is no JSON"), ("{}", "not a price list of AWS")])
def test_a_file_that_is_no_price_list_is_named(tmp_path: Path, content: str, says: str) -> None:
    """An error page saved under the right name is not taken for prices."""
    (tmp_path / "AmazonS3.json").write_text(content)

    with pytest.raises(RefreshError, match=f"AmazonS3.json .*{says}"):
        from_folder(tmp_path, ["AmazonS3"])


def test_no_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without AWS's answer the way by hand is named; the address is a port of this machine where nobody listens."""
    monkeypatch.setattr(price_lists, "PRICE_LIST", "http://127.0.0.1:9/{offer}/{region}")

    with pytest.raises(RefreshError, match=r"did not answer .* Download it elsewhere as AmazonS3.json and pass --from"):
        price_lists.from_network(["AmazonS3"])


def test_the_command_shows_and_does_not_write(folder: Path) -> None:
    """`indutech costs refresh --from` prints the difference and leaves the committed file alone."""
    before = PRICES_FILE.read_bytes()
    tiers = {f"{t.from_quantity}": f"{t.price * Decimal('1.1')}" for t in read_prices()["s3_standard"].tiers}
    offer = price_list(product("S3A", "EUW3-TimedStorage-ByteHrs", tiers))
    (folder / "AmazonS3.json").write_text(json.dumps(offer))
    result = CliRunner().invoke(app, ["costs", "refresh", "--from", str(folder)])

    assert result.exit_code == 0
    assert "changed      s3_standard" in result.output
    assert "+10.0%" in result.output
    assert PRICES_FILE.read_bytes() == before


def test_the_command_asks_before_it_writes(folder: Path) -> None:
    """`--write` without an answer changes nothing."""
    before = PRICES_FILE.read_bytes()
    result = CliRunner().invoke(app, ["costs", "refresh", "--from", str(folder), "--write"], input="n\n")

    assert result.exit_code == 1
    assert PRICES_FILE.read_bytes() == before


def test_every_key_is_of_a_price() -> None:
    """The keys name prices that exist, so a renamed price is not silently left out."""
    with price_lists.KEYS_FILE.open(encoding="utf-8", newline="") as lines:
        assert {row["price_id"] for row in csv.DictReader(lines)} <= set(read_prices())
    assert PRICE_LIST.startswith("https://pricing.us-east-1.amazonaws.com/")
