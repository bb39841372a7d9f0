"""The rows that the ERP begins with, from a seed: French clients, their sites, contracts and machines."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indutech.plant.erp import tables
from indutech.plant.sensors import fleet
from indutech.tickets.contract import CLIENT_IDS

SEED = 7
SEEDED_AT = datetime(2026, 3, 1, 22, tzinfo=UTC)  # before the first generated ticket

# Towns of clients and sites with their postcodes.
TOWNS = (
    ("Lyon", "69007"), ("Grenoble", "38000"), ("Clermont-Ferrand", "63000"), ("Saint-Nazaire", "44600"),
    ("Belfort", "90000"), ("Dunkerque", "59140"), ("Valenciennes", "59300"), ("Tarbes", "65000"), ("Nantes", "44000"),
    ("Rouen", "76000"), ("Mulhouse", "68100"), ("Toulouse", "31300"), ("Saint-Étienne", "42000"), ("Cholet", "49300"),
    ("Bourges", "18000"), ("Besançon", "25000"), ("Poitiers", "86000"), ("Châteauroux", "36000"),
    ("Fos-sur-Mer", "13270"), ("Vierzon", "18100"), ("Laval", "53000"), ("Roanne", "42300"), ("Nevers", "58000"),
    ("Chambéry", "73000"), ("Sochaux", "25600"), ("Fougères", "35300"),
)  # fmt: skip
SECTORS = ("Agroalimentaire", "Automobile", "Aéronautique", "Chimie", "Emballage", "Logistique", "Métallurgie", "Verre")
SEGMENTS = ("PME", "ETI", "Grand compte")
SEGMENT_WEIGHTS = (0.72, 0.22, 0.06)
LEVELS = ("Essentiel", "Confort", "Intégral")
LEVEL_WEIGHTS = (0.55, 0.33, 0.12)
RESPONSE_HOURS = {"Essentiel": 48, "Confort": 8, "Intégral": 2}
MODELS = (
    "convoyeur CX-200", "convoyeur CX-450", "presse P-40", "presse P-80", "compresseur K-90",
    "pompe hydraulique H-15", "robot de palettisation R6", "cellule de soudage W4", "tour numérique N-300",
    "fraiseuse F-5", "doseur D-18", "chariot filoguidé A-14",
)  # fmt: skip
_FIRST_DAY = date(2008, 1, 7)
_MOST_MACHINES = 9_999  # as tickets number them: MX-0001 to MX-9999


def rows(count: int = tables.MOST_CLIENTS, seed: int = SEED) -> Mapping[str, pa.Table]:
    """Return the rows of each table for the first `count` client ids that tickets may name."""
    from faker import Faker  # here: it takes as long to read as all else

    if not 0 < count <= tables.MOST_CLIENTS:
        raise ValueError(f"there are 1 to {tables.MOST_CLIENTS} clients, as many as tickets may name")
    fake = Faker("fr_FR")
    fake.seed_instance(seed)
    draws = np.random.default_rng([seed, 41])
    clients = _clients(np.arange(count) + CLIENT_IDS.start, fake, draws)
    sites = _sites(clients, draws)
    return {
        "clients": _table(tables.CLIENTS, clients),
        "sites": _table(tables.SITES, sites),
        "contracts": _table(tables.CONTRACTS, _contracts(clients, draws)),
        "machines": _table(tables.MACHINES, _machines(sites, draws)),
    }


def client(client_id: int, fake: Any, draws: np.random.Generator, at: datetime) -> dict[str, object]:
    """Return one client, drawn like the others."""
    return dict(_table(tables.CLIENTS, _clients(np.array([client_id]), fake, draws, at)).to_pylist()[0])


def _clients(
    ids: NDArray[Any], fake: Any, draws: np.random.Generator, at: datetime = SEEDED_AT
) -> dict[str, list[Any]]:
    count = len(ids)
    towns = draws.integers(0, len(TOWNS), count)
    segments = draws.choice(len(SEGMENTS), count, p=SEGMENT_WEIGHTS)
    return {
        "client_id": ids.tolist(),
        "name": [fake.company() for _ in ids],
        "siret": [f"{number:014d}" for number in draws.integers(3 * 10**13, 9 * 10**13, count)],
        "sector": [SECTORS[i] for i in draws.integers(0, len(SECTORS), count)],
        "segment": [SEGMENTS[i] for i in segments],
        "city": [TOWNS[i][0] for i in towns],
        "postcode": [TOWNS[i][1] for i in towns],
        # A few clients make most of the turnover; a bigger segment more of it.
        "turnover_eur": _euros(np.exp(draws.normal(10.2 + 1.3 * segments, 0.9))),
        "active": (draws.random(count) > 0.04).tolist(),
        "client_since": _days(draws.integers(0, 6_500, count)),
        "updated_at": [at] * count,
    }


def _sites(clients: Mapping[str, list[Any]], draws: np.random.Generator) -> dict[str, list[Any]]:
    own = np.arange(len(clients["client_id"]))
    second = own[draws.random(len(own)) < 0.2]
    towns = draws.integers(0, len(TOWNS), len(second))
    cities = [*clients["city"], *(TOWNS[i][0] for i in towns)]
    return {
        "site_id": list(range(1, len(own) + len(second) + 1)),
        "client_id": [clients["client_id"][i] for i in [*own, *second]],
        "name": [f"Site de {city}" for city in cities],
        "city": cities,
        "postcode": [*clients["postcode"], *(TOWNS[i][1] for i in towns)],
    }


def _contracts(clients: Mapping[str, list[Any]], draws: np.random.Generator) -> dict[str, list[Any]]:
    holders = np.flatnonzero(draws.random(len(clients["client_id"])) < 0.85)
    levels = [LEVELS[i] for i in draws.choice(len(LEVELS), len(holders), p=LEVEL_WEIGHTS)]
    shares = draws.uniform(0.03, 0.09, len(holders))
    yearly = [float(clients["turnover_eur"][i]) * share for i, share in zip(holders, shares, strict=True)]
    return {
        "contract_id": list(range(1, len(holders) + 1)),
        "client_id": [clients["client_id"][i] for i in holders],
        "level": levels,
        "response_hours": [RESPONSE_HOURS[level] for level in levels],
        "yearly_eur": _euros(np.array(yearly)),
        "signed_on": _days(draws.integers(4_500, 6_600, len(holders))),
    }


def _machines(sites: Mapping[str, list[Any]], draws: np.random.Generator) -> dict[str, list[Any]]:
    per_site = draws.choice(4, len(sites["site_id"]), p=(0.42, 0.33, 0.17, 0.08))
    at = np.repeat(np.arange(len(per_site)), per_site)[:_MOST_MACHINES]
    _place_sensors(at, sites["city"])
    return {
        "machine_id": [f"MX-{number:04d}" for number in range(1, len(at) + 1)],
        "site_id": [sites["site_id"][i] for i in at],
        "model": [MODELS[i] for i in draws.integers(0, len(MODELS), len(at))],
        "serial": [f"{number:09d}" for number in draws.integers(10**8, 10**9, len(at))],
        "installed_on": _days(draws.integers(2_000, 6_600, len(at))),
    }


def _place_sensors(at: NDArray[Any], cities: Sequence[str]) -> None:
    """Put each machine that has sensors at a site in the town that its readings name, if a client is there."""
    there = {town: np.flatnonzero(np.array(cities) == town) for town in fleet.SITES}
    for number, machine in enumerate(fleet.MACHINE_IDS[: len(at)]):
        if len(found := there[fleet.SITE_OF[machine]]):
            at[number] = found[number // len(fleet.SITES) % len(found)]


def _table(table: tables.Table, columns: Mapping[str, list[Any]]) -> pa.Table:
    return pa.table({name: pa.array(columns[name], kind.arrow) for name, kind in table.columns.items()})


def _euros(amounts: NDArray[np.float64]) -> list[Decimal]:
    return [Decimal(round(amount * 100)).scaleb(-2) for amount in amounts.tolist()]


def _days(after: NDArray[Any]) -> list[date]:
    return [_FIRST_DAY + timedelta(days=days) for days in after.tolist()]
