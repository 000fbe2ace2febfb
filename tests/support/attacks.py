"""What attack tests share: hand-made tokens, and a refusal that is exact and cheap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.credentials import (
    AUDIENCE,
    ISSUER,
    NONCE,
    NOW,
    VCT,
    World,
    policy,
)
from wallet.crypto.hashing import hash_named
from wallet.crypto.keys import SigningKey
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, to_json
from wallet.verification.pipeline import VerifiedPresentation, verify_presentation

HEADER: JsonObject = {"alg": "ES256", "typ": "dc+sd-jwt", "kid": f"{ISSUER}#key-1"}


def segment(value: Mapping[str, Any] | bytes) -> str:
    """Return a part of a JWS: bytes as they are, an object as JSON."""
    return base64url.encode(value if isinstance(value, bytes) else to_json(dict(value)))


def forge(
    key: SigningKey, header: Mapping[str, Any] | bytes, payload: Mapping[str, Any] | bytes
) -> str:
    """Return a JWS that is signed well, whatever it says."""
    signed = f"{segment(header)}.{segment(payload)}"
    return f"{signed}.{base64url.encode(key.sign(signed.encode()))}"


def card(world: World, **changes: Any) -> JsonObject:
    """Return the claims of a card without disclosures; None leaves a claim out."""
    claims: JsonObject = {
        "iss": ISSUER,
        "vct": VCT,
        "exp": NOW + 86400,
        "status": world.claims["status"],
        "cnf": {"jwk": world.holder_key.public_key.jwk},
        "_sd_alg": "sha-256",
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def disclosure(*content: Any) -> str:
    """Return a disclosure of any content."""
    return base64url.encode(to_json(list(content)))


def digest(text: str, name: str = "sha-256") -> str:
    """Return the digest of a disclosure."""
    return base64url.encode(hash_named(name)(text.encode()))


def bound(
    world: World,
    credential: str,
    disclosures: Sequence[str] = (),
    *,
    key: SigningKey | None = None,
    header: Mapping[str, Any] | None = None,
    hash_name: str = "sha-256",
    **changes: Any,
) -> str:
    """Return a presentation with key binding; None leaves a claim of the binding out."""
    presented = "~".join([credential, *disclosures, ""])
    claims = {
        "iat": NOW,
        "aud": AUDIENCE,
        "nonce": NONCE,
        "sd_hash": digest(presented, hash_name),
        **changes,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    chosen = header if header is not None else {"alg": "ES256", "typ": "kb+jwt"}
    return presented + forge(key or world.holder_key, chosen, kept)


def verify(world: World, presentation: str | bytes) -> VerifiedPresentation:
    """Verify by the test verifier's full policy, at `NOW`."""
    return verify_presentation(presentation, world.evidence(), policy(), now=NOW)
