"""The gas table of contracts/README.md is what the operations cost; shown with `pytest -s`."""

import re

import pytest
from web3.contract.contract import ContractFunction

from tests.contracts.calls import accredit, anchor, mandate, publish, revoke, revoke_batch
from tests.contracts.chain import (
    BUS_PASS,
    CONTRACTS_DIR,
    FAMILY_CARD,
    HAND_OVER_DELAY_S,
    RESIDENCE,
    WELFARE,
    Chain,
    sha256,
)

LIST = sha256("https://welfare.seoul.example/status/1")
# Times and addresses differ in how many zero bytes they have, and those are cheaper.
TOLERANCE_GAS = 200
BUDGET_GAS = {
    "anchor a batch, later": 75_000,
    "publish a status list, later version": 60_000,
    "accredit an issuer, later schema": 85_000,
}


def measure(chain: Chain) -> dict[str, int]:
    costs: dict[str, int] = {}

    def cost(name: str, function: ContractFunction, by: str) -> None:
        costs[name] = int(chain.send(function, by)["gasUsed"])

    def deployment(name: str, *args: object) -> int:
        chain.deploy(name, *args)
        return int(chain.w3.eth.get_block("latest")["gasUsed"])  # one transaction per block

    costs["deploy TrustRegistry"] = deployment("TrustRegistry", HAND_OVER_DELAY_S, chain.root)
    costs["deploy CredentialAnchor"] = deployment("CredentialAnchor", chain.registry.address)
    cost("accredit an accreditor", mandate(chain, chain.accreditor, BUS_PASS), chain.root)
    cost("accredit an issuer, first (binds controller)", accredit(chain), chain.accreditor)
    later = accredit(chain, schema_id=RESIDENCE)
    cost("accredit an issuer, later schema", later, chain.accreditor)
    chain.send(revoke(chain, schema_id=RESIDENCE), by=chain.accreditor)
    cost("accredit an issuer again, same schema", later, chain.rival)
    first = anchor(chain, sha256("1"))
    cost("anchor a batch, first of the contract", first, chain.controller)
    cost("anchor a batch, later", anchor(chain, sha256("2"), size=10_000), chain.controller)
    cost("revoke a batch", revoke_batch(chain, sha256("1")), chain.controller)
    cost("publish a status list, first version", publish(chain, 1, LIST), chain.controller)
    cost("publish a status list, later version", publish(chain, 2, LIST), chain.controller)
    registry = chain.registry.functions
    change = registry.changeController(WELFARE, chain.other_controller)
    cost("change a controller", change, chain.controller)
    cost("revoke an issuer", revoke(chain), chain.accreditor)
    expel = registry.revokeAccreditor(chain.accreditor, FAMILY_CARD, 0)
    cost("revoke an accreditor", expel, chain.root)
    return costs


def table_of_the_readme() -> dict[str, int]:
    text = (CONTRACTS_DIR / "README.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| ([\d,]+) \|$", text, flags=re.MULTILINE)
    return {name: int(gas.replace(",", "")) for name, gas in rows}


@pytest.fixture
def costs(chain: Chain) -> dict[str, int]:
    return measure(chain)


def test_every_operation_costs_what_the_readme_says(costs: dict[str, int]) -> None:
    print("\n" + "\n".join(f"| {name} | {gas:,} |" for name, gas in costs.items()))
    table = table_of_the_readme()
    assert list(table) == list(costs)
    apart = {n: (g, table[n]) for n, g in costs.items() if abs(g - table[n]) > TOLERANCE_GAS}
    assert apart == {}


def test_the_frequent_operations_stay_within_their_budget(costs: dict[str, int]) -> None:
    assert {name: costs[name] for name in BUDGET_GAS if costs[name] > BUDGET_GAS[name]} == {}
