"""`contracts.ContractRecords` over the schema `issuer_contracts`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Engine, select

from issuer.contracts import (
    Contract,
    ContractConflict,
    ContractSignature,
    ContractUnknown,
    SignatureEvidence,
)
from issuer.storage.contracts.tables import CONTRACTS, SIGNATURES
from wallet.adapters.sql.engine import insert, read, write
from wallet.credentials.contract import Side, parse_contract_terms
from wallet.encoding.json import parse_json_object, to_json


class SqlContractRecords:
    """The contracts of one department."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, contract: Contract) -> None:
        with write(self._engine) as connection:
            connection.execute(
                insert(connection, CONTRACTS),
                {
                    "contract_id": contract.contract_id,
                    "employer_id": contract.parties[Side.EMPLOYER],
                    "worker_id": contract.parties[Side.WORKER],
                    "terms": to_json(contract.terms.to_json()).decode(),
                    "salt": contract.salt,
                    "audience": contract.audience,
                    "requested_by": contract.requested_by,
                    "requested_at": contract.requested_at,
                    "sign_until": contract.sign_until,
                },
            )

    def contract(self, contract_id: str) -> Contract:
        with read(self._engine) as connection:
            row = connection.execute(
                select(CONTRACTS).where(CONTRACTS.c.contract_id == contract_id)
            ).one_or_none()
        if row is None:
            raise ContractUnknown("there is no such contract")
        return Contract(
            contract_id=row.contract_id,
            parties={Side.EMPLOYER: row.employer_id, Side.WORKER: row.worker_id},
            terms=parse_contract_terms(parse_json_object(row.terms.encode())),
            salt=row.salt,
            audience=row.audience,
            requested_by=row.requested_by,
            requested_at=row.requested_at,
            sign_until=row.sign_until,
        )

    def sign(self, contract_id: str, signature: ContractSignature) -> None:
        with write(self._engine) as connection:
            added = connection.execute(
                insert(connection, SIGNATURES).on_conflict_do_nothing(),
                {
                    "contract_id": contract_id,
                    "side": signature.side.value,
                    "evidence": to_json(asdict(signature.evidence)).decode(),
                    "signed_at": signature.signed_at,
                },
            )
            if added.rowcount != 1:
                raise ContractConflict("this side has signed already")

    def signatures(self, contract_id: str) -> Sequence[ContractSignature]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(SIGNATURES)
                .where(SIGNATURES.c.contract_id == contract_id)
                .order_by(SIGNATURES.c.side)
            ).all()
        return [
            ContractSignature(
                side=Side(row.side), evidence=_evidence(row.evidence), signed_at=row.signed_at
            )
            for row in rows
        ]


def _evidence(text: str) -> SignatureEvidence:
    item = parse_json_object(text.encode())
    return SignatureEvidence(
        presentation=item["presentation"],
        nonce=item["nonce"],
        transaction_data=tuple(item["transaction_data"]),
    )
