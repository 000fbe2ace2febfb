"""Watches and the outbox of webhooks in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Engine, and_, delete, func, select, update

from verifier.receipts.basis import WatchedEvidence
from verifier.recheck.records import (
    DueWebhook,
    NewWebhook,
    Standing,
    Watch,
    WebhookState,
)
from verifier.storage.receipt_tables import WATCHES, WEBHOOKS
from wallet.adapters.sql.engine import read, write


class SqlRecheckRecords:
    """`recheck.records.RecheckRecords` over the schema `receipts`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def due_watches(self, *, now: int, limit: int) -> Sequence[Watch]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(WATCHES)
                .where(WATCHES.c.check_at <= now)
                .order_by(WATCHES.c.check_at, WATCHES.c.entry_id, WATCHES.c.number)
                .limit(limit)
            ).all()
        return [
            Watch(
                row.entry_id,
                row.number,
                WatchedEvidence(
                    row.programme,
                    row.issuer,
                    row.vct,
                    row.status_uri,
                    row.status_index,
                    row.max_status_age_s,
                    row.expires_at,
                ),
                Standing(row.standing),
            )
            for row in rows
        ]

    def looked_at(self, watch: Watch, *, check_at: int) -> None:
        with write(self._engine) as connection:
            connection.execute(update(WATCHES).where(_is(watch)).values(check_at=check_at))

    def changed(
        self,
        watch: Watch,
        standing: Standing,
        webhooks: Sequence[NewWebhook],
        *,
        now: int,
        check_at: int,
    ) -> bool:
        with write(self._engine) as connection:
            was = WATCHES.c.standing == watch.standing.value
            done = connection.execute(
                update(WATCHES)
                .where(_is(watch), was)
                .values(standing=standing.value, check_at=check_at)
            )
            if not done.rowcount:
                return False
            for item in webhooks:
                connection.execute(
                    WEBHOOKS.insert(),
                    {
                        "event_id": item.event_id,
                        "endpoint": item.endpoint,
                        "body": item.body.decode(),
                        "state": WebhookState.WAITING.value,
                        "attempts": 0,
                        "created_at": now,
                        "due_at": now,
                    },
                )
        return True

    def due_webhooks(self, *, now: int, limit: int, lease_s: int) -> Sequence[DueWebhook]:
        waiting = WEBHOOKS.c.state == WebhookState.WAITING.value
        with write(self._engine) as connection:
            rows = connection.execute(
                select(WEBHOOKS)
                .where(waiting, WEBHOOKS.c.due_at <= now)
                .order_by(WEBHOOKS.c.due_at, WEBHOOKS.c.event_id, WEBHOOKS.c.endpoint)
                .limit(limit)
                .with_for_update(skip_locked=True)
            ).all()
            for row in rows:
                connection.execute(
                    update(WEBHOOKS)
                    .where(_of(row.event_id, row.endpoint))
                    .values(due_at=now + lease_s)
                )
        return [
            DueWebhook(row.event_id, row.endpoint, row.body.encode(), row.attempts) for row in rows
        ]

    def settle(
        self, webhook: DueWebhook, state: WebhookState, *, attempts: int, due_at: int
    ) -> None:
        with write(self._engine) as connection:
            connection.execute(
                update(WEBHOOKS)
                .where(_of(webhook.event_id, webhook.endpoint))
                .values(state=state.value, attempts=attempts, due_at=due_at)
            )

    def forget(self, *, before: int) -> int:
        settled = WEBHOOKS.c.state != WebhookState.WAITING.value
        with write(self._engine) as connection:
            return connection.execute(
                delete(WEBHOOKS).where(settled, WEBHOOKS.c.created_at < before)
            ).rowcount

    def waiting(self) -> int:
        waiting = WEBHOOKS.c.state == WebhookState.WAITING.value
        with read(self._engine) as connection:
            return connection.execute(select(func.count()).where(waiting)).scalar_one()


def _is(watch: Watch) -> ColumnElement[bool]:
    return and_(WATCHES.c.entry_id == watch.entry_id, WATCHES.c.number == watch.number)


def _of(event_id: str, endpoint: str) -> ColumnElement[bool]:
    return and_(WEBHOOKS.c.event_id == event_id, WEBHOOKS.c.endpoint == endpoint)
