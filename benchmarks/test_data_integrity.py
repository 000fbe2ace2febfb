"""Claim: verifying a Data Integrity credential costs a fraction of what it costs elsewhere.

The credential is the same everywhere: eddsa-rdfc-2022 on a family card, two contexts, three blank
nodes. A row below 1 is faster than its floor; 1 / ratio is how many times.
"""

from __future__ import annotations

import copy
import time
from statistics import median

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchmarks.conftest import Paired
from tests.support.digitalbazaar import digitalbazaar, known_documents
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
NODE_ROUNDS = 400


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


def test_against_the_same_code_on_pyld(paired: Paired) -> None:
    verify(DATA, json_ld())
    paired(
        row="eddsa-rdfc-2022 verify / the same on PyLD: shape seen before",
        fresh=lambda: DATA,
        floor=lambda data: verify(data, PYLD),
        subject=lambda data: verify(data, json_ld()),
        rounds=500,
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
    """Medians of each side in its own process, taken one after the other, thrice in turns."""
    measuring = bool(pytestconfig.getoption("benchmark_enable"))
    rounds, warmup = (NODE_ROUNDS, 100) if measuring else (3, 1)
    known = known_documents(ISSUER)
    document = copy.deepcopy(parse_json_object(DATA))
    ratios = []
    for _ in range(3 if measuring else 1):
        answer = digitalbazaar(
            "measure",
            EDDSA_RDFC_2022.name,
            document,
            documents=known,
            rounds=rounds,
            warmup=warmup,
        )
        times = []
        for _ in range(rounds):
            started = time.perf_counter()
            verify(DATA, json_ld())
            times.append((time.perf_counter() - started) * 1e6)
        theirs, ours = median(answer["times_us"]), median(times)
        ratios.append(theirs / ours)
        assert len(answer["times_us"]) == rounds
        if measuring:
            print(
                f"\n@digitalbazaar/vc {theirs:.0f} us, ours {ours:.0f} us:"
                f" {theirs / ours:.1f} times faster"
            )
    if measuring:
        assert median(ratios) >= 4
