"""Entries of status lists that nobody has, so that a list does not tell how many were revoked.

Whenever a status changes, a random number of decoys takes the same step. They are rows of their
own among the issuances, so that no credential is ever given their index.
"""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import Connection, func, select, update

from issuer.storage.tables import ISSUANCES, STATUS_LISTS
from wallet.adapters.sql.engine import insert
from wallet.status.token_status_list import VALID

DECOY: Final = "decoy"
MAX_DECOYS: Final = 3


def draw_count() -> int:
    """Return how many decoys go along with a change: 0 to `MAX_DECOYS`."""
    return secrets.randbelow(MAX_DECOYS + 1)


def move_decoys(
    connection: Connection, list_number: int, *, expected: int, status: int, count: int, now: int
) -> None:
    """Let up to `count` decoys of a list go from status `expected` to `status`.

    From VALID they are new ones, at free indexes, as long as the list is not half full.
    """
    if expected == VALID:
        for _ in range(count):
            _add(connection, list_number, status, now)
        return
    chosen = connection.scalars(
        select(ISSUANCES.c.issuance_id)
        .where(
            ISSUANCES.c.list_number == list_number,
            ISSUANCES.c.credential_type == DECOY,
            ISSUANCES.c.status == expected,
        )
        .order_by(func.random())
        .limit(count)
    ).all()
    connection.execute(
        update(ISSUANCES)
        .where(ISSUANCES.c.issuance_id.in_(chosen))
        .values(status=status, status_changed_at=now)
    )


def _add(connection: Connection, list_number: int, status: int, now: int) -> None:
    known = connection.execute(
        select(STATUS_LISTS).where(STATUS_LISTS.c.list_number == list_number)
    ).one()
    if known.allocated * 2 >= known.size:
        return
    name = secrets.token_urlsafe(16)
    row = {
        "issuance_id": name,
        "grant_id": f"{DECOY}:{name}",
        "ordinal": 0,
        "credential_type": DECOY,
        "subject_id": DECOY,
        "holder_id": DECOY,
        "list_number": list_number,
        "status_index": secrets.randbelow(known.size),
        "status": status,
        "status_changed_at": now,
        "intended_at": now,
    }
    # One that would hit a credential's index is left out.
    done = connection.execute(insert(connection, ISSUANCES).on_conflict_do_nothing(), row)
    connection.execute(
        update(STATUS_LISTS)
        .where(STATUS_LISTS.c.list_number == list_number)
        .values(allocated=STATUS_LISTS.c.allocated + done.rowcount)
    )
