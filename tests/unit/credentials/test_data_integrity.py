"""Proofs that we make, verify; proofs that anyone changes, do not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.w3c import (
    CARD_CONTEXT,
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
from wallet.credentials.data_integrity.cryptosuite import (
    ContextsDiffer,
    KeyNotForCryptosuite,
    WholeDocumentSuite,
)
from wallet.credentials.data_integrity.issue import (
    SecuredDocument,
    add_proof,
    issue_credential,
)
from wallet.credentials.data_integrity.proof import (
    ProofChainBroken,
    ProofMalformed,
    UnsupportedCryptosuite,
    parse_proofs,
)
from wallet.credentials.data_integrity.verify import (
    DidDocumentMissing,
    Expectations,
    ProofNotByIssuer,
    ProofOutsideItsTime,
    ProofPurposeMismatch,
    VerifiedCredential,
    peek_controllers,
    verify_credential,
    verify_proofs,
)
from wallet.credentials.jsonld.pinned import CREDENTIALS_V2
from wallet.credentials.vcdm.credential import ValidityPeriodEnded
from wallet.crypto.keys import SignatureInvalid
from wallet.did.document import KeyNotAuthorized
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, SeoulWalletError

KINDS: dict[str, tuple[str, Callable[[int], Signer]]] = {
    "eddsa-rdfc-2022": ("eddsa-rdfc-2022", ed25519),
    "eddsa-jcs-2022": ("eddsa-jcs-2022", ed25519),
    "ecdsa-rdfc-2019 P-256": ("ecdsa-rdfc-2019", p256),
    "ecdsa-rdfc-2019 P-384": ("ecdsa-rdfc-2019", p384),
    "ecdsa-jcs-2019 P-256": ("ecdsa-jcs-2019", p256),
    "ecdsa-jcs-2019 P-384": ("ecdsa-jcs-2019", p384),
}
HOLDER = "did:example:holder"
any_kind = pytest.mark.parametrize("kind", KINDS)


def whole(name: str) -> WholeDocumentSuite:
    suite = CRYPTOSUITES[name]
    assert isinstance(suite, WholeDocumentSuite)
    return suite


def issue(kind: str, **options: Any) -> tuple[SecuredDocument, Signer]:
    name, make = KINDS[kind]
    issuer = make(1)
    issued = issue_credential(
        card(issuer.did, HOLDER),
        issuer.key,
        issuer.options(**options),
        whole(name),
        json_ld=json_ld(),
    )
    return issued, issuer


def verify(document: JsonObject, *signers: Signer, now: int = NOW) -> VerifiedCredential:
    return verify_credential(document, documents(*signers), now=now, json_ld=json_ld())


@any_kind
def test_a_credential_that_we_issue_verifies(kind: str) -> None:
    issued, issuer = issue(kind)
    verified = verify(issued.document, issuer)
    assert verified.credential.issuer == issuer.did
    assert verified.issuer_key.jwk == issuer.key.public_key.jwk
    assert verified.signed_input == issued.signed_input
    assert [str(did) for did in peek_controllers(issued.document)] == [issuer.did]


def _proof(change: Callable[[JsonObject], Any]) -> Callable[[JsonObject], Any]:
    return lambda document: change(document["proof"])


def _flip(proof: JsonObject) -> None:
    value = proof["proofValue"]
    proof["proofValue"] = value[:-1] + ("2" if value[-1] != "2" else "3")


MUTATIONS: dict[str, Callable[[JsonObject], Any]] = {
    "a member dropped": lambda document: document.pop("cardNumber"),
    "a member changed": lambda document: document.update(cardNumber="SYNTHETIC-0002"),
    "a member added": lambda document: document.update(name="카드"),
    "an undefined member added": lambda document: document.update(nickname="x"),
    "an empty list added": lambda document: document.update(evidence=[]),
    "a null added": lambda document: document.update(description=None),
    "a claim dropped": lambda document: document["credentialSubject"].pop("childCount"),
    "a claim changed": lambda document: document["credentialSubject"].update(childCount=3),
    "a claim as text": lambda document: document["credentialSubject"].update(childCount="2"),
    "a value repeated": lambda document: document["credentialSubject"].update(
        givenName=["합성", "합성"]
    ),
    "a child repeated": lambda document: document["credentialSubject"]["children"].append(
        {"birthMonth": "2018-11"}
    ),
    "a child dropped": lambda document: document["credentialSubject"]["children"].pop(),
    "the subject changed": lambda document: document["credentialSubject"].update(id="did:x:y"),
    "the id dropped": lambda document: document.pop("id"),
    "a type added": lambda document: document["type"].append("VerifiablePresentation"),
    "a type dropped": lambda document: document["type"].pop(),
    "the dates swapped in": lambda document: document.update(validUntil="2099-01-01T00:00:00Z"),
    "the end dropped": lambda document: document.pop("validUntil"),
    "the contexts swapped": lambda document: document["@context"].reverse(),
    "a context dropped": lambda document: document["@context"].pop(),
    "the proof value flipped": _proof(_flip),
    "the proof value emptied": _proof(lambda proof: proof.update(proofValue="z")),
    "the proof value cut": _proof(lambda proof: proof.update(proofValue=proof["proofValue"][:-4])),
    "the proof value in another base": _proof(
        lambda proof: proof.update(proofValue="u" + proof["proofValue"][1:])
    ),
    "the proof value lower case": _proof(
        lambda proof: proof.update(proofValue=proof["proofValue"].lower())
    ),
    "created changed": _proof(lambda proof: proof.update(created="2027-01-15T07:58:01Z")),
    "created dropped": _proof(lambda proof: proof.pop("created")),
    "created spelled otherwise": _proof(
        lambda proof: proof.update(created=proof["created"].replace("Z", "+00:00"))
    ),
    "expires added": _proof(lambda proof: proof.update(expires="2034-01-01T00:00:00Z")),
    "an id added": _proof(lambda proof: proof.update(id="urn:proof")),
    "a challenge added": _proof(lambda proof: proof.update(challenge="x")),
    "a domain added": _proof(lambda proof: proof.update(domain="x")),
    "a nonce added": _proof(lambda proof: proof.update(nonce="x")),
    "an unknown member in the proof": _proof(lambda proof: proof.update(note="x")),
    "a null in the proof": _proof(lambda proof: proof.update(nonce=None)),
    "the purpose changed": _proof(lambda proof: proof.update(proofPurpose="authentication")),
    "an unknown purpose": _proof(lambda proof: proof.update(proofPurpose="anything")),
    "another proof type": _proof(lambda proof: proof.update(type="Ed25519Signature2020")),
    "an unknown suite": _proof(lambda proof: proof.update(cryptosuite="none")),
    "no suite": _proof(lambda proof: proof.pop("cryptosuite")),
    "no proof value": _proof(lambda proof: proof.pop("proofValue")),
    "no verification method": _proof(lambda proof: proof.pop("verificationMethod")),
    "a method of nobody": _proof(
        lambda proof: proof.update(verificationMethod=proof["verificationMethod"] + "x")
    ),
    "a previous proof added": _proof(lambda proof: proof.update(previousProof="urn:x")),
    "no proof": lambda document: document.pop("proof"),
    "an empty proof": lambda document: document.update(proof=[]),
    "the proof inside the subject": lambda document: document["credentialSubject"].update(
        proof=document["proof"]
    ),
}


def _other_suite(suite: str) -> Callable[[JsonObject], Any]:
    return _proof(
        lambda proof: proof.update(cryptosuite="x" if suite == proof["cryptosuite"] else suite)
    )


MUTATIONS.update({f"the suite {suite}": _other_suite(suite) for suite in CRYPTOSUITES})


def refuses(document: JsonObject, *signers: Signer) -> bool:
    try:
        verify(document, *signers)
    except SeoulWalletError:
        return True
    return False


@any_kind
def test_no_change_of_a_secured_credential_is_accepted(kind: str) -> None:
    issued, issuer = issue(kind)
    for name, change in MUTATIONS.items():
        document = copy.deepcopy(issued.document)
        change(document)
        assert document != issued.document, name
        assert refuses(document, issuer), name
    assert not refuses(issued.document, issuer)


@any_kind
def test_the_reason_of_a_refusal_is_the_right_one(kind: str) -> None:
    issued, issuer = issue(kind)

    def refused(name: str) -> type[BaseException]:
        document = copy.deepcopy(issued.document)
        MUTATIONS[name](document)
        with pytest.raises(SeoulWalletError) as caught:
            verify(document, issuer)
        return caught.type

    assert refused("a claim changed") is SignatureInvalid
    assert refused("created changed") is SignatureInvalid
    assert refused("the purpose changed") is ProofPurposeMismatch
    assert refused("an unknown suite") is UnsupportedCryptosuite
    assert refused("a method of nobody") is KeyNotAuthorized
    assert refused("a previous proof added") is ProofChainBroken
    assert refused("an unknown member in the proof") is ProofMalformed
    assert issubclass(refused("the proof value in another base"), MalformedError)


@any_kind
def test_the_key_of_someone_else_is_refused(kind: str) -> None:
    issued, issuer = issue(kind)
    _, make = KINDS[kind]
    other = make(2)
    with pytest.raises(DidDocumentMissing):
        verify(issued.document, other)
    swapped = copy.deepcopy(issued.document)
    swapped["proof"]["verificationMethod"] = other.method
    with pytest.raises(SignatureInvalid):
        verify(swapped, issuer, other)
    foreign = issue_credential(
        card(issuer.did, HOLDER),
        other.key,
        other.options(),
        whole(KINDS[kind][0]),
        json_ld=json_ld(),
    )
    with pytest.raises(ProofNotByIssuer):
        verify(foreign.document, issuer, other)


def test_a_suite_takes_only_keys_of_its_kind() -> None:
    for name, signer in (("eddsa-rdfc-2022", p256()), ("ecdsa-jcs-2019", ed25519())):
        with pytest.raises(KeyNotForCryptosuite):
            issue_credential(
                card(signer.did), signer.key, signer.options(), whole(name), json_ld=json_ld()
            )


def test_the_order_of_members_and_of_sets_does_not_matter_to_rdf_but_to_json() -> None:
    for kind, accepted in (("eddsa-rdfc-2022", True), ("eddsa-jcs-2022", False)):
        issued, issuer = issue(kind)
        turned = dict(reversed(issued.document.items()))
        verify(turned, issuer)
        turned = copy.deepcopy(issued.document)
        turned["type"].reverse()
        if accepted:
            verify(turned, issuer)
        else:
            with pytest.raises(SignatureInvalid):
                verify(turned, issuer)


def test_a_proof_is_refused_outside_its_time() -> None:
    issued, issuer = issue("eddsa-rdfc-2022", created=NOW, expires=NOW + 600)
    verify(issued.document, issuer)
    verify(issued.document, issuer, now=NOW - 60)
    for now in (NOW - 61, NOW + 660):
        with pytest.raises(ProofOutsideItsTime):
            verify(issued.document, issuer, now=now)


def test_an_expired_credential_is_refused_though_its_proof_is_good() -> None:
    issued, issuer = issue("eddsa-rdfc-2022")
    end = verify(issued.document, issuer).credential.valid_until
    assert end is not None
    with pytest.raises(ValidityPeriodEnded):
        verify(issued.document, issuer, now=end + 61)


def test_only_the_accepted_suites_are_taken_and_none_if_there_are_none() -> None:
    issued, issuer = issue("eddsa-rdfc-2022")
    for suites in ({}, {"eddsa-jcs-2022": CRYPTOSUITES["eddsa-jcs-2022"]}):
        with pytest.raises(UnsupportedCryptosuite):
            verify_credential(
                issued.document,
                documents(issuer),
                now=NOW,
                json_ld=json_ld(),
                suites=suites,
            )


def test_a_json_proof_holds_for_documents_that_begin_with_its_contexts() -> None:
    issuer = ed25519()
    document = {**card(issuer.did), "@context": [CREDENTIALS_V2]}
    issued = issue_credential(
        document, issuer.key, issuer.options(), whole("eddsa-jcs-2022"), json_ld=json_ld()
    ).document
    assert issued["proof"]["@context"] == [CREDENTIALS_V2]
    verify({**issued, "@context": [CREDENTIALS_V2, CARD_CONTEXT]}, issuer)
    moved = copy.deepcopy(issued)
    moved["proof"]["@context"] = [CREDENTIALS_V2, CARD_CONTEXT]
    with pytest.raises(ContextsDiffer):
        verify(moved, issuer)
    assert CARD_CONTEXT in contexts().documents


def test_a_proof_for_another_purpose_or_relation_is_refused() -> None:
    issuer = ed25519()
    for purpose in ("authentication", "capabilityInvocation"):
        signed = add_proof(
            card(issuer.did),
            issuer.key,
            issuer.options(),
            whole("eddsa-jcs-2022"),
            purpose,
            json_ld=json_ld(),
        )
        with pytest.raises(ProofPurposeMismatch):
            verify(signed.document, issuer)
    with pytest.raises(KeyNotAuthorized):
        verify_proofs(
            signed.document,
            documents(issuer),
            Expectations("capabilityInvocation"),
            now=NOW,
            json_ld=json_ld(),
        )


def test_a_key_that_only_authenticates_cannot_issue() -> None:
    issued, issuer = issue("eddsa-rdfc-2022")
    known = issuer.document
    reduced = type(known)(
        known.did,
        known.methods,
        {**known.relationships, "assertionMethod": frozenset()},
    )
    with pytest.raises(KeyNotAuthorized):
        verify_credential(issued.document, {issuer.did: reduced}, now=NOW, json_ld=json_ld())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
_MEMBERS = [
    "type", "id", "cryptosuite", "created", "expires", "verificationMethod", "proofPurpose",
    "proofValue", "previousProof", "challenge", "domain", "nonce", "@context", "note",
]  # fmt: skip


@given(JSON, st.sampled_from(_MEMBERS), st.sampled_from(["eddsa-rdfc-2022", "eddsa-jcs-2022"]))
def test_any_json_in_a_proof_raises_only_our_errors(value: Any, name: str, kind: str) -> None:
    issued, issuer = issue(kind)
    for proof in (value, {**issued.document["proof"], name: value}):
        if proof == issued.document["proof"]:
            continue
        with pytest.raises(SeoulWalletError):
            verify({**issued.document, "proof": proof}, issuer)


def test_proofs_are_parsed_without_being_trusted() -> None:
    issued, issuer = issue("eddsa-rdfc-2022")
    (proof,) = parse_proofs(issued.document)
    assert str(proof.verification_method) == issuer.method
    assert proof.created == NOW - 60
    assert "proofValue" not in proof.options
