"""`accounts.AccountRecords` over the schema `issuer_accounts`."""

from __future__ import annotations

from sqlalchemy import Engine, select

from issuer.accounts import AccountUnknown
from issuer.storage.accounts.tables import ACCOUNTS
from wallet.adapters.sql.engine import insert, read, write


class SqlAccountRecords:
    """The accounts of one department's residents."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def account_of(self, resident_id: str, new_id: str) -> str:
        with write(self._engine) as connection:
            # Of N parallel calls one row stays, and all of them read it.
            connection.execute(
                insert(connection, ACCOUNTS).on_conflict_do_nothing(
                    index_elements=[ACCOUNTS.c.resident_id]
                ),
                {"resident_id": resident_id, "account_id": new_id},
            )
            return str(
                connection.execute(
                    select(ACCOUNTS.c.account_id).where(ACCOUNTS.c.resident_id == resident_id)
                ).scalar_one()
            )

    def resident_of(self, account_id: str) -> str:
        with read(self._engine) as connection:
            found = connection.execute(
                select(ACCOUNTS.c.resident_id).where(ACCOUNTS.c.account_id == account_id)
            ).scalar_one_or_none()
        if found is None:
            raise AccountUnknown("no resident has this account")
        return str(found)
