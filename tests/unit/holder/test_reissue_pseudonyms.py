"""A voter with a new phone: the voting secret of the backup gives the same pseudonyms."""

from __future__ import annotations

from pathlib import Path

import pytest

from issuer.ports import NymKeyRegistered
from tests.support.issuing import issuer_world
from tests.support.oid4vci_wallet import TestWallet, error_of
from tests.support.phones import CARD, Phone, Phones
from wallet.credentials.bbs_nym import nym_header, nym_messages
from wallet.crypto.bbs.nym_issuance import NymCredential, verify_finalize_with_nym
from wallet.crypto.bbs.nym_proofs import calculate_pseudonym
from wallet.crypto.bbs.registered_nym import commit_with_registered_nym
from wallet.crypto.bbs.types import BbsPublicKey
from wallet.holder.voting_secrets import VotingSecrets
from wallet.ports.holder import Put, StoreDamaged
from wallet.protocols.oid4vci.nym_proof import NymProof, parse_nym_credential
from wallet.protocols.oid4vci.offer import CredentialOfferReference, parse_offer_link
from wallet.protocols.oid4vci.token import TokenRequest

BALLOT, OTHER_BALLOT = b"seoul:ballot:2027-1:2027", b"seoul:ballot:2027-2:2027"


@pytest.fixture
def phones(tmp_path: Path) -> Phones:
    return Phones(issuer_world(tmp_path, config_changes={"nym_epoch": "2027"}), tmp_path)


def enrol(phones: Phones, phone: Phone) -> NymCredential | str:
    """Have a pseudonym credential issued; return it, or the issuer's name for the refusal."""
    world, hand = phones.world, TestWallet(phones.world)
    nyms = world.application.service.keys.nym
    assert nyms is not None
    reference = parse_offer_link(phones.offer(configuration_id=f"{CARD}-bbs"))
    assert isinstance(reference, CredentialOfferReference)
    offer = world.client.get(reference.uri.removeprefix(world.base_url)).get_json()
    (grant,) = offer["grants"].values()
    token = hand.exchange(TokenRequest(grant["pre-authorized_code"])).get_json()["access_token"]
    nonce = world.nonce()
    made, secrets = commit_with_registered_nym(
        phone.wallet.voting_secrets.prover_nym(world.base_url),
        public_key=nyms.key.public_key,
        nonce=nonce.encode(),
    )
    proofs = {"bbs_nym": [NymProof(nonce, made).to_text()]}
    body = {"credential_configuration_id": f"{CARD}-bbs", "proofs": proofs}
    answer = hand.post_resource("/credential", token, body)
    if answer.status_code != 200:
        return error_of(answer)[1]
    message = parse_nym_credential(answer.get_json()["credentials"][0]["credential"])
    return verify_finalize_with_nym(
        BbsPublicKey(message.public_key.octets),
        message.signature,
        secrets,
        message.signer_nym_entropy,
        nym_messages(message.vct, message.epoch, message.claims),
        header=nym_header(message.vct),
    )


def test_a_restored_wallet_has_the_pseudonyms_of_the_one_before(phones: Phones) -> None:
    old = phones.new("old")
    before = enrol(phones, old)
    new = phones.restore("new", *phones.back_up(old))
    after = enrol(phones, new)
    assert isinstance(before, NymCredential)
    assert isinstance(after, NymCredential)
    assert before.signature != after.signature
    for ballot in (BALLOT, OTHER_BALLOT):
        assert calculate_pseudonym(before, ballot) == calculate_pseudonym(after, ballot)
    assert calculate_pseudonym(after, BALLOT) != calculate_pseudonym(after, OTHER_BALLOT)
    # Without the backup the resident has no second pseudonym to vote with.
    assert enrol(phones, phones.new("blank")) == NymKeyRegistered.code
    phones.close()
    phones.world.close()


def test_every_issuer_gets_a_secret_of_its_own_and_a_damaged_one_is_told(phones: Phones) -> None:
    phone = phones.new("phone")
    secrets = VotingSecrets(phone.store)
    first = secrets.prover_nym("https://a.example")
    assert secrets.prover_nym("https://a.example") == first
    assert secrets.prover_nym("https://b.example") != first
    for record in phone.store.list("voting_secret"):
        phone.store.write(Put("voting_secret", record.record_id, bytes(32)))
    with pytest.raises(StoreDamaged):
        secrets.prover_nym("https://a.example")
    phones.close()
    phones.world.close()
