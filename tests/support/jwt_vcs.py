"""A card as `jwt_vc_json` and a presentation of it, with how each is verified."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.credentials import AUDIENCE, ISSUER, NONCE, NOW, World
from wallet.credentials.formats import JWT_VC_FORMAT
from wallet.credentials.jose import sign_jws
from wallet.credentials.jsonld.pinned import CREDENTIALS_V1
from wallet.credentials.jwt_vc import parse_jwt_vc, present_jwt_vp
from wallet.crypto.keys import SigningKey
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.encoding.json import JsonObject
from wallet.verification.pipeline import VerifiedProof, verify_proof
from wallet.verification.policy import VerificationPolicy

TYPE = "MultiChildFamilyCard"
Token = tuple[str, SigningKey, Callable[[str], object], tuple[str, ...]]


def holder_did(world: World) -> str:
    """Return the did:jwk of the world's holder."""
    return did_jwk_from_public_key(world.holder_key.public_key)


def credential_claims(world: World) -> JsonObject:
    """Return the claims of the JWT credential."""
    return {
        "iss": ISSUER,
        "sub": holder_did(world),
        "nbf": NOW - 3600,
        "exp": NOW + 3600,
        "vc": {
            "@context": [CREDENTIALS_V1],
            "type": ["VerifiableCredential", TYPE],
            "credentialSubject": {"id": holder_did(world), "child_count": 2},
        },
    }


def credential(world: World, claims: JsonObject | None = None) -> str:
    """Return the credential, signed by the world's issuer."""
    header = {"typ": "JWT", "kid": f"{ISSUER}#key-1"}
    return sign_jws(world.issuer_key, header, claims or credential_claims(world))


def presentation(world: World, token: str) -> str:
    """Return the holder's presentation of a credential."""
    holder = holder_did(world)
    return present_jwt_vp(
        token,
        world.holder_key,
        holder=holder,
        verification_method=f"{holder}#0",
        audience=AUDIENCE,
        nonce=NONCE,
        issued_at=NOW,
    )


def verified(world: World, token: str, *, bound: bool) -> VerifiedProof:
    """Return a credential, or what a presentation shows, up to its dates and binding."""
    policy = VerificationPolicy(
        accepted_types=frozenset(),
        format=JWT_VC_FORMAT,
        type_values=((TYPE,),),
        audience=AUDIENCE if bound else None,
        nonce=NONCE if bound else None,
        trust=None,
    )
    return verify_proof(token, world.evidence(), policy, now=NOW)


def bare(world: World, token: str) -> VerifiedProof:
    """Return a credential that comes without a presentation."""
    parse_jwt_vc(token)
    return verified(world, token, bound=False)


def jwt_vc_tokens(world: World) -> dict[str, Token]:
    """Return both kinds of token, as tables of changes want them."""
    held = credential(world)
    return {
        "JWT credential": (
            held,
            world.issuer_key,
            lambda token: bare(world, token).claims,
            ("iss", "vc", "nbf"),
        ),
        "JWT presentation": (
            presentation(world, held),
            world.holder_key,
            lambda token: verified(world, token, bound=True).claims,
            ("iss", "vp", "aud", "nonce", "iat"),
        ),
    }
