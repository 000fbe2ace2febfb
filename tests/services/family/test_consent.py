"""What a holder is told before agreeing, with real copies, agencies and a registry of words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.city import AGENCY_URL
from tests.support.family_town import (
    ELDER,
    KIM,
    MOTHER,
    OTHER_URL,
    YOUNG,
    FamilyTown,
)
from wallet.holder.delegations import DelegationTerms
from wallet.holder.linking import Link
from wallet.holder.wallet import Wallet

SHOWN = DelegationTerms(claims=(("seoul_resident",),), ttl_s=86400)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FamilyTown]:
    built = FamilyTown.build(tmp_path_factory.mktemp("town"), retention_days=30)
    yield built
    built.close()


def warned(town: FamilyTown, wallet: Wallet, query: str, at: str = AGENCY_URL) -> set[Link]:
    consent = wallet.review(town.request(query, at=at)["link"])
    return {warning.link for warning in wallet.linking.warnings(consent)}


def test_two_agencies_that_see_two_copies_have_nothing_to_compare(town: FamilyTown) -> None:
    wallet = town.open_wallet("own")
    card = town.residence_for(wallet, ELDER)
    town.settle()
    waiting = wallet.copies(card.id)
    assert waiting > 0
    for left in range(waiting - 1, -1, -1):
        town.shown(wallet, "own")
        assert wallet.copies(card.id) == left
        assert warned(town, wallet, "own", OTHER_URL) == set()
    # the last copy stays, and is known again from now on
    town.shown(wallet, "own")
    assert warned(town, wallet, "own", OTHER_URL) == {Link.COPY}
    assert warned(town, wallet, "own") == {Link.COPY}


def test_the_same_pseudonym_at_two_agencies_of_a_sector_is_told(town: FamilyTown) -> None:
    wallet = town.guardian("mother", KIM, MOTHER, YOUNG)
    assert warned(town, wallet, "child") == set()
    town.shown(wallet, "child")
    assert warned(town, wallet, "child") == set()
    assert warned(town, wallet, "child", OTHER_URL) == {Link.PSEUDONYM}


def test_a_delegated_card_is_shown_again_and_the_delegate_is_told(town: FamilyTown) -> None:
    elder, carer = town.open_wallet("elder"), town.open_wallet("carer")
    card = town.residence_for(elder, ELDER)
    town.settle()
    _, package = elder.delegate(card.id, carer.delegating.invite(), SHOWN)
    carer.delegating.accept(package)
    town.shown(carer, "delegate")
    assert warned(town, carer, "delegate", OTHER_URL) == {Link.COPY, Link.CLAIMS}
    (entry,) = carer.history.entries()
    assert [item.for_another for item in entry.entry.cards] == [True, False]


def test_who_keeps_it_for_how_long_is_shown_and_remembered(town: FamilyTown) -> None:
    wallet = town.open_wallet("kept")
    town.residence_for(wallet, ELDER)
    town.settle()
    consent = wallet.review(town.request("own")["link"])
    assert consent.retention_days == 30
    assert consent.authenticated
    wallet.present(consent)
    shorter = wallet.review(town.request("why-not")["link"])
    assert shorter.retention_days == 0
    (kept,) = wallet.history.entries()
    assert (kept.entry.retention_days, kept.entry.registration) == (30, "unchecked")


def test_a_verifier_that_says_nothing_is_told_as_that(tmp_path: Path) -> None:
    town = FamilyTown.build(tmp_path)
    try:
        wallet = town.open_wallet("silent")
        assert wallet.review(town.request("own")["link"]).retention_days is None
    finally:
        town.close()


def test_nothing_is_compared_by_anyone_but_the_wallet(town: FamilyTown) -> None:
    wallet = town.open_wallet("alone")
    town.residence_for(wallet, ELDER)
    town.settle()
    town.shown(wallet, "own")
    sent = len(town.network.sent)
    consent = wallet.review(town.request("own", at=OTHER_URL)["link"])
    fetched = len(town.network.sent)
    wallet.linking.warnings(replace(consent))
    assert len(town.network.sent) == fetched > sent
