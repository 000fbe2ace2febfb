"""Sets and chains of proofs: all of them good, in an order that hangs together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.w3c import (
    NOW,
    Signer,
    card,
    documents,
    ed25519,
    json_ld,
    p256,
)
from wallet.credentials.cryptosuites import CRYPTOSUITES
from wallet.credentials.data_integrity.cryptosuite import (
    WholeDocumentSuite,
)
from wallet.credentials.data_integrity.issue import (
    add_proof,
)
from wallet.credentials.data_integrity.proof import (
    ProofChainBroken,
    ProofMalformed,
    UnsupportedCryptosuite,
)
from wallet.credentials.data_integrity.verify import (
    ASSERTION,
    VerifiedCredential,
    verify_credential,
)
from wallet.crypto.keys import SignatureInvalid
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError

HOLDER = "did:example:holder"


def whole(name: str) -> WholeDocumentSuite:
    suite = CRYPTOSUITES[name]
    assert isinstance(suite, WholeDocumentSuite)
    return suite


def verify(document: JsonObject, *signers: Signer, now: int = NOW) -> VerifiedCredential:
    return verify_credential(document, documents(*signers), now=now, json_ld=json_ld())


def chain() -> tuple[JsonObject, list[Signer]]:
    """A credential with a set of two proofs and a third proof on both."""
    issuer, witness, notary = ed25519(1), p256(2), ed25519(3)
    document = card(issuer.did, HOLDER)
    steps = [
        (issuer, "eddsa-rdfc-2022", "urn:proof:1", ()),
        (witness, "ecdsa-rdfc-2019", "urn:proof:2", ()),
        (notary, "eddsa-rdfc-2022", "urn:proof:3", ("urn:proof:1", "urn:proof:2")),
        (notary, "eddsa-jcs-2022", None, ("urn:proof:3",)),
    ]
    for signer, suite, name, previous in steps:
        options = signer.options(id=name, previous=previous)
        document = add_proof(
            document, signer.key, options, whole(suite), ASSERTION, json_ld=json_ld()
        ).document
    return document, [issuer, witness, notary]


def test_a_chain_of_proofs_verifies_and_says_who_made_them() -> None:
    document, signers = chain()
    verified = verify(document, *signers)
    assert [str(proof.controller) for proof in verified.proofs] == [
        signers[0].did, signers[1].did, signers[2].did, signers[2].did,
    ]  # fmt: skip


def _previous(position: int, value: Any) -> Callable[[list[JsonObject]], Any]:
    return lambda proofs: proofs[position].update(previousProof=value)


BROKEN: dict[str, tuple[Callable[[list[JsonObject]], Any], type[SeoulWalletError]]] = {
    "missing": (_previous(2, "urn:proof:9"), ProofChainBroken),
    "itself": (_previous(2, "urn:proof:3"), ProofChainBroken),
    "circle": (_previous(0, "urn:proof:3"), ProofChainBroken),
    "twice": (_previous(2, ["urn:proof:1", "urn:proof:1"]), ProofChainBroken),
    "an id of the document": (
        _previous(2, "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33"),
        ProofChainBroken,
    ),
    "one id for two": (lambda proofs: proofs[1].update(id="urn:proof:1"), ProofChainBroken),
    "the first of two dropped": (lambda proofs: proofs.pop(0), ProofChainBroken),
    "one link less": (_previous(2, "urn:proof:1"), SignatureInvalid),
    "link dropped": (lambda proofs: proofs[3].pop("previousProof"), SignatureInvalid),
    "one bad in the set": (_previous(1, "urn:proof:1"), SignatureInvalid),
    "seventeen": (lambda proofs: proofs.extend(proofs * 4), ProofMalformed),
    "not an object": (lambda proofs: proofs.append("x"), ProofMalformed),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_chain_is_refused(name: str) -> None:
    document, signers = chain()
    change, error = BROKEN[name]
    change(document["proof"])
    with pytest.raises((error, UnsupportedCryptosuite) if name == "not an object" else error):
        verify(document, *signers)


def test_the_last_proof_of_a_chain_can_be_taken_off_but_no_other() -> None:
    document, signers = chain()
    document["proof"].pop()
    verify(document, *signers)
    document["proof"].pop(0)
    with pytest.raises(ProofChainBroken):
        verify(document, *signers)
