"""The gas table of contracts/README.md is what the operations cost; shown with `pytest -s`."""

import re
from collections.abc import Callable

import pytest
from eth_utils.crypto import keccak
from web3.contract.contract import ContractFunction

from tests.contracts.calls import (
    Vote,
    accredit,
    anchor,
    mandate,
    publish,
    register,
    revoke,
    revoke_batch,
    revoke_service,
)
from tests.contracts.chain import (
    BUS_PASS,
    CONTRACTS_DIR,
    FAMILY_CARD,
    HAND_OVER_DELAY_S,
    RESIDENCE,
    WELFARE,
    YEAR,
    Chain,
    sha256,
)

LIST = sha256("https://welfare.seoul.example/status/1")
# Times and addresses differ in how many zero bytes they have, and those are cheaper.
TOLERANCE_GAS = 200
BUDGET_GAS = {
    "anchor a batch, later": 75_000,
    "publish a status list, later version": 60_000,
    "accredit an issuer, first (binds controller)": 85_000,
    "accredit an issuer, later schema": 85_000,
    "checkpoint a board, later": 46_000,
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
    costs["deploy EthereumDIDRegistry"] = deployment("EthereumDIDRegistry")
    costs["deploy BallotBoard"] = deployment("BallotBoard")
    costs["deploy Directory"] = deployment("Directory", HAND_OVER_DELAY_S, chain.root)
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
    cost("suspend an issuer", registry.suspendIssuer(WELFARE), chain.suspender)
    cost("lift a suspension", registry.unsuspendIssuer(WELFARE), chain.root)
    cost("revoke an issuer", revoke(chain), chain.accreditor)
    expel = registry.revokeAccreditor(chain.accreditor, FAMILY_CARD, 0)
    cost("revoke an accreditor", expel, chain.root)
    cost("register a service of a verifier", register(chain), chain.registrar)
    cost("revoke a service of a verifier", revoke_service(chain), chain.registrar)
    measure_the_rest(chain, cost)
    return costs


def measure_the_rest(chain: Chain, cost: Callable[[str, ContractFunction, str], None]) -> None:
    vote = Vote(chain)
    cost("open a board", vote.open(), vote.organiser)
    chain.travel_to(vote.opens)
    cost("checkpoint a board, first", vote.checkpoint(0, 1_000), vote.operator)
    cost("checkpoint a board, later", vote.checkpoint(1_000, 1_000_000), vote.operator)
    chain.travel_to(vote.closes)
    cost("seal a board", vote.seal(1_000_000), vote.operator)
    me, dids = chain.outsider, chain.dids.functions
    key = b"did/pub/Secp256k1/veriKey/hex".ljust(32, b"\0")
    for which in ("first of the contract", "later"):
        value = b"\x02" + sha256(which)
        cost(f"set a key of a DID, {which}", dids.setAttribute(me, key, value, YEAR), me)
    cost("change the owner of a DID", dids.changeOwner(me, chain.rival), me)
    directory, name = chain.directory.functions, b"BallotBoard".ljust(32, b"\0")
    for which, contract in (("first", chain.boards), ("later", chain.dids)):
        code_hash = keccak(chain.w3.eth.get_code(contract.address))
        listing = directory.list(name, contract.address, code_hash)
        cost(f"list a contract, {which} version", listing, chain.root)


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
