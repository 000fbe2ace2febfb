"""One adult acts for another, from wallet to wallet to agency: spouse, grandparent, carer."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from tests.support.family_town import (
    AGENCY_ID,
    ELDER,
    KIM,
    MOTHER,
    OTHER_URL,
    QUERIES,
    YOUNG,
    FamilyTown,
    answer,
)
from verifier.acting import Acting
from wallet.credentials.delegation import DELEGATION_TYPE, NotDelegable
from wallet.credentials.jwe import DecryptionFailed
from wallet.crypto.keys import SignatureInvalid
from wallet.encoding.json import JsonObject
from wallet.encoding.names import NameNotAcceptable
from wallet.holder.cards import Card, CardUnknown
from wallet.holder.consent import NoMatchingCredential
from wallet.holder.delegation_messages import DelegationMessageMalformed, InvitationExpired
from wallet.holder.delegations import (
    DelegationTerms,
    DelegationUnknown,
    InvitationUnknown,
    NoCopyToDelegate,
)
from wallet.holder.given import GivenDelegation
from wallet.holder.issuer_session import OfferRefused
from wallet.holder.wallet import Wallet
from wallet.ports.holder import PeerUnreachable
from wallet.verification.acting import ActingNotAccepted, Use

SHOWN = DelegationTerms(claims=(("seoul_resident",),), ttl_s=86400)
_NUMBERS = count()


@pytest.fixture(scope="module")
def elder(town: FamilyTown) -> Wallet:
    return town.open_wallet("elder")


@pytest.fixture(scope="module")
def carer(town: FamilyTown) -> Wallet:
    return town.open_wallet("carer")


def lend(
    town: FamilyTown,
    giver: Wallet,
    taker: Wallet,
    *,
    person: str = ELDER,
    terms: DelegationTerms = SHOWN,
) -> tuple[GivenDelegation, Card]:
    """Delegate a new residence certificate of `person`; leave the taker with nothing else."""
    for card in taker.credentials():
        taker.remove(card.id)
    card = town.residence_for(giver, person)
    town.settle()
    given, package = giver.delegate(card.id, taker.delegating.invite(), terms)
    return given, taker.delegating.accept(package)


@pytest.mark.parametrize("relation", ["spouse", "grandparent", "carer"])
def test_shows_for_another_and_the_agency_learns_who_and_why(
    town: FamilyTown, elder: Wallet, carer: Wallet, relation: str
) -> None:
    person = ELDER if relation == "carer" else MOTHER
    lend(town, elder, carer, person=person, terms=replace(SHOWN, relation=relation))
    told = town.shown(carer, "why")
    assert (told["outcome"], told["code"]) == ("accepted", None)
    assert told["credentials"]["home"][0]["claims"] == {"seoul_resident": True}
    (acted,) = told["acted_for"]
    assert (acted["right"], acted["relation"], acted["jointly"]) == ("delegation", relation, False)
    assert len({acted["person"], acted["actor"], acted["delegation"]}) == 3
    assert told["credentials"]["delegation"][0]["issuer"] == acted["person"]


def test_the_relation_is_not_told_to_an_agency_that_does_not_ask(
    town: FamilyTown, elder: Wallet, carer: Wallet
) -> None:
    lend(town, elder, carer, terms=replace(SHOWN, relation="carer"))
    assert town.shown(carer, "delegate")["acted_for"][0]["relation"] is None


def test_who_shows_their_own_card_acts_for_nobody(town: FamilyTown) -> None:
    wallet = town.open_wallet("own")
    town.residence_for(wallet, ELDER)
    town.settle()
    told = town.shown(wallet, "delegate")
    assert told["outcome"] == "accepted"
    assert "acted_for" not in told


def test_agencies_cannot_join_what_they_are_told_of_the_people(
    town: FamilyTown, elder: Wallet, carer: Wallet
) -> None:
    lend(town, elder, carer)
    (here,) = town.shown(carer, "delegate")["acted_for"]
    (again,) = town.shown(carer, "delegate")["acted_for"]
    (there,) = town.shown(carer, "delegate", at=OTHER_URL)["acted_for"]
    assert here == again
    ids = ("person", "actor", "delegation")
    assert {here[name] for name in ids}.isdisjoint(there[name] for name in ids)


def test_only_the_delegated_claims_leave_the_wallet(
    town: FamilyTown, elder: Wallet, carer: Wallet
) -> None:
    _, card = lend(town, elder, carer)
    assert card.claims == {"seoul_resident": True}
    assert card.is_for_another
    assert not card.is_for_ward


def test_nobody_acts_where_the_query_does_not_ask_for_it(
    town: FamilyTown, elder: Wallet, carer: Wallet
) -> None:
    _, card = lend(town, elder, carer)
    consent = carer.review(town.request("own")["link"])
    assert [item.query_id for item in consent.missing] == ["home"]
    told = town.forced(carer, "own", answer("home", card, ("seoul_resident",)))
    assert (told["outcome"], told["code"]) == ("rejected", SignatureInvalid.code)


def test_the_right_goes_along_or_the_card_is_refused(
    town: FamilyTown, elder: Wallet, carer: Wallet
) -> None:
    _, card = lend(town, elder, carer)
    told = town.forced(carer, "delegate", answer("home", card, ("seoul_resident",)))
    assert (told["outcome"], told["code"]) == ("rejected", SignatureInvalid.code)


def test_a_delegation_belongs_to_the_card_that_it_was_made_for(
    town: FamilyTown, elder: Wallet, carer: Wallet
) -> None:
    _, card = lend(town, elder, carer)
    own = town.residence_for(carer, MOTHER)
    town.settle()
    warrant = replace(card, vct=DELEGATION_TYPE)
    told = town.forced(
        carer,
        "delegate",
        answer("home", own, ("seoul_resident",)),
        answer("delegation", warrant),
    )
    assert (told["outcome"], told["code"]) == ("rejected", "delegation_not_by_holder")


def test_a_claim_outside_the_delegation_cannot_be_shown(
    town: FamilyTown, elder: Wallet, carer: Wallet
) -> None:
    lend(town, elder, carer, terms=replace(SHOWN, claims=(("district",),)))
    consent = carer.review(town.request("delegate")["link"])
    with pytest.raises(NoMatchingCredential):
        carer.present(consent)


def test_only_the_named_agency_takes_it(town: FamilyTown, elder: Wallet, carer: Wallet) -> None:
    _, card = lend(town, elder, carer, terms=replace(SHOWN, audiences=(AGENCY_ID,)))
    assert town.shown(carer, "delegate")["outcome"] == "accepted"
    refused = carer.review(town.request("delegate", at=OTHER_URL)["link"])
    with pytest.raises(NoMatchingCredential):
        carer.present(refused)
    opened = town.request("delegate", at=OTHER_URL)
    answers = (
        answer("home", card, ("seoul_resident",)),
        answer("delegation", replace(card, vct=DELEGATION_TYPE)),
    )
    forced = replace(carer.review(opened["link"]), answers=answers, missing=())
    carer.present(forced)
    assert town.result(opened, at=OTHER_URL)["code"] == "delegation_for_others"


def test_only_the_named_programme_takes_it(town: FamilyTown, elder: Wallet, carer: Wallet) -> None:
    lend(town, elder, carer, terms=replace(SHOWN, programmes=("delegate",), relation="carer"))
    assert town.shown(carer, "delegate")["outcome"] == "accepted"
    told = town.shown(carer, "why")
    assert (told["outcome"], told["code"]) == ("rejected", "delegation_out_of_scope")


def test_nobody_signs_for_another(town: FamilyTown, elder: Wallet, carer: Wallet) -> None:
    lend(town, elder, carer)
    told = _signed(town, carer)
    assert (told["outcome"], told["code"]) == ("rejected", "acting_not_accepted")
    town.residence_for(carer, MOTHER)
    town.settle()
    assert _signed(town, carer)["outcome"] == "accepted"


def _signed(town: FamilyTown, wallet: Wallet) -> JsonObject:
    client = town.agency
    made = client.post(
        "/v1/requests",
        json={
            "query": "delegate",
            "transaction_data": [
                {
                    "type": "urn:seoul-wallet:agreement:1",
                    "credential_ids": ["home"],
                    "text": "I agree (synthetic)",
                }
            ],
        },
        headers={"Authorization": "Bearer synthetic-agency-token"},
    )
    assert made.status_code == 201, made.text
    opened: JsonObject = made.get_json()
    consent = wallet.review(opened["link"])
    wallet.present(consent)
    return town.result(opened)


@pytest.mark.parametrize("use", [Use.LOGIN, Use.VOTING, Use.SIGNATURE])
def test_no_right_is_taken_for_what_one_does_oneself(use: Use) -> None:
    query, bound = QUERIES["delegate"].query, {"audience": AGENCY_ID, "nonce": "n" * 22, "now": 1}
    own, for_another = {"home": ["a"]}, {"home": ["a"], "delegation": ["b"]}
    with pytest.raises(ActingNotAccepted):
        Acting.of_answer(query, for_another, **bound, use=use, programme=None)
    assert Acting.of_answer(query, own, **bound, use=use, programme=None).proofs() == {}
    seen = Acting.of_answer(query, for_another, **bound, use=Use.PRESENTATION, programme=None)
    assert seen.presented["delegation"][0].delegation is None


def test_the_city_offers_nobody_a_vote_for_another(town: FamilyTown) -> None:
    about = {"kind": "voting-credential", "subject_id": YOUNG, "holder_id": YOUNG}
    asked = {**about, "family_id": KIM, "guardian_id": MOTHER}
    refused = town.operator("evidence-offers", asked)
    assert (refused.status_code, refused.get_json()["code"]) == (400, "configuration_unknown")


def test_what_was_delegated_is_not_delegated_on(
    town: FamilyTown, elder: Wallet, carer: Wallet
) -> None:
    _, card = lend(town, elder, carer)
    third = town.open_wallet(f"third-{next(_NUMBERS)}")
    with pytest.raises(NotDelegable):
        carer.delegate(card.id, third.delegating.invite(), SHOWN)


class TestRevoking:
    def test_the_agency_refuses_a_delegation_that_was_taken_back(
        self, town: FamilyTown, elder: Wallet, carer: Wallet
    ) -> None:
        given, _ = lend(town, elder, carer)
        assert town.shown(carer, "delegate")["outcome"] == "accepted"
        revoked = elder.revoke_delegation(given.id)
        assert revoked.revoked_at == town.clock.now()
        assert elder.revoke_delegation(given.id) == revoked
        assert not next(i for i in elder.delegations() if i.id == given.id).is_in_force(
            town.clock.now()
        )
        # as old as a status list may be at the agency
        town.clock.set(town.clock.now() + 400)
        town.settle()
        told = town.shown(carer, "delegate")
        assert (told["outcome"], told["code"]) == ("rejected", "credential_revoked")

    def test_another_delegation_of_the_same_card_stays(
        self, town: FamilyTown, elder: Wallet, carer: Wallet
    ) -> None:
        for card in carer.credentials():
            carer.remove(card.id)
        card = town.residence_for(elder, ELDER)
        given, _ = elder.delegate(card.id, carer.delegating.invite(), SHOWN)
        _, package = elder.delegate(card.id, carer.delegating.invite(), SHOWN)
        carer.delegating.accept(package)
        elder.revoke_delegation(given.id)
        town.clock.set(town.clock.now() + 400)
        town.settle()
        assert town.shown(carer, "delegate")["outcome"] == "accepted"
        assert town.shown(elder, "own")["outcome"] == "accepted"

    def test_an_unknown_delegation_and_an_issuer_that_is_down_are_told(
        self, town: FamilyTown, elder: Wallet, carer: Wallet
    ) -> None:
        with pytest.raises(DelegationUnknown):
            elder.revoke_delegation("no such")
        given, _ = lend(town, elder, carer)
        town.network.down.add("issuer.example")
        with pytest.raises(PeerUnreachable):
            elder.revoke_delegation(given.id)
        town.network.down.clear()
        found = next(item for item in elder.delegations() if item.id == given.id)
        assert found.revoked_at is None
        assert elder.revoke_delegation(given.id).revoked_at is not None


def _refuse_tokens(method: str, url: str) -> None:
    """Answer for an issuer that gives no further copies."""
    if url.endswith("/token"):
        raise OfferRefused("invalid_grant")


class TestHandingOver:
    def test_the_package_is_for_the_inviting_wallet_and_once(
        self, town: FamilyTown, elder: Wallet, carer: Wallet
    ) -> None:
        card = town.residence_for(elder, ELDER)
        invitation = carer.delegating.invite(name="김돌봄")
        assert elder.delegating.read_invitation(invitation).name == "김돌봄"
        given, package = elder.delegate(card.id, invitation, SHOWN)
        assert given.label == "김돌봄"
        with pytest.raises(InvitationUnknown):
            elder.delegating.accept(package)
        altered = package[:-4] + ("AAAA" if package[-4:] != "AAAA" else "BBBB")
        with pytest.raises(DecryptionFailed):
            carer.delegating.accept(altered)
        assert carer.delegating.accept(package).is_for_another
        with pytest.raises(InvitationUnknown):
            carer.delegating.accept(package)

    def test_an_old_altered_or_endless_invitation_is_refused(
        self, town: FamilyTown, elder: Wallet, carer: Wallet
    ) -> None:
        invitation = carer.delegating.invite()
        other = carer.delegating.invite()
        head, body, _ = invitation.split(".")
        with pytest.raises(SignatureInvalid):
            elder.delegating.read_invitation(".".join((head, body, other.split(".")[2])))
        with pytest.raises(DelegationMessageMalformed):
            elder.delegating.read_invitation("x" * 5000)
        town.clock.set(town.clock.now() + 24 * 3600)
        with pytest.raises(InvitationExpired):
            elder.delegating.read_invitation(invitation)
        town.settle()

    def test_a_name_that_deceives_is_not_sent(self, carer: Wallet) -> None:
        with pytest.raises(NameNotAcceptable):
            carer.delegating.invite(name="김\u3164돌봄")

    def test_the_holders_own_copy_is_never_delegated(
        self, town: FamilyTown, elder: Wallet, carer: Wallet
    ) -> None:
        card = town.residence_for(elder, ELDER)
        town.settle()
        while elder.copies(card.id):
            elder.delegate(card.id, carer.delegating.invite(), SHOWN)
        with pytest.raises(CardUnknown):
            elder.delegate("no such", carer.delegating.invite(), SHOWN)
        town.network.before = _refuse_tokens
        with pytest.raises(NoCopyToDelegate):
            elder.delegate(card.id, carer.delegating.invite(), SHOWN)
        town.network.before = lambda method, url: None
        assert town.shown(elder, "own")["outcome"] == "accepted"

    def test_the_wallets_remember_when_they_are_opened_again(self, town: FamilyTown) -> None:
        giver, taker = town.open_wallet("giver"), town.open_wallet("taker")
        given, _ = lend(town, giver, taker)
        giver.close()
        taker.close()
        giver, taker = town.open_wallet("giver"), town.open_wallet("taker")
        assert giver.delegations() == (given,)
        assert town.shown(taker, "delegate")["outcome"] == "accepted"


class TestAtTheIssuer:
    def test_a_stranger_cannot_revoke_a_copy(self, town: FamilyTown, carer: Wallet) -> None:
        client = town.network.hosts["issuer.example"]
        for body in ({}, {"presentation": ""}, {"presentation": "a.b.c~"}, {"presentation": 1}):
            assert client.post("/revocations", json=body).status_code in (400, 422)

    def test_the_delegate_cannot_revoke_what_is_not_theirs(
        self, town: FamilyTown, elder: Wallet, carer: Wallet
    ) -> None:
        lend(town, elder, carer)
        with pytest.raises(DelegationUnknown):
            carer.revoke_delegation(elder.delegations()[-1].id)

    def test_a_revocation_shown_twice_is_refused(
        self, town: FamilyTown, elder: Wallet, carer: Wallet
    ) -> None:
        given, _ = lend(town, elder, carer)
        elder.revoke_delegation(given.id)
        (body,) = [b for m, u, b in town.network.sent if u.endswith("/revocations")][-1:]
        answered = town.network.hosts["issuer.example"].post(
            "/revocations", data=body, content_type="application/json"
        )
        assert (answered.status_code, answered.get_json()["error"]) == (400, "invalid_nonce")
