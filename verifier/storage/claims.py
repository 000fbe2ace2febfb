"""Claims of benefits in SQL."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, delete, or_, select, update

from verifier.claims.records import (
    BenefitClaim,
    BenefitClaimPending,
    BenefitClaimUnknown,
    BenefitDrawn,
    Change,
    GroupClaim,
)
from verifier.storage.claims_tables import CLAIMS
from wallet.adapters.sql.engine import insert, write
from wallet.crypto.hashing import sha256


class _State(StrEnum):
    HELD = "held"
    GRANTED = "granted"
    RELEASING = "releasing"


class SqlBenefitClaims:
    """`verifier.claims.records.BenefitClaims` over the schema `claims`.

    The unique constraint on the nullifier decides between parallel claims.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def hold(self, claim: BenefitClaim, *, now: int) -> None:
        with write(self._engine) as connection:
            nullifier = and_(
                CLAIMS.c.context_digest == sha256(claim.context),
                CLAIMS.c.pseudonym == claim.pseudonym,
            )
            connection.execute(
                delete(CLAIMS).where(
                    nullifier, CLAIMS.c.state == _State.GRANTED, CLAIMS.c.free_at <= now
                )
            )
            # Also nothing if the id is taken: then the nullifier below is another one.
            connection.execute(insert(connection, CLAIMS).on_conflict_do_nothing(), _row(claim))
            found = connection.execute(select(CLAIMS).where(nullifier)).one_or_none()
            if found is not None and found.claim_id != claim.claim_id:
                raise _refusal(found)
            if found is None or found.state == _State.RELEASING:
                raise BenefitClaimPending("this application is being decided on otherwise")

    def granting(self, claim_id: str, *, now: int) -> Change:
        def grant(connection: Connection) -> None:
            changed = connection.execute(
                update(CLAIMS)
                .where(
                    CLAIMS.c.claim_id == claim_id,
                    or_(
                        CLAIMS.c.state == _State.GRANTED,
                        and_(CLAIMS.c.state == _State.HELD, CLAIMS.c.held_until > now),
                    ),
                )
                .values(state=_State.GRANTED)
            )
            if changed.rowcount != 1:
                raise BenefitClaimUnknown("the hold on this benefit has run out; apply again")

        return grant

    def release(self, claim_id: str) -> None:
        of_it = CLAIMS.c.claim_id == claim_id
        with write(self._engine) as connection:
            alone = connection.execute(delete(CLAIMS).where(of_it, CLAIMS.c.group_id.is_(None)))
            if alone.rowcount == 1:
                return
            changed = connection.execute(
                update(CLAIMS).where(of_it).values(state=_State.RELEASING)
            )
            if changed.rowcount != 1:
                raise BenefitClaimUnknown("there is no such claim")

    def unsettled(self, *, now: int, limit: int) -> tuple[GroupClaim, ...]:
        with write(self._engine) as connection:
            connection.execute(
                update(CLAIMS)
                .where(CLAIMS.c.state == _State.HELD, CLAIMS.c.held_until <= now)
                .values(state=_State.RELEASING)
            )
            rows = connection.execute(
                select(CLAIMS.c.claim_id, CLAIMS.c.group_id)
                .where(CLAIMS.c.state == _State.RELEASING)
                .order_by(CLAIMS.c.held_until)
                .limit(limit)
            )
            return tuple(GroupClaim(row.claim_id, row.group_id) for row in rows)

    def forget(self, claim_id: str) -> None:
        with write(self._engine) as connection:
            connection.execute(
                delete(CLAIMS).where(
                    CLAIMS.c.claim_id == claim_id, CLAIMS.c.state == _State.RELEASING
                )
            )

    def purge(self, *, now: int) -> int:
        with write(self._engine) as connection:
            done = connection.execute(
                delete(CLAIMS).where(CLAIMS.c.state == _State.GRANTED, CLAIMS.c.free_at <= now)
            )
            return done.rowcount


def _row(claim: BenefitClaim) -> dict[str, Any]:
    return {
        "claim_id": claim.claim_id,
        "programme": claim.programme,
        "context_digest": sha256(claim.context),
        "pseudonym": claim.pseudonym,
        "group_id": claim.group,
        "state": _State.HELD,
        "held_until": claim.held_until,
        "free_at": claim.free_at,
    }


def _refusal(found: Row[Any]) -> BenefitDrawn | BenefitClaimPending:
    if found.state == _State.GRANTED:
        return BenefitDrawn("this person has drawn the benefit in this period")
    return BenefitClaimPending("another application of this person is being decided on")
