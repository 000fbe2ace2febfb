"""Ed25519 over canonical RDF (Data Integrity EdDSA Cryptosuites 1.0 §3.2)."""

from typing import Final

from wallet.credentials.data_integrity.cryptosuite import (
    WholeDocumentSuite,
    contexts_of_the_document,
    rdfc,
)
from wallet.crypto.hashing import sha256
from wallet.encoding.multibase import decode_base58btc, encode_base58btc

EDDSA_RDFC_2022: Final = WholeDocumentSuite(
    name="eddsa-rdfc-2022",
    hashes={"EdDSA": sha256},
    canonicalize=rdfc,
    bind_contexts=contexts_of_the_document,
    encode=encode_base58btc,
    decode=decode_base58btc,
    carries_context=False,
)
