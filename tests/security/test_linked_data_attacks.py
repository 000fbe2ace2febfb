"""LD-1 to LD-10: JSON-LD, Data Integrity proofs, canonicalization, selective disclosure.

LD-2, LD-3 and LD-8 are tables in tests/unit/credentials/test_json_ld.py and
tests/conformance/test_rfc8785.py; LD-4 and LD-6 in tests/unit/credentials/test_data_integrity.py.
Here: that nothing is fetched, and what needs an attacker with a key, or with time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_socket import SocketBlockedError

from tests.support.cost import refused, takes_at_most
from tests.support.w3c import (
    CHALLENGE,
    DOMAIN,
    NOW,
    Signer,
    card,
    documents,
    ed25519,
    json_ld,
    presentation,
)
from wallet.credentials.cryptosuites import CRYPTOSUITES
from wallet.credentials.data_integrity.cryptosuite import WholeDocumentSuite
from wallet.credentials.data_integrity.issue import (
    add_proof,
    issue_credential,
    present_credentials,
)
from wallet.credentials.data_integrity.proof import ProofMalformed
from wallet.credentials.data_integrity.verify import (
    ProofNotByIssuer,
    ProofPurposeMismatch,
    verify_credential,
)
from wallet.credentials.jsonld import rdfc
from wallet.credentials.jsonld.errors import (
    GraphTooComplex,
    JsonLdMalformed,
    StatementsLost,
    UnsupportedContext,
)
from wallet.credentials.vc_presentation import PresentationPolicy, verify_presentation
from wallet.credentials.vcdm.fields import CredentialMalformed
from wallet.crypto.keys import SignatureInvalid
from wallet.did.document import DidDocument, KeyNotAuthorized, parse_did_document
from wallet.did.syntax import parse_did
from wallet.encoding.json import JsonObject
from wallet.encoding.multibase import MultibaseMalformed
from wallet.errors import SeoulWalletError

MAX_SECONDS = 1.0
HOLDER = "did:example:holder"


def whole(name: str) -> WholeDocumentSuite:
    suite = CRYPTOSUITES[name]
    assert isinstance(suite, WholeDocumentSuite)
    return suite


RDFC = whole("eddsa-rdfc-2022")
JCS = whole("eddsa-jcs-2022")


def verify(document: JsonObject, *signers: Signer) -> None:
    verify_credential(document, documents(*signers), now=NOW, json_ld=json_ld())


def issued(issuer: Signer, suite: WholeDocumentSuite = RDFC, **changes: Any) -> JsonObject:
    document = {**card(issuer.did, HOLDER), **changes}
    return issue_credential(
        document, issuer.key, issuer.options(), suite, json_ld=json_ld()
    ).document


@pytest.mark.parametrize("suite", [RDFC, JCS], ids=lambda suite: suite.name)
@pytest.mark.parametrize(
    "url",
    [
        "https://attacker.example/context/v1",
        "http://127.0.0.1:1/context",
        "file:///etc/hostname",
        "data:application/ld+json,%7B%7D",
        "https://www.w3.org/ns/credentials/v2#",
        "HTTPS://www.w3.org/ns/credentials/v2",
    ],
)
def test_ld_1_an_unknown_context_is_refused_and_opens_no_socket(
    url: str, suite: WholeDocumentSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pytest-socket would raise SocketBlockedError, which is no error of ours."""
    assert not issubclass(SocketBlockedError, SeoulWalletError)
    issuer = ed25519()
    document = issued(issuer, suite)
    document["@context"] = [*document["@context"], url]
    refused(UnsupportedContext, lambda: verify(document, issuer), within_s=MAX_SECONDS)


@pytest.mark.parametrize("suite", [RDFC, JCS], ids=lambda suite: suite.name)
@pytest.mark.parametrize(
    "context",
    [
        {"issuer": "https://attacker.example/#issuer"},
        {"@vocab": "https://attacker.example/#"},
        {"@import": "https://www.w3.org/ns/credentials/v2"},
        {"@protected": False, "credentialSubject": None},
        {"@propagate": False},
    ],
)
def test_ld_2_an_inline_context_is_refused(context: JsonObject, suite: WholeDocumentSuite) -> None:
    issuer = ed25519()
    document = card(issuer.did, HOLDER)
    document["@context"] = [*document["@context"], context]
    with pytest.raises(UnsupportedContext):
        issue_credential(document, issuer.key, issuer.options(), suite, json_ld=json_ld())


