"""Presentations that no wallet of ours makes, in every format, and what the agency is told."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.format_town import (
    EPOCH,
    FORMATS,
    OTHER_AUDIENCE,
    OTHER_NONCE,
    VCT,
    W3C,
    FormatTown,
    Holder,
    query_for,
)
from wallet.credentials.cryptosuites.ecdsa_rdfc_2019 import ECDSA_RDFC_2019
from wallet.credentials.data_integrity.issue import ProofOptions, add_proof
from wallet.credentials.data_integrity.verify import AUTHENTICATION
from wallet.credentials.jsonld.seoul import seoul_json_ld
from wallet.credentials.jwt_vc import present_jwt_vp
from wallet.crypto.keys import Es256SigningKey
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, to_json
from wallet.holder.cards import Card
from wallet.holder.consent import ConsentRequest
from wallet.holder.issuer_session import OfferRefused
from wallet.protocols.oid4vp_response import RawPresentation
from wallet.verification.policy import TrustPolicy

every_format = pytest.mark.parametrize("kind", FORMATS)
every_w3c = pytest.mark.parametrize("kind", W3C)


def place_of(kind: str, name: str) -> tuple[str | int, ...]:
    """Return where a claim is in a credential of a kind."""
    return (name,) if kind == "bbs" else ("credentialSubject", name)


class Attack:
    """One request, and a presentation of the attacker's making."""

    def __init__(
        self, town: FormatTown, holder: Holder, card: Card, kind: str, *claims: str
    ) -> None:
        self.town, self.holder, self.card, self.kind = town, holder, card, kind
        self.opened = town.ask(query_for(kind, *(claims or ("child_count",))))
        self.consent: ConsentRequest = holder.wallet.review(self.opened["link"])

    def made(self, *names: str, **changes: Any) -> RawPresentation:
        """Return an honest presentation of some claims, but for the changes."""
        settings = {
            "audience": self.consent.audience,
            "nonce": self.consent.request.nonce,
            "issued_at": self.town.city.clock.now(),
            **changes,
        }
        paths = [place_of(self.kind, name) for name in names or ("child_count",)]
        return self.holder.presentation(self.card, paths, **settings)

    def answer(self, presentation: RawPresentation) -> tuple[str, str | None]:
        """Return outcome and code of the decision on a presentation."""
        assert self.town.post(self.consent, presentation).status == 200
        self.result = self.town.result(self.opened)
        return self.result["outcome"], self.result["code"]


def _unsigned(token: str) -> str:
    header = base64url.encode(to_json({"alg": "none", "typ": "JWT"}))
    return f"{header}.{token.split('.')[1]}."


@pytest.fixture
def attack(town: FormatTown, citizen: Holder, cards: dict[str, Card]) -> Callable[..., Attack]:
    return lambda kind, *claims: Attack(town, citizen, cards[kind], kind, *claims)


@every_format
def test_an_honest_presentation_is_accepted(attack: Callable[..., Attack], kind: str) -> None:
    trial = attack(kind)
    assert trial.answer(trial.made()) == ("accepted", None)


@every_format
def test_vp_2_a_presentation_for_another_nonce_is_rejected(
    attack: Callable[..., Attack], kind: str
) -> None:
    trial = attack(kind)
    assert trial.answer(trial.made(nonce="another")) == ("rejected", OTHER_NONCE[kind])


@every_format
def test_vp_2_a_presentation_for_another_verifier_is_rejected(
    attack: Callable[..., Attack], kind: str
) -> None:
    trial = attack(kind)
    other = trial.made(audience="decentralized_identifier:did:web:other.example")
    assert trial.answer(other) == ("rejected", OTHER_AUDIENCE[kind])


@every_format
def test_vp_1_an_answer_is_decided_on_once(attack: Callable[..., Attack], kind: str) -> None:
    trial = attack(kind)
    made = trial.made()
    assert trial.answer(made) == ("accepted", None)
    assert trial.town.post(trial.consent, made).status == 400


@every_w3c
def test_vp_2_a_presentation_by_another_key_is_rejected(
    attack: Callable[..., Attack], kind: str
) -> None:
    trial = attack(kind)
    made = trial.made(key=Es256SigningKey.generate())
    assert trial.answer(made) == ("rejected", "signature_invalid")


@every_w3c
@pytest.mark.parametrize("age", [-3600, 3600])
def test_vp_2_a_presentation_of_another_hour_is_rejected(
    attack: Callable[..., Attack], kind: str, age: int
) -> None:
    trial = attack(kind)
    made = trial.made(issued_at=trial.town.city.clock.now() - age)
    expected = {"holder_binding_invalid"}
    if age < 0 and kind != "jwt":
        expected = {"proof_outside_its_time"}
    outcome, code = trial.answer(made)
    assert (outcome, {code}) == ("rejected", expected)


