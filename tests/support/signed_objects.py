"""One good object of every kind that is signed here, with its key, its check and what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support import w3c
from tests.support.attacks import bound, card, digest, disclosure, forge, verify
from tests.support.credentials import ISSUER, NOW, STATUS_URI, World
from tests.support.further_tokens import FURTHER_KINDS, further_tokens
from tests.support.issuing import issuer_world, key_of
from tests.support.jwt_vcs import jwt_vc_tokens
from tests.support.receipt_tokens import receipt_tokens
from tests.unit.protocols.test_oid4vp import CLIENT, KEY, KID, REQUEST, document
from wallet.credentials.jose import parse_compact_jws, verify_jws
from wallet.credentials.vc_jose import (
    issue_credential_jwt,
    present_credentials_jwt,
    verify_credential_jwt,
    verify_vp_jwt,
)
from wallet.crypto.keys import Es256SigningKey, SigningKey
from wallet.encoding import base64url
from wallet.protocols.oid4vci.proof import build_key_proof, verify_key_proof
from wallet.protocols.oid4vp_request_object import (
    parse_request_object,
    sign_request_object,
    verify_request_object,
)
from wallet.trust.facts import Assurance, BlockRef
from wallet.trust.replica_bundle import (
    ReplicaSnapshot,
    issue_replica_bundle,
    verify_replica_bundle,
)
from wallet.verification.status import verify_status_list_token

WORLD = World()
W3C_ISSUER, W3C_HOLDER = w3c.p256(11), w3c.p256(12)
OPERATOR = Es256SigningKey.generate()
BUNDLE = issue_replica_bundle(
    ReplicaSnapshot("deployment", BlockRef(1, bytes(32), NOW), NOW, {}, Assurance(1, False), {}),
    OPERATOR,
    NOW,
)
NAME = disclosure("salt", "name", "김합성")
HOLDER_CLAIMS = ("iat", "aud", "nonce", "sd_hash")


@dataclass(frozen=True)
class Signed:
    """A signed object: its text, its rightful key, its verifier, and the fields it cannot lack."""

    token: str
    key: SigningKey
    check: Callable[[str], object]
    needed: tuple[str, ...]


def credential(token: str) -> object:
    return verify(WORLD, bound(WORLD, token, [NAME])).claims


def key_binding(token: str) -> object:
    return verify(WORLD, PRESENTED + token).claims


def status_list(token: str | bytes) -> object:
    raw = token.encode() if isinstance(token, str) else token
    return verify_status_list_token(
        raw, uri=STATUS_URI, issuer=ISSUER, issuer_keys=WORLD.issuer_key.public_key
    )


def key_proof(token: str) -> object:
    return verify_key_proof(token, audience="https://issuer.example", now=NOW)


def request_object(token: str) -> object:
    return verify_request_object(parse_request_object(token), CLIENT, document(), now=NOW)


def w3c_credential(token: str) -> object:
    return verify_credential_jwt(token, w3c.documents(W3C_ISSUER, W3C_HOLDER), now=NOW)


def w3c_presentation(token: str) -> object:
    documents = w3c.documents(W3C_ISSUER, W3C_HOLDER)
    return verify_vp_jwt(token, documents, audience=w3c.DOMAIN, nonce=w3c.CHALLENGE, now=NOW)


def bundle(token: str) -> object:
    _, line_end, facts = BUNDLE.partition(b"\n")
    return verify_replica_bundle(token.encode() + line_end + facts, OPERATOR.public_key)


def manifest(token: str) -> object:
    jws = parse_compact_jws(token, typ="anchor-manifest+jwt")
    verify_jws(jws, key_of("issuer").public_key)
    return jws.peek_claims()


CREDENTIAL = forge(
    WORLD.issuer_key,
    {"alg": "ES256", "typ": "dc+sd-jwt", "kid": f"{ISSUER}#key-1"},
    card(WORLD, _sd=[digest(NAME)]),
)
PRESENTED = f"{CREDENTIAL}~{NAME}~"
BINDING = bound(WORLD, CREDENTIAL, [NAME]).rpartition("~")[2]


def signed_objects(folder: Path) -> dict[str, Signed]:
    """Return one good object of every kind; an issuer works in `folder` for one of them."""
    return {
        "credential": Signed(CREDENTIAL, WORLD.issuer_key, credential, ("iss", "vct", "cnf")),
        "key binding": Signed(BINDING, WORLD.holder_key, key_binding, HOLDER_CLAIMS),
        "status list": Signed(
            WORLD.status_token().decode(),
            WORLD.issuer_key,
            status_list,
            ("sub", "iat", "status_list"),
        ),
        "key proof": Signed(
            build_key_proof(
                WORLD.holder_key, audience="https://issuer.example", nonce="n", issued_at=NOW
            ),
            WORLD.holder_key,
            key_proof,
            ("aud", "iat", "nonce"),
        ),
        "request object": Signed(
            sign_request_object(REQUEST, KEY, kid=KID),
            KEY,
            request_object,
            ("aud", "client_id", "response_uri", "nonce", "dcql_query", "response_type"),
        ),
        "W3C credential": Signed(
            issue_credential_jwt(
                w3c.card(W3C_ISSUER.did, W3C_HOLDER.did),
                W3C_ISSUER.key,
                verification_method=W3C_ISSUER.method,
            ).compact,
            W3C_ISSUER.key,
            w3c_credential,
            ("@context", "type", "issuer", "credentialSubject"),
        ),
        "W3C presentation": Signed(
            present_credentials_jwt(
                w3c.presentation(W3C_HOLDER.did, w3c.card(W3C_ISSUER.did, W3C_HOLDER.did)),
                W3C_HOLDER.key,
                verification_method=W3C_HOLDER.method,
                audience=w3c.DOMAIN,
                nonce=w3c.CHALLENGE,
                issued_at=NOW,
            ),
            W3C_HOLDER.key,
            w3c_presentation,
            ("@context", "type", "aud", "nonce", "iat"),
        ),
        "replica bundle": Signed(
            BUNDLE.partition(b"\n")[0].decode(), OPERATOR, bundle, ("iat", "sub", "sha256")
        ),
        "batch manifest": Signed(a_manifest(folder), key_of("issuer"), manifest, ()),
        **{kind: Signed(*token) for kind, token in further_tokens().items()},
        **{kind: Signed(*token) for kind, token in jwt_vc_tokens(WORLD).items()},
        **{kind: Signed(*token) for kind, token in receipt_tokens().items()},
    }


def a_manifest(folder: Path) -> str:
    """Let an issuer sign a batch and return the manifest that it serves."""
    world = issuer_world(folder)
    try:
        world.issue()
        world.clock.set(world.clock.now() + 3600)
        world.application.work_once()
        (batch,) = world.batches.unfinished()
        answer = world.client.get(f"/batches/{base64url.encode(batch.root)}")
        return str(answer.data.decode())
    finally:
        world.close()


KINDS = (
    "credential",
    "key binding",
    "status list",
    "key proof",
    "request object",
    "W3C credential",
    "W3C presentation",
    "replica bundle",
    "batch manifest",
    *FURTHER_KINDS,
    "JWT credential",
    "JWT presentation",
    "decision receipt",
    "holder's statement",
    "agency's entry",
    "agency's log head",
)
# Data model 1.1 §6.3.1 lets JWTs without a type stand for credentials.
TYPE_IS_OPTIONAL = ("JWT credential", "JWT presentation")
# Older names of types above, and types that others sign for us to read.
OTHER_TYPES = {"vc+sd-jwt": "SD-JWT VC before it was called dc+sd-jwt"}