def test_ld_3_an_issuer_cannot_sign_what_would_not_be_covered() -> None:
    issuer = ed25519()
    for name, value in (("nickname", "x"), ("evidence", None), ("relatedTo", {"id": "urn:x"})):
        document = {**card(issuer.did, HOLDER), name: value}
        with pytest.raises((StatementsLost, CredentialMalformed)):
            issue_credential(document, issuer.key, issuer.options(), RDFC, json_ld=json_ld())


def test_ld_3_a_list_that_is_turned_into_an_object_is_refused() -> None:
    issuer = ed25519()
    subject = card(issuer.did, HOLDER)["credentialSubject"]
    document = issued(issuer, credentialSubject={**subject, "givenName": ["합성"]})
    for _ in range(2):
        verify(document, issuer)
    for name in ("list", "text", "number", "@list", "@set"):
        changed = {**document, "credentialSubject": {**subject, "givenName": {name: "합성"}}}
        with pytest.raises(SeoulWalletError):
            verify(changed, issuer)


def test_ld_5_an_assertion_key_does_not_authenticate_nor_the_other_way_round() -> None:
    issuer, holder = ed25519(1), ed25519(2)
    credential = issued(issuer)
    unsigned = presentation(HOLDER, credential)
    policy = PresentationPolicy(CHALLENGE, DOMAIN, json_ld=json_ld())
    for purpose in ("assertionMethod", "keyAgreement"):
        signed = add_proof(
            unsigned,
            holder.key,
            holder.options(),
            RDFC,
            purpose,
            bound={"challenge": CHALLENGE, "domain": DOMAIN},
            json_ld=json_ld(),
        ).document
        with pytest.raises(ProofPurposeMismatch):
            verify_presentation(signed, documents(issuer, holder), policy, now=NOW)
    only_login = DidDocument(
        issuer.document.did,
        issuer.document.methods,
        {"authentication": frozenset((issuer.method,))},
    )
    with pytest.raises(KeyNotAuthorized):
        verify_credential(credential, {issuer.did: only_login}, now=NOW, json_ld=json_ld())


def test_ld_5_a_method_of_another_controller_or_of_another_issuer_is_refused() -> None:
    issuer, thief = ed25519(1), ed25519(2)
    did = "did:web:issuer.example"
    document = card(did, HOLDER)
    options = thief.options(verification_method=f"{did}#stolen")
    forged = issue_credential(document, thief.key, options, RDFC, json_ld=json_ld()).document
    listed = {
        "id": did,
        "verificationMethod": [
            {
                "id": f"{did}#stolen",
                "type": "JsonWebKey",
                "controller": thief.did,
                "publicKeyJwk": thief.key.public_key.jwk,
            }
        ],
        "assertionMethod": [f"{did}#stolen"],
    }
    known = {did: parse_did_document(listed, parse_did(did))}
    with pytest.raises(KeyNotAuthorized):
        verify_credential(forged, known, now=NOW, json_ld=json_ld())
    own = issue_credential(
        card(issuer.did, HOLDER), thief.key, thief.options(), RDFC, json_ld=json_ld()
    ).document
    with pytest.raises(ProofNotByIssuer):
        verify(own, issuer, thief)


def test_ld_5_the_issuer_cannot_be_swapped_under_a_proof() -> None:
    issuer, thief = ed25519(1), ed25519(2)
    forged = {**issued(issuer), "issuer": thief.did}
    with pytest.raises(SignatureInvalid):
        verify(forged, issuer, thief)


def test_ld_6_a_thousand_proofs_are_refused_unread() -> None:
    issuer = ed25519()
    document = issued(issuer)
    document["proof"] = [document["proof"]] * 1000
    refused(ProofMalformed, lambda: verify(document, issuer), within_s=MAX_SECONDS)


@pytest.mark.parametrize("suite", [RDFC, JCS], ids=lambda suite: suite.name)
def test_ld_6_a_proof_in_the_subject_is_refused(suite: WholeDocumentSuite) -> None:
    issuer = ed25519()
    document = issued(issuer, suite)
    document["credentialSubject"]["proof"] = document["proof"]
    with pytest.raises(CredentialMalformed):
        verify(document, issuer)


def test_ld_6_a_graph_or_a_blank_node_label_cannot_be_smuggled_in() -> None:
    issuer = ed25519()
    for name, value, error in (
        ("@graph", [{"id": "urn:x", "name": "x"}], JsonLdMalformed),
        ("@included", [{"id": "urn:x", "name": "x"}], JsonLdMalformed),
        ("credentialSubject", {"id": "_:c14n0", "type": "CardHolder"}, CredentialMalformed),
        ("evidence", {"id": "_:b0", "type": "VerifiableCredential"}, StatementsLost),
    ):
        with pytest.raises(error):
            verify({**issued(issuer), name: value}, issuer)