@every_w3c
def test_vp_3_a_bare_credential_is_rejected(attack: Callable[..., Attack], kind: str) -> None:
    trial = attack(kind)
    made = trial.made()
    if isinstance(made, dict):
        bare: RawPresentation = made["verifiableCredential"][0]
    else:
        bare = trial.holder.credential(trial.card).credential
    assert trial.answer(bare) == ("rejected", "holder_binding_missing")


@every_w3c
def test_vp_3_an_unsigned_presentation_is_rejected(
    attack: Callable[..., Attack], kind: str
) -> None:
    trial = attack(kind)
    made = trial.made()
    if isinstance(made, dict):
        bare = {name: value for name, value in made.items() if name != "proof"}
        assert trial.answer(bare) == ("rejected", "holder_binding_missing")
    else:
        assert trial.answer(_unsigned(made)) == ("rejected", "unsupported_algorithm")


@every_w3c
def test_vp_11_a_credential_of_somebody_else_is_rejected(
    attack: Callable[..., Attack], kind: str
) -> None:
    trial = attack(kind)
    thief = Es256SigningKey.generate()
    did = did_jwk_from_public_key(thief.public_key)
    now = trial.town.city.clock.now()
    made, request = trial.made(), trial.consent.request
    if isinstance(made, dict):
        stolen = {name: value for name, value in made.items() if name != "proof"} | {"holder": did}
        presented: RawPresentation = add_proof(
            stolen,
            thief,
            ProofOptions(f"{did}#0", created=now),
            ECDSA_RDFC_2019,
            AUTHENTICATION,
            bound={"challenge": request.nonce, "domain": trial.consent.audience},
            json_ld=seoul_json_ld(),
        ).document
    else:
        presented = present_jwt_vp(
            trial.holder.credential(trial.card).credential,
            thief,
            holder=did,
            verification_method=f"{did}#0",
            audience=trial.consent.audience,
            nonce=request.nonce,
            issued_at=now,
        )
    assert trial.answer(presented) == ("rejected", "holder_not_subject")


def test_vp_11_a_presentation_under_the_holders_name_by_a_thief_is_rejected(
    attack: Callable[..., Attack],
) -> None:
    trial = attack("ldp")
    thief = Es256SigningKey.generate()
    did = did_jwk_from_public_key(thief.public_key)
    made = trial.made()
    assert isinstance(made, dict)
    stolen = {name: value for name, value in made.items() if name != "proof"}
    presented = add_proof(
        stolen,
        thief,
        ProofOptions(f"{did}#0", created=trial.town.city.clock.now()),
        ECDSA_RDFC_2019,
        AUTHENTICATION,
        bound={"challenge": trial.consent.request.nonce, "domain": trial.consent.audience},
        json_ld=seoul_json_ld(),
    ).document
    assert trial.answer(presented) == ("rejected", "proof_not_by_holder")


def test_vp_2_a_proof_for_two_verifiers_is_rejected(attack: Callable[..., Attack]) -> None:
    trial = attack("ldp")
    made = trial.made()
    assert isinstance(made, dict)
    unproven = {name: value for name, value in made.items() if name != "proof"}
    held = trial.holder.credential(trial.card)
    key = Es256SigningKey.from_secret(trial.holder.store.get("key", held.key_handle).payload)
    presented = add_proof(
        unproven,
        key,
        ProofOptions(made["proof"]["verificationMethod"], created=trial.town.city.clock.now()),
        ECDSA_RDFC_2019,
        AUTHENTICATION,
        bound={
            "challenge": trial.consent.request.nonce,
            "domain": [trial.consent.audience, "https://other.example"],
        },
        json_ld=seoul_json_ld(),
    ).document
    assert trial.answer(presented) == ("rejected", "domain_mismatch")


def test_two_credentials_in_one_presentation_are_rejected(attack: Callable[..., Attack]) -> None:
    trial = attack("ldp")
    made = trial.made()
    assert isinstance(made, dict)
    double = {**made, "verifiableCredential": made["verifiableCredential"] * 2}
    assert trial.answer(double) == ("rejected", "credential_malformed")


@every_w3c
def test_a_revoked_or_suspended_credential_is_rejected(town: FormatTown, kind: str) -> None:
    holder = town.holder()
    before = town.issuances()
    card = town.give(holder, kind)
    issued = town.issuances() - before

    def outcome() -> tuple[str, str | None]:
        trial = Attack(town, holder, card, kind)
        return trial.answer(trial.made())

    assert outcome() == ("accepted", None)
    town.change_status(issued, "suspend")
    assert outcome() == ("rejected", "credential_suspended")
    town.change_status(issued, "reinstate")
    assert outcome() == ("accepted", None)
    town.change_status(issued, "revoke")
    assert outcome() == ("rejected", "credential_revoked")


@every_w3c
def test_a_list_that_cannot_be_had_is_no_verdict(attack: Callable[..., Attack], kind: str) -> None:
    trial = attack(kind)
    network = trial.town.city.network
    made = trial.made()

    def lose(method: str, url: str) -> None:
        if "/status-lists/" in url:
            network.down.add("issuer.example")

    network.before = lose
    try:
        outcome, code = trial.answer(made)
    finally:
        network.before = lambda method, url: None
        network.down.clear()
    assert (outcome, code) == ("unavailable", "status_list_unavailable")


