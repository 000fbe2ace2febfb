"""Cities over folders of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from tests.support.city import City
from tests.support.programmes import boundary_data, programme
from tests.support.registers import families_of, register_rows
from wallet.eligibility.days import SEOUL
from wallet.eligibility.programme import Programme
from wallet.encoding.json import JsonObject


def noon(day: date) -> int:
    """Return noon of a day in Seoul, unix seconds."""
    return int(datetime.combine(day, time(12), SEOUL).timestamp())


@pytest.fixture
def open_city(tmp_path: Path) -> Iterator[Callable[..., City]]:
    """Open a city in which one person's registers say what the claims say, at noon of the day."""
    cities: list[City] = []

    def open_one(
        found: Programme, claims: JsonObject, on: date, *, now: int | None = None, **more: Any
    ) -> City:
        folder = tmp_path / str(len(cities))
        folder.mkdir()
        rows = {**register_rows(found, claims, on), **more.pop("rows", {})}
        families = families_of(found, claims)
        cities.append(City(folder, noon(on) if now is None else now, rows, families, **more))
        return cities[-1]

    yield open_one
    for city in cities:
        city.close()


@pytest.fixture
def entitled() -> Callable[[str], tuple[Programme, JsonObject, date]]:
    """Return a programme, what an entitled person's evidence says, and a day in force."""

    def of(name: str) -> tuple[Programme, JsonObject, date]:
        item = boundary_data()[name]
        return programme(name), item["claims"], date.fromisoformat(item["on"])

    return of
