"""The issuer's accounts and contracts, on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from issuer.accounts import AccountRecords, AccountUnknown
from issuer.contracts import (
    Contract,
    ContractConflict,
    ContractRecords,
    ContractSignature,
    ContractUnknown,
    SignatureEvidence,
)
from issuer.storage.accounts.records import SqlAccountRecords
from issuer.storage.accounts.tables import migrate_accounts
from issuer.storage.contracts.records import SqlContractRecords
from issuer.storage.contracts.tables import migrate_contracts
from wallet.credentials.contract import ContractTerms, Side

TERMS = ContractTerms(
    employer="합성 공공일자리",
    worker="박합성",
    job="안내",
    starts_on="2026-11-09",
    ends_on="2027-05-08",
    weekly_hours=28,
    monthly_wage_won=1_450_000,
    further=("점심시간은 한 시간입니다.",),
)
CONTRACT = Contract(
    contract_id="contract-1",
    parties={Side.EMPLOYER: "SYN-P-2", Side.WORKER: "SYN-P-1"},
    terms=TERMS,
    salt=b"\x05" * 32,
    audience="decentralized_identifier:did:web:agency.example",
    requested_by="alice",
    requested_at=1,
    sign_until=2,
)


def signature(side: Side, nonce: str = "nonce") -> ContractSignature:
    evidence = SignatureEvidence(presentation="a.b.c~", nonce=nonce, transaction_data=("e30",))
    return ContractSignature(side=side, evidence=evidence, signed_at=1)


@pytest.fixture
def accounts(empty_engine: Engine) -> AccountRecords:
    migrate_accounts(empty_engine)
    return SqlAccountRecords(empty_engine)


@pytest.fixture
def contracts(empty_engine: Engine) -> ContractRecords:
    migrate_contracts(empty_engine)
    return SqlContractRecords(empty_engine)


class TestAccountRecords:
    def test_an_account_stays_what_it_was_at_first(self, accounts: AccountRecords) -> None:
        assert accounts.account_of("SYN-P-1", "first") == "first"
        assert accounts.account_of("SYN-P-1", "second") == "first"
        assert accounts.account_of("SYN-P-2", "third") == "third"
        assert accounts.resident_of("first") == "SYN-P-1"

    def test_an_account_that_nobody_has_is_unknown(self, accounts: AccountRecords) -> None:
        with pytest.raises(AccountUnknown):
            accounts.resident_of("first")

    def test_all_of_many_at_once_get_the_same(self, accounts: AccountRecords) -> None:
        with ThreadPoolExecutor(8) as pool:
            got = set(pool.map(lambda at: accounts.account_of("SYN-P-1", f"id-{at}"), range(8)))
        assert len(got) == 1


class TestContractRecords:
    def test_a_contract_is_what_was_entered(self, contracts: ContractRecords) -> None:
        contracts.add(CONTRACT)
        assert contracts.contract("contract-1") == CONTRACT
        assert contracts.contract("contract-1").hash == CONTRACT.hash
        assert list(contracts.signatures("contract-1")) == []

    def test_a_contract_that_nobody_entered_is_unknown(self, contracts: ContractRecords) -> None:
        with pytest.raises(ContractUnknown):
            contracts.contract("contract-1")

    def test_each_side_signs_once(self, contracts: ContractRecords) -> None:
        contracts.add(CONTRACT)
        first = signature(Side.WORKER)
        contracts.sign("contract-1", first)
        with pytest.raises(ContractConflict):
            contracts.sign("contract-1", signature(Side.WORKER, "another"))
        contracts.sign("contract-1", signature(Side.EMPLOYER))
        assert list(contracts.signatures("contract-1")) == [signature(Side.EMPLOYER), first]

    def test_of_many_at_once_one_signature_is_kept(self, contracts: ContractRecords) -> None:
        contracts.add(CONTRACT)

        def sign(at: int) -> bool:
            try:
                contracts.sign("contract-1", signature(Side.WORKER, f"nonce-{at}"))
            except ContractConflict:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(sign, range(8))) == 1