@pytest.mark.parametrize("kind", ["ldp-sd", "bbs"])
def test_a_claim_that_is_not_shown_is_missing(attack: Callable[..., Attack], kind: str) -> None:
    trial = attack(kind, "child_count", "holder_role")
    assert trial.answer(trial.made("child_count")) == ("rejected", "answer_incomplete")


def test_vp_10_a_claim_that_nobody_asked_for_rejects_the_answer(
    attack: Callable[..., Attack],
) -> None:
    trial = attack("bbs")
    made = trial.made("child_count", "name")
    assert trial.answer(made) == ("rejected", "answer_excessive")
    assert "김합성" not in str(trial.result)


@every_w3c
def test_vp_10_what_nobody_asked_for_is_not_told_nor_kept(
    attack: Callable[..., Attack], kind: str
) -> None:
    trial = attack(kind)
    assert trial.answer(trial.made("child_count", "name")) == ("accepted", None)
    (item,) = trial.result["credentials"]["card"]
    assert item["claims"] == {"credentialSubject": {"child_count": 2}}
    assert "김합성" not in str(trial.result)
    assert "김합성".encode() not in trial.town.city.stored_at("https://agency.example")


@pytest.mark.parametrize(
    ("kind", "other"), [("jwt", "ldp"), ("ldp", "jwt"), ("ldp", "bbs"), ("bbs", "ldp")]
)
def test_a_presentation_of_another_format_is_rejected(
    attack: Callable[..., Attack], kind: str, other: str
) -> None:
    trial, source = attack(kind), attack(other)
    outcome, _ = trial.answer(source.made())
    assert outcome == "rejected"


@every_w3c
def test_a_changed_claim_is_noticed(attack: Callable[..., Attack], kind: str) -> None:
    trial = attack(kind)
    made = trial.made()
    if isinstance(made, dict):
        changed = copy.deepcopy(made)
        changed["verifiableCredential"][0]["credentialSubject"]["child_count"] = 3
        assert trial.answer(changed) == ("rejected", "signature_invalid")
    else:
        head, payload, signature = made.split(".")
        assert trial.answer(f"{head}.{payload[:-4]}AAAA.{signature}")[0] == "rejected"


@pytest.mark.parametrize("member", ["vct", "epoch", "claims", "positions", "messages", "issuer"])
def test_a_changed_member_of_a_bbs_presentation_is_noticed(
    attack: Callable[..., Attack], member: str
) -> None:
    trial = attack("bbs")
    made = trial.made()
    assert isinstance(made, dict)
    changes: JsonObject = {
        "vct": VCT + "x",
        "epoch": "2028",
        "claims": {"child_count": 3},
        "positions": {"child_count": 2},
        "messages": made["messages"] + 1,
        "issuer": "did:web:other.example",
    }
    assert trial.answer({**made, member: changes[member]})[0] == "rejected"


@every_format
def test_the_card_of_an_issuer_without_accreditation_is_rejected(
    strangers: FormatTown, kind: str
) -> None:
    holder = strangers.holder()
    card = strangers.give(holder, kind)
    trial = Attack(strangers, holder, card, kind)
    assert trial.answer(trial.made()) == ("rejected", "issuer_not_accredited")


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    trust = TrustPolicy(epochs=frozenset((EPOCH,)))
    built = FormatTown(tmp_path_factory.mktemp("strangers"), {"trust": trust}, accredited=False)
    yield built
    built.close()


def test_a_bbs_card_is_taken_only_in_the_epochs_that_the_agency_names(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    later = TrustPolicy(epochs=frozenset(("2028",)))
    built = FormatTown(tmp_path_factory.mktemp("later"), {"trust": later})
    try:
        holder = built.holder()
        trial = Attack(built, holder, built.give(holder, "bbs"), "bbs")
        assert trial.answer(trial.made()) == ("rejected", "epoch_not_accepted")
    finally:
        built.close()


def test_another_wallet_of_the_same_resident_gets_no_second_pseudonym_secret(
    town: FormatTown, cards: dict[str, Card]
) -> None:
    second = town.holder()
    assert cards["bbs"].format == FORMATS["bbs"]
    with pytest.raises(OfferRefused, match="nym_key_registered"):
        second.wallet.receive(town.offer("bbs"))


def test_a_pseudonym_that_was_asked_for_cannot_be_left_out(
    town: FormatTown, citizen: Holder, cards: dict[str, Card]
) -> None:
    asked = query_for("bbs", "child_count", meta={"vct_values": [VCT], "pseudonym": True})
    for pseudonym, expected in ((True, "accepted"), (False, "rejected")):
        trial = Attack(town, citizen, cards["bbs"], "bbs")
        trial.opened = town.ask(asked)
        trial.consent = citizen.wallet.review(trial.opened["link"])
        assert trial.answer(trial.made(pseudonym=pseudonym))[0] == expected
