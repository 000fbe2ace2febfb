"""Ed25519 over canonical JSON (Data Integrity EdDSA Cryptosuites 1.0 §3.3)."""

from typing import Final

from wallet.credentials.data_integrity.cryptosuite import (
    WholeDocumentSuite,
    contexts_of_the_proof,
    jcs_text,
)
from wallet.crypto.hashing import sha256
from wallet.encoding.multibase import decode_base58btc, encode_base58btc

EDDSA_JCS_2022: Final = WholeDocumentSuite(
    name="eddsa-jcs-2022",
    hashes={"EdDSA": sha256},
    canonicalize=jcs_text,
    bind_contexts=contexts_of_the_proof,
    encode=encode_base58btc,
    decode=decode_base58btc,
    carries_context=True,
)
