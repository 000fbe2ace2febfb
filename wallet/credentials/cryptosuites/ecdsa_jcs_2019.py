"""ECDSA over canonical JSON (Data Integrity ECDSA Cryptosuites 1.0 §3.3)."""

from typing import Final

from wallet.credentials.data_integrity.cryptosuite import (
    WholeDocumentSuite,
    contexts_of_the_proof,
    jcs_text,
)
from wallet.crypto.hashing import sha256, sha384
from wallet.encoding.multibase import decode_base58btc, encode_base58btc

ECDSA_JCS_2019: Final = WholeDocumentSuite(
    name="ecdsa-jcs-2019",
    hashes={"ES256": sha256, "ES384": sha384},
    canonicalize=jcs_text,
    bind_contexts=contexts_of_the_proof,
    encode=encode_base58btc,
    decode=decode_base58btc,
    carries_context=True,
)
