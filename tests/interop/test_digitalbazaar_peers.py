"""Data Integrity with software that nobody here wrote: npm @digitalbazaar/vc and its suites."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.digitalbazaar import Digitalbazaar, known_documents, multikey
from tests.support.w3c import (
    CHALLENGE,
    DOMAIN,
    NOW,
    Controller,
    Signer,
    bls,
    card,
    documents,
    ed25519,
    json_ld,
    p256,
    p384,
    presentation,
)
from wallet.credentials.cryptosuites import CRYPTOSUITES
from wallet.credentials.cryptosuites.bbs_2023 import BBS_2023
from wallet.credentials.cryptosuites.ecdsa_sd_2023 import ECDSA_SD_2023
from wallet.credentials.data_integrity.cryptosuite import WholeDocumentSuite
from wallet.credentials.data_integrity.issue import (
    SecuredDocument,
    derive_credential,
    issue_credential,
    issue_disclosable_credential,
    present_credentials,
)
from wallet.credentials.data_integrity.statement_suite import DisclosureSuite
from wallet.credentials.data_integrity.verify import ChallengeMismatch, verify_credential
from wallet.credentials.vc_presentation import PresentationPolicy, verify_presentation
from wallet.crypto.bbs.types import BbsProofInvalid
from wallet.crypto.keys import SignatureInvalid
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError

pytestmark = pytest.mark.node
KINDS: dict[str, tuple[str, Callable[[int], Signer]]] = {
    "eddsa-rdfc-2022": ("eddsa-rdfc-2022", ed25519),
    "ecdsa-rdfc-2019 P-256": ("ecdsa-rdfc-2019", p256),
    "ecdsa-rdfc-2019 P-384": ("ecdsa-rdfc-2019", p384),
}
any_kind = pytest.mark.parametrize("kind", KINDS)
MANDATORY = ["/issuer", "/validFrom", "/validUntil"]
HOLDER = "did:example:holder"
POINTERS = ["/credentialSubject/childCount", "/credentialSubject/children/1"]
# The peer checks the date of a credential when it issues, so the dates are around NOW.


@pytest.fixture(scope="module")
def peer() -> Iterator[Digitalbazaar]:
    running = Digitalbazaar()
    yield running
    running.close()


def whole(name: str) -> WholeDocumentSuite:
    suite = CRYPTOSUITES[name]
    assert isinstance(suite, WholeDocumentSuite)
    return suite


def tampered(document: JsonObject) -> JsonObject:
    changed = copy.deepcopy(document)
    changed["credentialSubject"]["childCount"] = 3
    return changed


@any_kind
def test_we_accept_a_credential_of_theirs_and_refuse_it_when_changed(
    peer: Digitalbazaar, kind: str
) -> None:
    suite, make = KINDS[kind]
    issuer = make(1)
    made = peer(
        "issue",
        suite,
        card(issuer.did, HOLDER),
        key=multikey(issuer, secret=True),
        documents=known_documents(issuer),
    )["document"]
    verify_credential(made, documents(issuer), now=NOW, json_ld=json_ld())
    with pytest.raises(SignatureInvalid):
        verify_credential(tampered(made), documents(issuer), now=NOW, json_ld=json_ld())


@any_kind
def test_they_accept_a_credential_of_ours_and_refuse_it_when_changed(
    peer: Digitalbazaar, kind: str
) -> None:
    suite, make = KINDS[kind]
    issuer = make(1)
    issued = issue_credential(
        card(issuer.did, HOLDER),
        issuer.key,
        issuer.options(),
        whole(suite),
        json_ld=json_ld(),
    ).document
    known = known_documents(issuer)
    answer = peer("verify", suite, issued, documents=known)
    assert answer["accepted"], answer
    assert not peer("verify", suite, tampered(issued), documents=known)["accepted"]


def disclosing(suite: str) -> tuple[Controller, SecuredDocument]:
    """One of each kind that signs so that the holder may choose, and what it issued."""
    options = {"mandatory_pointers": MANDATORY, "json_ld": json_ld()}
    if suite == "bbs-2023":
        anonymous = bls(1)
        return anonymous, issue_disclosable_credential(
            card(anonymous.did, HOLDER), anonymous.key, anonymous.options(), BBS_2023, **options
        )
    issuer = p256(1)
    return issuer, issue_disclosable_credential(
        card(issuer.did, HOLDER), issuer.key, issuer.options(), ECDSA_SD_2023, **options
    )


@pytest.mark.parametrize(
    ("suite", "error"),
    [(ECDSA_SD_2023, SignatureInvalid), (BBS_2023, BbsProofInvalid)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_we_accept_what_they_derive_and_they_what_we_derive(
    peer: Digitalbazaar, suite: DisclosureSuite[Any], error: type[SeoulWalletError]
) -> None:
    issuer, ours = disclosing(suite.name)
    known = known_documents(issuer)
    theirs = peer(
        "issue",
        suite.name,
        card(issuer.did, HOLDER),
        key=multikey(issuer, secret=True),
        documents=known,
        mandatory_pointers=MANDATORY,
    )["document"]
    for base in (theirs, ours.document):
        derived = {
            "by them": peer("derive", suite.name, base, documents=known, pointers=POINTERS)[
                "document"
            ],
            "by us": derive_credential(base, POINTERS, suite, json_ld=json_ld()),
        }
        assert derived["by us"]["credentialSubject"] == {
            "id": HOLDER,
            "type": "CardHolder",
            "childCount": 2,
            "children": [{"birthMonth": "2018-11"}],
        }
        assert derived["by us"]["credentialSubject"] == derived["by them"]["credentialSubject"]
        values = {document["proof"]["proofValue"] for document in derived.values()}
        # ECDSA signatures are passed on as they are; no two BBS proofs are alike.
        assert len(values) == (2 if suite is BBS_2023 else 1)
        for document in derived.values():
            verify_credential(document, documents(issuer), now=NOW, json_ld=json_ld())
            with pytest.raises(error):
                verify_credential(
                    tampered(document), documents(issuer), now=NOW, json_ld=json_ld()
                )
        answer = peer("verify", suite.name, derived["by us"], documents=known)
        assert answer["accepted"], answer
        changed = tampered(derived["by us"])
        assert not peer("verify", suite.name, changed, documents=known)["accepted"]


def test_presentations_cross_over_both_ways(peer: Digitalbazaar) -> None:
    issuer, holder = ed25519(1), ed25519(2)
    suite = whole("eddsa-rdfc-2022")
    known = known_documents(issuer, holder)
    credential = issue_credential(
        card(issuer.did, holder.did), issuer.key, issuer.options(), suite, json_ld=json_ld()
    ).document
    unsigned = presentation(holder.did, credential)
    asked = {"challenge": CHALLENGE, "domain": DOMAIN}
    ours = present_credentials(
        unsigned,
        holder.key,
        holder.options(),
        suite,
        challenge=CHALLENGE,
        domain=DOMAIN,
        json_ld=json_ld(),
    ).document
    answer = peer("verify-presentation", suite.name, ours, documents=known, **asked)
    assert answer["accepted"], answer
    other = {**asked, "challenge": "other"}
    refused = peer("verify-presentation", suite.name, ours, documents=known, **other)
    assert not refused["accepted"]
    theirs = peer(
        "present",
        suite.name,
        unsigned,
        key=multikey(holder, secret=True),
        documents=known,
        **asked,
    )["document"]
    keys = documents(issuer, holder)
    policy = PresentationPolicy(CHALLENGE, DOMAIN, json_ld=json_ld())
    assert str(verify_presentation(theirs, keys, policy, now=NOW).holder) == holder.did
    with pytest.raises(ChallengeMismatch):
        verify_presentation(
            theirs, keys, PresentationPolicy("other", DOMAIN, json_ld=json_ld()), now=NOW
        )
