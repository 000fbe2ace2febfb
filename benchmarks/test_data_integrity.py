"""Claim: verifying a Data Integrity credential costs a fraction of what it costs elsewhere.

The credential is the same everywhere: eddsa-rdfc-2022 on a family card, two contexts, three blank
nodes. A row below 1 is faster than its floor; 1 / ratio is how many times.
"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchmarks.conftest import Paired
from benchmarks.node_peer import Turns, in_turns, node_peer, own_work
from tests.support.digitalbazaar import known_documents
from tests.support.w3c import (
    NOW,
    PyldCanonicalizer,
    card,
    contexts,
    documents,
    ed25519,
    json_ld,
)
from wallet.credentials.cryptosuites.eddsa_jcs_2022 import EDDSA_JCS_2022
from wallet.credentials.cryptosuites.eddsa_rdfc_2022 import EDDSA_RDFC_2022
from wallet.credentials.data_integrity.cryptosuite import WholeDocumentSuite
from wallet.credentials.data_integrity.issue import issue_credential
from wallet.credentials.data_integrity.verify import verify_credential
from wallet.credentials.jsonld.processor import Canonicalizer, JsonLd
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.encoding.multibase import decode_base58btc

ISSUER = ed25519()
KEYS = documents(ISSUER)
PYLD = PyldCanonicalizer(contexts())


def issued(suite: WholeDocumentSuite = EDDSA_RDFC_2022) -> JsonObject:
    return issue_credential(
        card(ISSUER.did, "did:example:holder"),
        ISSUER.key,
        ISSUER.options(),
        suite,
        json_ld=json_ld(),
    ).document


DATA = to_json(issued())
JCS_DATA = to_json(issued(EDDSA_JCS_2022))


def verify(data: bytes, canonicalizer: Canonicalizer) -> None:
    """Everything from the bytes on: parse, two canonicalizations, hashes, key, signature."""
    verify_credential(parse_json_object(data), KEYS, now=NOW, json_ld=canonicalizer)


def raw_verification(data: bytes) -> None:
    signature = decode_base58btc(parse_json_object(data)["proof"]["proofValue"])
    key = ISSUER.key.public_key
    public = Ed25519PublicKey.from_public_bytes(key.raw)  # type: ignore[attr-defined]
    try:
        public.verify(signature, bytes(64))
    except Exception:
        return


def test_against_the_same_code_on_pyld(pytestconfig: pytest.Config) -> None:
    in_turns(
        pytestconfig,
        "eddsa-rdfc-2022 verify / the same on PyLD",
        lambda: verify(DATA, json_ld()),
        lambda rounds: own_work(lambda: verify(DATA, PYLD), rounds),
        Turns(turns=15, ours=40, theirs=10, warmup=10),
        at_least=8,
    )


def test_against_the_same_code_on_pyld_with_a_new_shape(paired: Paired) -> None:
    cold = iter(lambda: JsonLd(contexts()), None)
    paired(
        row="... shape never seen: full and pruned, compared",
        fresh=lambda: DATA,
        floor=lambda data: verify(data, PYLD),
        subject=lambda data: verify(data, next(cold)),
        rounds=200,
    )


def test_against_one_raw_signature(paired: Paired) -> None:
    paired(
        row="eddsa-rdfc-2022 verify / one Ed25519 verification",
        fresh=lambda: DATA,
        floor=raw_verification,
        subject=lambda data: verify(data, json_ld()),
        rounds=500,
    )


def test_json_canonicalization_against_rdf(paired: Paired) -> None:
    paired(
        row="eddsa-jcs-2022 verify / eddsa-rdfc-2022 verify",
        fresh=lambda: None,
        floor=lambda _: verify(DATA, json_ld()),
        subject=lambda _: verify(JCS_DATA, json_ld()),
        rounds=500,
    )


@pytest.mark.node
def test_against_digitalbazaar_in_node(pytestconfig: pytest.Config) -> None:
    request = {
        "work": "credential",
        "document": parse_json_object(DATA),
        "documents": known_documents(ISSUER),
        "now": NOW,
    }
    with node_peer("@digitalbazaar/vc", request) as peer:
        in_turns(
            pytestconfig,
            "eddsa-rdfc-2022 verify / @digitalbazaar/vc in Node.js",
            lambda: verify(DATA, json_ld()),
            peer,
            Turns(turns=15, ours=200, theirs=100, warmup=500),
            at_least=4,
        )
