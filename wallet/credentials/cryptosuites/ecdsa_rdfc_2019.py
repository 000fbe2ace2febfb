"""ECDSA over canonical RDF (Data Integrity ECDSA Cryptosuites 1.0 §3.2)."""

from typing import Final

from wallet.credentials.data_integrity.cryptosuite import (
    WholeDocumentSuite,
    contexts_of_the_document,
    rdfc,
)
from wallet.crypto.hashing import sha256, sha384
from wallet.encoding.multibase import decode_base58btc, encode_base58btc

ECDSA_RDFC_2019: Final = WholeDocumentSuite(
    name="ecdsa-rdfc-2019",
    hashes={"ES256": sha256, "ES384": sha384},
    canonicalize=rdfc,
    bind_contexts=contexts_of_the_document,
    encode=encode_base58btc,
    decode=decode_base58btc,
    carries_context=False,
)
