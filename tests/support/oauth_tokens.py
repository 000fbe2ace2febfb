"""One good token of each kind that OpenID4VCI adds, with what verifies it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tests.support.credentials import NOW
from wallet.crypto.keys import Es256SigningKey, SigningKey
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import parse_did
from wallet.protocols.oid4vci.client_attestation import (
    TrustedProviders,
    build_attestation_proof,
    build_client_attestation,
    verify_client,
)
from wallet.protocols.oid4vci.dpop import build_dpop_proof, verify_dpop_proof
from wallet.protocols.oid4vci.key_attestation import (
    build_key_attestation,
    verify_key_attestation,
)
from wallet.protocols.oid4vci.metadata import sign_issuer_metadata, verify_signed_metadata

SERVER = "https://issuer.example"
PROVIDER_NAME = "https://wallets.example"


class Token(NamedTuple):
    """A token, its rightful key, its verifier, and the claims that it cannot lack."""

    token: str
    key: SigningKey
    check: Callable[[str], object]
    needed: tuple[str, ...]


def oauth_tokens() -> Mapping[str, Token]:
    """Return new tokens by kind, each good at `NOW`."""
    return {**_attestation(), "DPoP proof": _dpop(), "signed metadata": _metadata()}


def _attestation() -> dict[str, Token]:
    provider, instance = Es256SigningKey.generate(), Es256SigningKey.generate()
    providers = TrustedProviders({PROVIDER_NAME: provider.public_key})
    attestation = build_client_attestation(
        provider,
        instance.public_key,
        issuer=PROVIDER_NAME,
        client_id="wallet",
        expires_at=NOW + 3600,
    )
    proof = build_attestation_proof(instance, client_id="wallet", audience=SERVER, issued_at=NOW)

    def check(one: str, other: str) -> object:
        return verify_client(one, other, audience=SERVER, providers=providers, now=NOW)

    keys = build_key_attestation(
        provider,
        [instance.public_key],
        issuer=PROVIDER_NAME,
        nonce="n",
        issued_at=NOW,
        expires_at=NOW + 3600,
    )

    def attested(token: str) -> object:
        return verify_key_attestation(token, providers=providers, now=NOW)

    return {
        "key attestation": Token(keys, provider, attested, ("iss", "iat", "exp", "attested_keys")),
        "client attestation": Token(
            attestation, provider, lambda token: check(token, proof), ("iss", "sub", "exp", "cnf")
        ),
        "attestation proof": Token(
            proof, instance, lambda token: check(attestation, token), ("aud", "jti", "iat")
        ),
    }


def _dpop() -> Token:
    key = Es256SigningKey.generate()
    url = f"{SERVER}/credential"

    def check(token: str) -> object:
        return verify_dpop_proof(token, method="POST", url=url, now=NOW, access_token="at")

    proof = build_dpop_proof(key, method="POST", url=url, issued_at=NOW, access_token="at")
    return Token(proof, key, check, ("jti", "htm", "htu", "iat", "ath"))


def _metadata() -> Token:
    key = Es256SigningKey.generate()
    document = resolve_self_contained(parse_did(did_jwk_from_public_key(key.public_key)))
    method = f"{document.did}#0"

    def check(token: str) -> object:
        return verify_signed_metadata(token, document, credential_issuer=SERVER, now=NOW)

    signed = sign_issuer_metadata(
        {"credential_issuer": SERVER}, key, verification_method=method, issued_at=NOW
    )
    return Token(signed, key, check, ("sub", "iat"))
