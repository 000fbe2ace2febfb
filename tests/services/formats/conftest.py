"""One city for all tests here: what a test changes in it, it changes for itself alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.format_town import (
    EPOCH,
    FORMATS,
    TWO_CARDS,
    FormatTown,
    Holder,
    query_for,
)
from verifier.queries import parse_named_queries
from wallet.holder.cards import Card
from wallet.verification.policy import TrustPolicy


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FormatTown]:
    trust = TrustPolicy(epochs=frozenset((EPOCH,)))
    named = {"dcql_query": TWO_CARDS, "purpose": "synthetic", "one_holder": False}
    in_hand = {
        f"in-hand-{kind}": {"dcql_query": query_for(kind, "child_count"), "purpose": "synthetic"}
        for kind in FORMATS
    }
    queries = parse_named_queries({"two-cards": named, **in_hand})
    built = FormatTown(tmp_path_factory.mktemp("town"), {"trust": trust, "queries": queries})
    yield built
    built.close()


@pytest.fixture(scope="session")
def citizen(town: FormatTown) -> Holder:
    """A citizen with the card in every format."""
    return town.holder()


@pytest.fixture(scope="session")
def cards(town: FormatTown, citizen: Holder) -> dict[str, Card]:
    return {kind: town.give(citizen, kind) for kind in FORMATS}
