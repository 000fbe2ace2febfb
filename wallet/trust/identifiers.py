"""The 32-byte identifiers under which issuers, schemas and status lists stand on the chain."""

from wallet.crypto.hashing import sha256


def issuer_id(did: str) -> bytes:
    """Return SHA-256 of the issuer's DID in UTF-8."""
    return sha256(did.encode())


def schema_id(vct: str) -> bytes:
    """Return SHA-256 of the credential type (`vct`) in UTF-8."""
    return sha256(vct.encode())


def status_list_id(uri: str) -> bytes:
    """Return SHA-256 of the status list's URI in UTF-8."""
    return sha256(uri.encode())
