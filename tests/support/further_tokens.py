"""Good tokens of further kinds, each with its key, its check and the claims it cannot lack."""

from __future__ import annotations

from tests.support.catalogue_token import catalogue_token
from tests.support.credentials import AUDIENCE, NONCE, NOW, VCT
from tests.support.oauth_tokens import Token, oauth_tokens
from wallet.credentials.delegation import DelegationScope, issue_delegation
from wallet.credentials.jwe import DecryptionKey
from wallet.credentials.sd_jwt import bind_to_key
from wallet.crypto.keys import Es256SigningKey
from wallet.holder.delegation_messages import build_invitation, parse_invitation
from wallet.protocols.oid4vci.recovery import (
    RecoveryAct,
    RecoveryStatement,
    build_recovery_proof,
    verify_recovery_proof,
)
from wallet.verification.acting import ActedFor
from wallet.verification.delegation import verify_delegation

FURTHER_KINDS = (
    "key attestation",
    "client attestation",
    "attestation proof",
    "DPoP proof",
    "signed metadata",
    "programme catalogue",
    "delegation",
    "delegation invitation",
    "recovery proof",
)


def further_tokens() -> dict[str, Token]:
    """Return them by kind, in the order of `FURTHER_KINDS`."""
    return {
        **oauth_tokens(),
        "programme catalogue": catalogue_token(),
        "delegation": _delegation(),
        "delegation invitation": _invitation(),
        "recovery proof": _recovery(),
    }


def _delegation() -> Token:
    holder, carer = Es256SigningKey.generate(), Es256SigningKey.generate()
    issued = issue_delegation(
        DelegationScope((VCT,), (("child_count",),)),
        holder,
        delegate=carer.public_key,
        not_before=NOW - 60,
        expires_at=NOW + 3600,
    )

    def check(token: str) -> ActedFor:
        presented = bind_to_key(f"{token}~", carer, audience=AUDIENCE, nonce=NONCE, issued_at=NOW)
        found = verify_delegation(presented, audience=AUDIENCE, nonce=NONCE, now=NOW)
        found.report.raise_for_failure()
        assert found.delegation is not None
        found.delegation.key_for(holder.public_key, VCT, {"child_count": 2}, [("child_count",)])
        return found.delegation.acted_for()

    needed = ("iss", "vct", "cnf", "delegation_id", "nbf", "exp", "types", "claims")
    return Token(issued.rstrip("~"), holder, check, needed)


def _invitation() -> Token:
    key = Es256SigningKey.generate()
    token = build_invitation(key, DecryptionKey.generate().public, name="김돌봄", now=NOW)
    return Token(token, key, lambda text: parse_invitation(text, now=NOW), ("enc", "exp", "name"))


def _recovery() -> Token:
    key = Es256SigningKey.generate()
    audience, act = "https://issuer.example", RecoveryAct.DEVICES
    statement = RecoveryStatement(act=act, device="A" * 22)
    token = build_recovery_proof(key, statement, audience=audience, nonce="n", issued_at=NOW)

    def check(text: str) -> object:
        return verify_recovery_proof(text, act=act, audience=audience, now=NOW)

    return Token(token, key, check, ("aud", "act", "iat", "nonce", "device"))
