"""Compares the committed prices with AWS's public price-list files, from a folder or the network."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from indutech.architecture.platform import platform
from indutech.costs.inputs.prices import COLUMNS, PRICES_FILE
from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT

KEYS_FILE = PROJECT / "assets" / "price-list-keys.csv"
PREFIXES = {"eu-west-3": "EUW3-"}  # how a region's usage types begin in its price list
PRICE_LIST = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/{offer}/current/{region}/index.json"
_TIMEOUT_S = 60


class RefreshError(InduTechError):
    """A price list cannot be had or read."""


@dataclass(frozen=True)
class Found:
    """A committed rate beside what a price-list file says of it."""

    price_id: str
    from_quantity: Decimal
    committed: Decimal
    listed: Decimal | None
    verdict: str  # same, changed, implausible, not found, no file
    published: str

    @property
    def change(self) -> Decimal | None:
        """Relative change, 0.1 for 10 % more."""
        if self.listed is None or not self.committed:
            return None
        return self.listed / self.committed - 1


def compare(
    lists: Mapping[str, Mapping[str, Any]], prices_file: Path = PRICES_FILE, keys_file: Path = KEYS_FILE
) -> list[Found]:
    """Every committed rate that has a key, against the price lists given by offer code."""
    keys = {row["price_id"]: row for row in _rows(keys_file)}
    found = []
    for row in _rows(prices_file):
        key = keys.get(row["price_id"])
        if key is None:
            continue
        start, committed = Decimal(row["from_quantity"] or 0), Decimal(row["price"])
        offer = lists.get(key["offer"])
        if offer is None:
            found.append(Found(row["price_id"], start, committed, None, "no file", ""))
            continue
        published = str(offer.get("publicationDate", ""))[:10]
        tiers = dict(listed_tiers(offer, key["usage_type"], key["where"]))
        listed = tiers[start] * int(key["listed_units"]) if start in tiers else None
        found.append(Found(row["price_id"], start, committed, listed, _verdict(committed, listed), published))
    return found


def _verdict(committed: Decimal, listed: Decimal | None) -> str:
    if listed is None:
        return "not found"
    if listed == committed:
        return "same"
    # A price does not double or halve from one list to the next: the unit or the product is another one.
    return "changed" if committed / 2 <= listed <= committed * 2 else "implausible"


def listed_tiers(offer: Mapping[str, Any], usage_type: str, where: str) -> Iterator[tuple[Decimal, Decimal]]:
    """(from quantity, price in USD) of each tier of the product with a usage type and attributes like `a=b;c=d`."""
    wanted = dict(pair.split("=", 1) for pair in where.split(";") if pair)
    term = wanted.pop("term", "OnDemand")
    contract = {k: wanted.pop(k) for k in ("LeaseContractLength", "PurchaseOption", "OfferingClass") if k in wanted}
    for sku, product in offer.get("products", {}).items():
        attributes = product.get("attributes", {})
        if attributes.get("usagetype") not in (PREFIXES.get(platform().region, "") + usage_type, usage_type):
            continue
        if any(attributes.get(name) != value for name, value in wanted.items()):
            continue
        for terms in offer.get("terms", {}).get(term, {}).get(sku, {}).values():
            if contract.items() <= terms.get("termAttributes", {}).items():
                yield from _tiers(terms["priceDimensions"].values())


def _tiers(dimensions: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Decimal, Decimal]]:
    for dimension in dimensions:
        if (
            dimension.get("unit") != "Quantity" and "USD" in dimension["pricePerUnit"]
        ):  # a quantity is a fee paid upfront
            yield Decimal(dimension.get("beginRange") or 0), Decimal(dimension["pricePerUnit"]["USD"])


def offers(keys_file: Path = KEYS_FILE) -> list[str]:
    """Offer codes whose price lists are needed."""
    return sorted({row["offer"] for row in _rows(keys_file)})


def from_folder(folder: Path, codes: Sequence[str]) -> dict[str, Any]:
    """Price lists saved as `<offer code>.json`; an absent one is left out.

    Raises:
        RefreshError: the folder holds none of them, or one is no price list.
    """
    lists = {
        code: _parsed((folder / f"{code}.json").read_bytes(), code)
        for code in codes
        if (folder / f"{code}.json").exists()
    }
    if not lists:
        raise RefreshError(f"No price list in {folder}. Save {_address(codes[0])} as {codes[0]}.json.")
    return lists


def _address(code: str) -> str:
    return PRICE_LIST.format(offer=code, region=platform().region)


def from_network(codes: Sequence[str]) -> dict[str, Any]:
    """Price lists from AWS, which asks for no account.

    Raises:
        RefreshError: AWS did not answer; the message names the address and the way without a network.
    """
    lists = {}
    for code in codes:
        url = _address(code)
        try:
            with urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the address is the constant above
                lists[code] = _parsed(answer.read(), code)
        except (URLError, TimeoutError) as error:
            raise RefreshError(
                f"{url} did not answer ({error}). Download it elsewhere as {code}.json and pass --from FOLDER."
            ) from None
    return lists


def _parsed(content: bytes, code: str) -> dict[str, Any]:
    try:
        offer: dict[str, Any] = json.loads(content, parse_float=Decimal)
    except ValueError as error:
        raise RefreshError(f"{code}.json is no JSON ({error}). Download it again.") from None
    if "products" not in offer or "terms" not in offer:
        raise RefreshError(f"{code}.json has no products or terms: it is not a price list of AWS. Download it again.")
    return offer


def apply(found: Sequence[Found], prices_file: Path = PRICES_FILE) -> int:
    """Write what is listed into the CSV, marked exact and dated; the count of rows changed. Implausible ones stay."""
    news = {(f.price_id, f.from_quantity): f for f in found if f.verdict in ("same", "changed") and f.published}
    rows, changed = _rows(prices_file), 0
    for row in rows:
        new = news.get((row["price_id"], Decimal(row["from_quantity"] or 0)))
        if new is None or (new.verdict == "same" and row["confidence"] == "exact-region"):
            continue
        row.update(
            price=str(new.listed),
            low="",
            high="",
            as_of=new.published,
            confidence="exact-region",
            region=platform().region,
            source=f"AWS price list, {platform().region}, published {new.published}",
            note="",
            look_up="",
        )
        changed += 1
    if changed:
        draft = prices_file.with_suffix(".csv.draft")
        with draft.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        draft.replace(prices_file)
    return changed


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
