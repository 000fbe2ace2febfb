"""Credentials and status lists with PyPI openvc-core, both ways.

Where the two differ, a test says how:

- openvc hashes the contexts into its JCS proofs without writing them into the proof, as the
  cryptosuites demand (EdDSA §3.3.1, ECDSA §3.3.1): its proofs verify here once they are written.
- openvc labels blank nodes by SHA-256 under P-384 too, where ECDSA §3.2.3 has SHA-384: a
  credential without blank nodes crosses over, one with them does not. @digitalbazaar agrees with
  us.
- openvc's JWT credentials are those of data model 1.1 (a `vc` claim); ours are `vc+jwt`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from openvc.errors import OpenvcError
from openvc.keys import signing_key_from_jwk
from openvc.proof.data_integrity import DataIntegrityProofSuite
from openvc.proof.di_ecdsa_rdfc import EcdsaRdfcProofSuite
from openvc.proof.di_jcs import EcdsaJcsProofSuite, EddsaJcsProofSuite
from openvc.proof.ecdsa_sd import EcdsaSdProofSuite
from openvc.proof.errors import ProofError
from openvc.proof.sd_jwt import SdJwtVcProofSuite
from openvc.proof.vc_jwt import VcJwtProofSuite
from openvc.status.bitstring import decode_bitstring, encode_bitstring, get_status_bit
from openvc.status.issue import build_status_list_token, verify_status_list_token
from openvc.status.token_status_list import decode_status_list, get_status, set_status

from tests.support.credentials import AUDIENCE, NONCE, STATUS_URI, VCT, proof_policy
from tests.support.w3c import (
    NOW,
    Signer,
    card,
    contexts,
    documents,
    ed25519,
    json_ld,
    p256,
    p384,
)
from wallet.credentials.cryptosuites import CRYPTOSUITES
from wallet.credentials.cryptosuites.ecdsa_sd_2023 import ECDSA_SD_2023
from wallet.credentials.data_integrity.cryptosuite import WholeDocumentSuite
from wallet.credentials.data_integrity.issue import (
    derive_credential,
    issue_credential,
    issue_disclosable_credential,
)
from wallet.credentials.data_integrity.verify import verify_credential
from wallet.credentials.jose import JwsMalformed, sign_jws
from wallet.credentials.vc_jose import issue_credential_jwt, verify_credential_jwt
from wallet.crypto.keys import SignatureInvalid
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.status.bitstring import BitstringStatusList, parse_encoded_list
from wallet.status.token_status_list import TokenStatusList
from wallet.verification import status
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.pipeline import verify_proof
from wallet.verification.proof_steps import NonceMismatch

HOLDER = "did:example:holder"
AT, MADE_AT = datetime.fromtimestamp(NOW, UTC), datetime.fromtimestamp(NOW - 60, UTC)
RDFC: dict[str, tuple[str, Any, Callable[[int], Signer]]] = {
    "eddsa-rdfc-2022": ("eddsa-rdfc-2022", DataIntegrityProofSuite, ed25519),
    "ecdsa-rdfc-2019 P-256": ("ecdsa-rdfc-2019", EcdsaRdfcProofSuite, p256),
    "ecdsa-rdfc-2019 P-384": ("ecdsa-rdfc-2019", EcdsaRdfcProofSuite, p384),
}
JCS: dict[str, tuple[str, Any, Callable[[int], Signer]]] = {
    "eddsa-jcs-2022": ("eddsa-jcs-2022", EddsaJcsProofSuite, ed25519),
    "ecdsa-jcs-2019 P-256": ("ecdsa-jcs-2019", EcdsaJcsProofSuite, p256),
    "ecdsa-jcs-2019 P-384": ("ecdsa-jcs-2019", EcdsaJcsProofSuite, p384),
}
KNOWN = {url: parse_json_object(data) for url, data in contexts().documents.items()}
MANDATORY = ["/issuer", "/validFrom", "/validUntil"]


def their_key(signer: Signer) -> Any:
    secret = base64url.encode(signer.key.secret())  # type: ignore[attr-defined]
    return signing_key_from_jwk({**signer.key.public_key.jwk, "d": secret}, signer.method)


def arguments(name: str) -> dict[str, Any]:
    return {"extra_contexts": KNOWN} if "rdfc" in name else {}


def named_card(issuer: str) -> JsonObject:
    """Return a card on which everything has a name: no blank nodes."""
    made = card(issuer, HOLDER)
    del made["credentialSubject"]["children"]
    return made


def issued(name: str, issuer: Signer, unsigned: JsonObject) -> JsonObject:
    suite = CRYPTOSUITES[name]
    assert isinstance(suite, WholeDocumentSuite)
    return issue_credential(
        unsigned, issuer.key, issuer.options(), suite, json_ld=json_ld()
    ).document


def theirs(name: str, peer: Any, issuer: Signer, unsigned: JsonObject) -> JsonObject:
    document: JsonObject = peer().add_proof(
        unsigned,
        signing_key=their_key(issuer),
        verification_method=issuer.method,
        created=MADE_AT,
        **arguments(name),
    )
    return document


def check(document: JsonObject, issuer: Signer) -> None:
    verify_credential(document, documents(issuer), now=NOW, json_ld=json_ld())


def tampered(document: JsonObject) -> JsonObject:
    return {**document, "cardNumber": "SYNTHETIC-0002"}


@pytest.mark.parametrize("kind", [*RDFC, *JCS])
def test_they_accept_a_credential_of_ours_and_refuse_it_when_changed(kind: str) -> None:
    name, peer, make = (RDFC | JCS)[kind]
    issuer = make(1)
    document = issued(name, issuer, named_card(issuer.did))
    assert peer().verify(document, now=AT, **arguments(name)).issuer == issuer.did
    with pytest.raises(ProofError):
        peer().verify(tampered(document), now=AT, **arguments(name))


@pytest.mark.parametrize("kind", RDFC)
def test_we_accept_a_credential_of_theirs_and_refuse_it_when_changed(kind: str) -> None:
    name, peer, make = RDFC[kind]
    issuer = make(1)
    document = theirs(name, peer, issuer, named_card(issuer.did))
    check(document, issuer)
    with pytest.raises(SignatureInvalid):
        check(tampered(document), issuer)


@pytest.mark.parametrize("kind", JCS)
def test_we_accept_a_jcs_proof_of_theirs_when_it_says_what_it_covers(kind: str) -> None:
    name, peer, make = JCS[kind]
    issuer = make(1)
    document = theirs(name, peer, issuer, card(issuer.did, HOLDER))
    with pytest.raises(SignatureInvalid):
        check(document, issuer)
    document["proof"]["@context"] = document["@context"]
    check(document, issuer)
    with pytest.raises(SignatureInvalid):
        check(tampered(document), issuer)


@pytest.mark.parametrize("kind", RDFC)
def test_blank_nodes_cross_over_except_under_p_384(kind: str) -> None:
    name, peer, make = RDFC[kind]
    issuer = make(1)
    unsigned = card(issuer.did, HOLDER)
    ours = issued(name, issuer, unsigned)
    foreign = theirs(name, peer, issuer, unsigned)
    if make is p384:
        with pytest.raises(ProofError):
            peer().verify(ours, now=AT, **arguments(name))
        with pytest.raises(SignatureInvalid):
            check(foreign, issuer)
        return
    peer().verify(ours, now=AT, **arguments(name))
    check(foreign, issuer)


def test_what_is_derived_from_either_base_proof_is_accepted_by_both() -> None:
    issuer, suite = p256(1), EcdsaSdProofSuite()
    unsigned = card(issuer.did, HOLDER)
    ours = issue_disclosable_credential(
        unsigned,
        issuer.key,
        issuer.options(),
        ECDSA_SD_2023,
        mandatory_pointers=MANDATORY,
        json_ld=json_ld(),
    ).document
    foreign = suite.add_base_proof(
        unsigned,
        signing_key=their_key(issuer),
        verification_method=issuer.method,
        mandatory_pointers=MANDATORY,
        created=MADE_AT,
        extra_contexts=KNOWN,
    )
    pointers = ["/credentialSubject/childCount"]
    for base in (ours, foreign):
        for document in (
            derive_credential(base, pointers, ECDSA_SD_2023, json_ld=json_ld()),
            suite.derive_proof(base, selective_pointers=pointers, extra_contexts=KNOWN),
        ):
            assert document["credentialSubject"]["childCount"] == 2
            check(document, issuer)
            suite.verify(document, now=AT, extra_contexts=KNOWN)
            document["credentialSubject"]["childCount"] = 3
            with pytest.raises(SignatureInvalid):
                check(document, issuer)
            with pytest.raises(ProofError):
                suite.verify(document, now=AT, extra_contexts=KNOWN)


def test_we_accept_an_sd_jwt_vc_of_theirs_and_refuse_it_when_changed() -> None:
    # openvc reads the clock itself when it issues.
    now = int(time.time())
    issuer, holder = p256(1), p256(2)
    suite = SdJwtVcProofSuite()
    token = suite.issue(
        {"iss": "https://issuer.example", "name": "김합성", "child_count": 3},
        signing_key=their_key(issuer),
        disclosable=["name", "child_count"],
        holder_jwk=holder.key.public_key.jwk,
        vct=VCT,
        expires_in_s=3600,
        decoys=3,
    )
    presentation = suite.create_presentation(
        token, holder_key=their_key(holder), audience=AUDIENCE, nonce=NONCE
    )
    evidence = Evidence(Fact(issuer.key.public_key, now))
    proof = verify_proof(presentation, evidence, proof_policy(), now=now)
    assert (proof.claims["name"], proof.claims["child_count"]) == ("김합성", 3)
    other = suite.create_presentation(
        token, holder_key=their_key(holder), audience=AUDIENCE, nonce="other"
    )
    with pytest.raises(NonceMismatch):
        verify_proof(other, evidence, proof_policy(), now=now)
    stranger = Evidence(Fact(holder.key.public_key, now))
    with pytest.raises(SignatureInvalid):
        verify_proof(presentation, stranger, proof_policy(), now=now)


def test_status_list_tokens_cross_over_both_ways() -> None:
    issuer = p256(1)
    ours = sign_jws(
        issuer.key,
        {"typ": status.STATUS_LIST_TYPE, "kid": issuer.method},
        {
            "sub": STATUS_URI,
            "iss": issuer.did,
            "iat": NOW,
            "status_list": TokenStatusList.empty(1024).with_statuses({7: 1, 9: 2}).to_claim(),
        },
    )
    claims = verify_status_list_token(
        ours, public_key_jwk=issuer.key.public_key.jwk, expected_uri=STATUS_URI, now=AT
    )
    bits = decode_status_list(claims["status_list"]["lst"])
    assert [get_status(bits, index, bits=2) for index in (6, 7, 8, 9)] == [0, 1, 0, 2]
    packed = bytearray(256)
    set_status(packed, 7, 1, bits=2)
    set_status(packed, 9, 2, bits=2)
    foreign = build_status_list_token(
        signing_key=their_key(issuer),
        uri=STATUS_URI,
        status_list=packed,
        bits=2,
        issued_at=NOW,
        ttl=300,
        issuer=issuer.did,
    ).encode()
    keys = {"uri": STATUS_URI, "issuer": issuer.did, "issuer_keys": issuer.document}
    listed = status.verify_status_list_token(foreign, **keys)  # type: ignore[arg-type]
    assert [listed.entries.status(index) for index in (6, 7, 8, 9)] == [0, 1, 0, 2]
    assert listed.ttl_s == 300
    with pytest.raises((SignatureInvalid, JwsMalformed)):
        status.verify_status_list_token(foreign[:-3] + b"AAA", **keys)  # type: ignore[arg-type]


def test_bitstrings_cross_over_both_ways() -> None:
    ours = BitstringStatusList.empty().with_statuses({0: 1, 131_071: 1})
    read = decode_bitstring(ours.to_encoded_list())
    assert read == ours.data
    assert [get_status_bit(read, index) for index in (0, 1, 131_070, 131_071)] == [1, 0, 0, 1]
    assert parse_encoded_list(encode_bitstring(ours.data)) == ours


def test_the_two_forms_of_jwt_credentials_are_not_taken_for_each_other() -> None:
    issuer = ed25519(1)
    ours = issue_credential_jwt(
        card(issuer.did, HOLDER), issuer.key, verification_method=issuer.method
    ).compact
    verify_credential_jwt(ours, documents(issuer), now=NOW)
    with pytest.raises(OpenvcError):
        VcJwtProofSuite().verify(ours, public_key_jwk=issuer.key.public_key.jwk)
    foreign = VcJwtProofSuite().sign(card(issuer.did, HOLDER), signing_key=their_key(issuer))
    with pytest.raises(JwsMalformed):
        verify_credential_jwt(foreign, documents(issuer), now=int(time.time()))
