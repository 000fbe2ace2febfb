"""Tokens of wallets that speak for themselves: an invitation to delegate, a proof of recovery."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.credentials import NOW
from tests.support.oauth_tokens import Token
from wallet.credentials.jwe import DecryptionKey
from wallet.crypto.keys import Es256SigningKey
from wallet.holder.delegation_messages import build_invitation, parse_invitation
from wallet.protocols.oid4vci.recovery import (
    RecoveryAct,
    RecoveryStatement,
    build_recovery_proof,
    verify_recovery_proof,
)

ISSUER = "https://issuer.example"


def moving_tokens() -> Mapping[str, Token]:
    """Return a token of each kind, good at `NOW`."""
    key = Es256SigningKey.generate()
    invitation = build_invitation(key, DecryptionKey.generate().public, name="", now=NOW)
    statement = RecoveryStatement(act=RecoveryAct.LOST, device="d" * 22, lost="e" * 22)
    proof = build_recovery_proof(key, statement, audience=ISSUER, nonce="n", issued_at=NOW)
    return {
        "delegation invitation": Token(
            invitation, key, lambda token: parse_invitation(token, now=NOW), ("enc", "exp", "name")
        ),
        "recovery proof": Token(
            proof,
            key,
            lambda token: verify_recovery_proof(
                token, act=RecoveryAct.LOST, audience=ISSUER, now=NOW
            ),
            ("aud", "iat", "nonce", "act", "device", "lost"),
        ),
    }
