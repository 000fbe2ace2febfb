"""Which published vectors are used is accounted for: a file or folder that appears has to be."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from tests.support.vectors import vector_folder
from wallet.encoding.json import parse_json_object

CONTEXTS = {
    "data-integrity-v1.jsonld": "vc-data-integrity-contexts/contexts/data-integrity/v1",
    "data-integrity-v2.jsonld": "vc-data-integrity-contexts/contexts/data-integrity/v2",
    "multikey-v1.jsonld": "vc-data-integrity-contexts/contexts/multikey/v1",
    "jwk-v1.jsonld": "vc-data-integrity-contexts/contexts/jwk/v1",
    "bitstring-status-list-v1.jsonld": "w3c-bitstring-status-list/contexts/v1.jsonld",
}
NPM = {"credentials-v1.jsonld": "v1.jsonld", "credentials-v2.jsonld": "v2.jsonld"}
PACKAGE = "node_modules/@digitalbazaar/credentials-context/contexts"
WYCHEPROOF_USED = {
    "ecdsa_secp256k1_sha256", "ecdsa_secp256k1_sha256_p1363", "ecdsa_secp256r1_sha256",
    "ecdsa_secp256r1_sha256_p1363", "ecdsa_secp384r1_sha384", "ecdsa_secp384r1_sha384_p1363",
    "ed25519", "ecdh_secp256r1_ecpoint", "json_web_crypto", "json_web_encryption",
    "json_web_key", "json_web_signature",
}  # fmt: skip
WYCHEPROOF_UNUSED = {
    "aes_gcm": "of the library `cryptography`, which runs them",
    "hkdf_sha256": "of the library `cryptography`, which runs them",
    "hmac_sha256": "of the standard library",
    "pbkdf2_hmacsha256": "not used here",
    "aes_kwp": "not used here",
    "x25519": "not used here",
    "ecdh_secp256r1": "keys as SubjectPublicKeyInfo, which is not read here",
    "ecdsa_secp256k1_sha256_bitcoin": "another profile: it refuses high s",
    "bls_hash_to_g2": "BBS hashes to G1; its own fixtures are run",
    "bls_sig_g2_basic_verify": "BLS signatures are not used here",
    "bls_sig_g2_pop_verify": "BLS signatures are not used here",
    "bls_sig_g2_aggregate_verify": "BLS signatures are not used here",
}


def context(name: str) -> bytes:
    return (files("wallet.credentials.jsonld") / "contexts" / name).read_bytes()


@pytest.mark.vectors
@pytest.mark.parametrize("name", CONTEXTS)
def test_a_pinned_context_is_the_published_file(name: str) -> None:
    folder, _, path = CONTEXTS[name].partition("/")
    assert context(name) == (vector_folder(folder) / path).read_bytes()


@pytest.mark.node
@pytest.mark.parametrize("name", NPM)
def test_a_pinned_context_says_what_the_one_on_npm_says(name: str) -> None:
    # The file there is laid out anew; ours is that of the W3C, whose digest the model prints.
    path = Path(__file__).resolve().parents[1] / "interop" / PACKAGE / NPM[name]
    if not path.is_file():
        pytest.skip("needs node: @digitalbazaar/vc from npm")
    assert parse_json_object(context(name)) == parse_json_object(path.read_bytes())


def test_every_pinned_context_is_compared() -> None:
    folder = files("wallet.credentials.jsonld") / "contexts"
    pinned = {entry.name for entry in folder.iterdir() if entry.name.endswith(".jsonld")}
    assert pinned == CONTEXTS.keys() | NPM.keys()


@pytest.mark.vectors
def test_every_file_of_wycheproof_is_used_or_left_out_for_a_reason() -> None:
    found = {
        path.name.removesuffix("_test.json")
        for path in vector_folder("wycheproof").glob("*_test.json")
    }
    assert found == WYCHEPROOF_USED | WYCHEPROOF_UNUSED.keys()
    assert not WYCHEPROOF_USED & WYCHEPROOF_UNUSED.keys()
