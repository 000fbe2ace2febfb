"""did:jwk: a DID that is a public JWK in base64url."""

from wallet.crypto.keys import PublicKey, parse_jwk
from wallet.encoding import base64url, jcs
from wallet.encoding.json import parse_json


def public_key_from_did_jwk(identifier: str) -> PublicKey:
    """Return the key of a did:jwk's identifier.

    Raises `Base64urlMalformed`, `JsonMalformed`, `KeyMalformed` or `UnsupportedKey`.
    """
    return parse_jwk(parse_json(base64url.decode(identifier), max_bytes=4096))


def did_jwk_from_public_key(key: PublicKey) -> str:
    """Return the did:jwk of a public key. Wallets that spell the JWK otherwise keep theirs."""
    return "did:jwk:" + base64url.encode(jcs.canonicalize(key.jwk))