def clique(size: int) -> str:
    nodes = [f"_:n{number}" for number in range(size)]
    return "".join(f"{a} <urn:p> {b} .\n" for a in nodes for b in nodes if a != b)


POISON = {
    "clique of 10": clique(10),
    "clique of 40": clique(40),
    "1,025 equal nodes": "".join(f"<urn:s> <urn:p> _:n{n} .\n" for n in range(1025)),
    "ring of 300": "".join(f"_:n{n} <urn:p> _:n{(n + 1) % 300} .\n" for n in range(300)),
    "long chain of equals": "".join(
        f"_:n{n}x{m} <urn:p> _:n{n + 1}x{m} .\n" for n in range(300) for m in range(2)
    ),
    "two cliques with many predicates": "".join(
        line.replace("<urn:p>", f"<urn:p{number}>") for number in range(8) for line in [clique(6)]
    ),
    "4,097 statements": "".join(f"<urn:s> <urn:p> <urn:o{n}> .\n" for n in range(4097)),
}


@pytest.mark.parametrize("name", POISON)
def test_ld_7_a_poison_graph_is_refused_within_a_second(name: str) -> None:
    refused(GraphTooComplex, lambda: rdfc.canonicalize(POISON[name]), within_s=MAX_SECONDS)


def test_ld_7_a_thousand_equal_nodes_are_done_within_a_second() -> None:
    nquads = "".join(f"<urn:s> <urn:p> _:n{n} .\n" for n in range(1000))
    assert len(rdfc.canonicalize(nquads).statements) == 1000
    takes_at_most(MAX_SECONDS, lambda: rdfc.canonicalize(nquads))


def test_ld_7_a_credential_with_too_many_statements_is_refused_before_it_is_parsed() -> None:
    issuer = ed25519()
    document = issued(issuer)
    document["credentialSubject"]["children"] = [
        {"birthMonth": f"2015-{number}"} for number in range(2500)
    ]
    refused(GraphTooComplex, lambda: verify(document, issuer), within_s=MAX_SECONDS)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda value: value.upper(), MultibaseMalformed),
        (lambda value: "f" + value[1:], MultibaseMalformed),
        (lambda value: value[1:], MultibaseMalformed),
        (lambda value: value + "=", MultibaseMalformed),
        (lambda value: value + "\n", MultibaseMalformed),
        (lambda value: value + "1", ProofMalformed),
        (lambda value: value[:-3], ProofMalformed),
        (lambda value: "z1" + value[1:], ProofMalformed),
        (lambda value: "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2", ProofMalformed),
        (lambda value: "z" * 600, MultibaseMalformed),
    ],
)
def test_ld_9_a_proof_value_has_one_spelling(
    change: Callable[[str], str], error: type[SeoulWalletError]
) -> None:
    issuer = ed25519()
    document = issued(issuer)
    document["proof"]["proofValue"] = change(document["proof"]["proofValue"])
    with pytest.raises(error):
        verify(document, issuer)


def test_a_presentation_is_bound_to_its_challenge_domain_and_content() -> None:
    issuer, holder = ed25519(1), ed25519(2)
    credential = issue_credential(
        card(issuer.did, holder.did), issuer.key, issuer.options(), RDFC, json_ld=json_ld()
    ).document
    signed = present_credentials(
        presentation(holder.did, credential),
        holder.key,
        holder.options(),
        RDFC,
        challenge=CHALLENGE,
        domain=DOMAIN,
        json_ld=json_ld(),
    ).document
    keys = documents(issuer, holder)
    policy = PresentationPolicy(CHALLENGE, DOMAIN, json_ld=json_ld())
    verify_presentation(signed, keys, policy, now=NOW)
    second = issued(issuer, id="urn:uuid:2", credentialSubject={"id": holder.did, "name": "x"})
    for change in (
        {"verifiableCredential": [*signed["verifiableCredential"], second]},
        {"holder": issuer.did},
        {"id": "urn:x"},
        {"proof": {**signed["proof"], "challenge": "other"}},
        {"proof": {**signed["proof"], "domain": "https://other.example"}},
        {"proof": {k: v for k, v in signed["proof"].items() if k != "domain"}},
    ):
        with pytest.raises(SeoulWalletError):
            verify_presentation({**signed, **change}, keys, policy, now=NOW)
