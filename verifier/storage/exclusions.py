"""Claims in exclusion groups in SQL."""

from __future__ import annotations

from sqlalchemy import Engine, and_, delete, select, update

from verifier.exclusions.records import ExclusionClaim, ExclusionClaimIdUsed
from verifier.storage.exclusion_tables import EXCLUSIONS
from wallet.adapters.sql.engine import insert, read_once, write
from wallet.crypto.hashing import sha256


class SqlExclusionRecords:
    """`verifier.exclusions.records.ExclusionRecords` over the schema `exclusions`.

    The unique constraint on the nullifier decides between parallel claims.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, claim: ExclusionClaim, *, now: int) -> bool:
        digest = sha256(claim.context)
        mine = and_(EXCLUSIONS.c.agency == claim.agency, EXCLUSIONS.c.claim_id == claim.claim_id)
        person = and_(
            EXCLUSIONS.c.context_digest == digest, EXCLUSIONS.c.pseudonym == claim.pseudonym
        )
        with write(self._engine) as connection:
            connection.execute(delete(EXCLUSIONS).where(person, EXCLUSIONS.c.free_at <= now))
            connection.execute(
                insert(connection, EXCLUSIONS).on_conflict_do_nothing(),
                {
                    "agency": claim.agency,
                    "claim_id": claim.claim_id,
                    "context_digest": digest,
                    "pseudonym": claim.pseudonym,
                    "free_at": claim.free_at,
                },
            )
            found = connection.execute(select(EXCLUSIONS).where(mine)).one_or_none()
        if found is None:
            return False
        if (found.pseudonym, found.context_digest) != (claim.pseudonym, digest):
            raise ExclusionClaimIdUsed("this claim was taken back, or was another")
        return True

    def release(self, agency: str, claim_id: str, *, remember_until: int) -> None:
        released = {"context_digest": None, "pseudonym": None, "free_at": remember_until}
        with write(self._engine) as connection:
            connection.execute(
                insert(connection, EXCLUSIONS).on_conflict_do_nothing(),
                {"agency": agency, "claim_id": claim_id, **released},
            )
            connection.execute(
                update(EXCLUSIONS)
                .where(EXCLUSIONS.c.agency == agency, EXCLUSIONS.c.claim_id == claim_id)
                .values(**released)
            )

    def purge(self, *, now: int) -> int:
        with write(self._engine) as connection:
            return connection.execute(
                delete(EXCLUSIONS).where(EXCLUSIONS.c.free_at <= now)
            ).rowcount

    def check(self) -> None:
        with read_once(self._engine) as connection:
            connection.execute(select(EXCLUSIONS.c.claim_id).limit(1))
