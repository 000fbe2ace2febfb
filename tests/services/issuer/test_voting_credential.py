"""The voting credential: from the roll to a proof of eligibility, one vote a resident."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from issuer.register.electoral_roll import Stratum, Voter
from issuer.voting import VOTING_CREDENTIAL
from seoul_wallet.sample.voters import write_roll
from tests.support.issuing import NOW, IssuerWorld, issuer_world
from tests.support.oid4vci_wallet import TestWallet, error_of
from tests.support.voting import election, manifest_json
from wallet.credentials.bbs_nym import nym_header, nym_messages
from wallet.credentials.voting import HEADER, LAYOUT, VotingClaimsMalformed
from wallet.crypto.bbs.nym_issuance import (
    NymCredential,
    new_prover_nym,
    verify_finalize_with_nym,
)
from wallet.crypto.bbs.registered_nym import commit_with_registered_nym
from wallet.protocols.oid4vci.nym_proof import (
    NymProof,
    parse_nym_credential,
)
from wallet.voting.acceptance import open_submission, verify_ballot
from wallet.voting.casting import prepare_ballot
from wallet.voting.eligibility import CredentialNotEligible, ballot_header
from wallet.voting.manifest import manifest_of

DAY = date(2027, 1, 10)
CHOICES = [1, 0, 1, 0, 0, 0]
ADULT = Voter("SYN-R-1", date(1990, 5, 5), "11590", Stratum.CITIZEN, DAY, synthetic=True)
CHILD = replace(ADULT, register_id="SYN-R-2", birth_date=date(2016, 5, 5))
MEMBER = replace(ADULT, register_id="SYN-R-3", district="11110", stratum=Stratum.COMMITTEE)


def crowd() -> list[Voter]:
    return [
        replace(ADULT, register_id=f"SYN-R-{number}", stratum=stratum)
        for number, stratum in enumerate([Stratum.CITIZEN, Stratum.COMMITTEE] * 30, start=100)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_roll(tmp_path, [ADULT, CHILD, MEMBER, *crowd()])
    return tmp_path


@pytest.fixture
def world(folder: Path) -> Iterator[IssuerWorld]:
    built = issuer_world(folder, config_changes={"nym_epoch": "2027-1"})
    yield built
    built.close()


def offered(world: IssuerWorld, subject: str, holder: str | None = None) -> TestResponse:
    return world.operate(
        "/credential-offers",
        {
            "configuration_id": VOTING_CREDENTIAL,
            "subject_id": subject,
            "holder_id": holder or subject,
            "tx_code": False,
        },
    )


def asked(world: IssuerWorld, voter: Voter, prover_nym: int) -> tuple[Any, Any]:
    """The answer to a request for the credential of `voter`, and the secrets that go with it."""
    made = offered(world, voter.register_id)
    assert made.status_code == 201, made.text
    answer = world.exchange(world.code_behind(made.get_json()["link"]))
    nyms, nonce = world.application.service.keys.nym, world.nonce()
    assert nyms is not None
    commitment, secrets = commit_with_registered_nym(
        prover_nym, public_key=nyms.key.public_key, nonce=nonce.encode()
    )
    body = {
        "credential_configuration_id": VOTING_CREDENTIAL,
        "proofs": {"bbs_nym": [NymProof(nonce, commitment).to_text()]},
    }
    return (
        TestWallet(world).post_resource("/credential", answer.get_json()["access_token"], body),
        secrets,
    )


def credential_of(world: IssuerWorld, voter: Voter, prover_nym: int) -> NymCredential:
    answer, secrets = asked(world, voter, prover_nym)
    assert answer.status_code == 200, answer.text
    (item,) = answer.get_json()["credentials"]
    message = parse_nym_credential(item["credential"])
    assert message.header == nym_header(message.vct) == HEADER
    return verify_finalize_with_nym(
        message.public_key,
        message.signature,
        secrets,
        message.signer_nym_entropy,
        nym_messages(message.vct, message.epoch, message.claims),
        header=message.header,
    )


def test_a_resident_of_the_roll_votes_with_what_the_issuer_signed(world: IssuerWorld) -> None:
    parts = world.operate("/census", {"min_age": 14, "districts": None}).get_json()
    vote = election(**{**parts, "census": {**parts["census"]}})
    credential = credential_of(world, ADULT, new_prover_nym())
    assert credential.layout == LAYOUT
    ballot = prepare_ballot(vote, credential, CHOICES, sequence=1).cast(credential)
    assert verify_ballot(open_submission(ballot.octets, vote), vote)


def test_the_census_counts_whom_the_eligibility_admits(world: IssuerWorld) -> None:
    everybody = world.operate("/census", {"min_age": None, "districts": None}).get_json()
    adults = world.operate("/census", {"min_age": 14, "districts": None}).get_json()
    district = world.operate("/census", {"min_age": 14, "districts": ["11110"]}).get_json()
    assert everybody["census"]["people"] == {"citizen": 32, "committee": 31}
    assert adults["census"]["people"] == {"citizen": 31, "committee": 31}
    assert district["census"]["people"] == {"committee": 1}
    assert district["eligibility"]["districts"] == ["11110"]
    assert everybody["census"]["digest"] == district["census"]["digest"]
    # As it stands it goes into a manifest.
    manifest_of(manifest_json(**adults))
    refused = world.operate("/census", {"min_age": 15, "districts": None})
    assert refused.status_code == 400
    assert world.operate("/census", {"min_age": 14, "districts": ["1"]}).status_code == 400
    without = world.client.post("/operator/census", json={"min_age": 14, "districts": None})
    assert without.status_code == 401


def test_a_re_issued_credential_keeps_the_nullifier(world: IssuerWorld) -> None:
    vote = election(**world.operate("/census", {"min_age": 14, "districts": None}).get_json())
    nym = new_prover_nym()
    first, again = (credential_of(world, ADULT, nym) for _ in range(2))
    assert first.signature != again.signature
    assert ballot_header(first, vote, 1).nullifier == ballot_header(again, vote, 1).nullifier
    other = credential_of(world, MEMBER, new_prover_nym())
    assert ballot_header(other, vote, 1).nullifier != ballot_header(first, vote, 1).nullifier


def test_another_nym_key_of_a_resident_waits_for_the_next_epoch(
    world: IssuerWorld, folder: Path
) -> None:
    credential_of(world, ADULT, new_prover_nym())
    answer, _ = asked(world, ADULT, new_prover_nym())
    assert error_of(answer) == (400, "nym_key_registered")
    world.application.close()
    later = issuer_world(folder, config_changes={"nym_epoch": "2027-2"})
    fresh = credential_of(later, ADULT, new_prover_nym())
    vote = election(**later.operate("/census", {"min_age": 14, "districts": None}).get_json())
    assert ballot_header(fresh, vote, 1).stratum == "citizen"
    with pytest.raises(CredentialNotEligible):
        ballot_header(fresh, election(**_of_epoch(later, "2027-1")), 1)
    later.close()


def _of_epoch(world: IssuerWorld, epoch: str) -> Any:
    parts = world.operate("/census", {"min_age": 14, "districts": None}).get_json()
    return {**parts, "eligibility": {**parts["eligibility"], "epoch": epoch}}


def test_a_child_holds_a_credential_that_does_not_admit(world: IssuerWorld) -> None:
    parts = world.operate("/census", {"min_age": 14, "districts": None}).get_json()
    child = credential_of(world, CHILD, new_prover_nym())
    with pytest.raises(CredentialNotEligible):
        ballot_header(child, election(**parts), 1)
    open_to_all = {**parts, "eligibility": {**parts["eligibility"], "min_age": None}}
    assert ballot_header(child, election(**open_to_all), 1).stratum == "citizen"


def test_nobody_gets_the_credential_of_another_or_without_being_on_the_roll(
    world: IssuerWorld,
) -> None:
    for_another = offered(world, ADULT.register_id, CHILD.register_id)
    assert (for_another.status_code, for_another.get_json()["code"]) == (422, "not_entitled")
    stranger = offered(world, "SYN-R-9")
    assert (stranger.status_code, stranger.get_json()["code"]) == (422, "subject_unknown")


def test_without_a_roll_there_is_no_voting_credential(tmp_path: Path) -> None:
    world = issuer_world(tmp_path, config_changes={"nym_epoch": "2027-1"}, now=NOW)
    unknown = offered(world, ADULT.register_id)
    assert unknown.get_json()["code"] == "configuration_unknown"
    assert world.operate("/census", {"min_age": 14, "districts": None}).status_code == 404
    world.close()


@pytest.mark.parametrize(
    "claims",
    [
        {"district": "11590", "stratum": "citizen"},
        {"district": "11590", "stratum": "citizen", "over_14": 1},
        {"district": "", "stratum": "citizen", "over_14": True},
        {"district": "1" * 65, "stratum": "citizen", "over_14": True},
        {"district": "\ud800", "stratum": "citizen", "over_14": True},
        {"district": "11590", "stratum": "citizen", "over_14": True, "name": "x"},
    ],
)
def test_refuses_claims_that_no_voting_credential_has(claims: Any) -> None:
    with pytest.raises(VotingClaimsMalformed):
        nym_messages("urn:seoul-wallet:voting-credential:1", "2027-1", claims)
