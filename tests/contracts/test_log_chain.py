"""A follower recomputes the log heads from the logs alone, and notices every change to them."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.abi import abi_to_signature
from eth_utils.crypto import keccak
from web3.contract import Contract

from tests.contracts.calls import accredit, anchor, mandate, publish, revoke, revoke_batch
from tests.contracts.chain import BUS_PASS, FAMILY_CARD, WELFARE, YOUTH, Chain, sha256

CHAINED = {
    "TrustRegistry": (
        "AccreditorAccredited",
        "AccreditorRevoked",
        "IssuerAccredited",
        "IssuerRevoked",
        "ControllerChanged",
    ),
    "CredentialAnchor": ("BatchAnchored", "BatchRevoked", "StatusPublished"),
}
CONTRACTS = [("TrustRegistry", "registry"), ("CredentialAnchor", "anchor")]
LIST = sha256("https://welfare.seoul.example/status/1")


def topic0(contract: Contract, event: str) -> bytes:
    (item,) = [i for i in contract.abi if i["type"] == "event" and i["name"] == event]
    return keccak(text=abi_to_signature(item))


def chained_logs(chain: Chain, contract: Contract, name: str) -> list[Any]:
    known = {topic0(contract, event) for event in CHAINED[name]}
    logs = chain.w3.eth.get_logs(
        {"fromBlock": 0, "toBlock": "latest", "address": contract.address}
    )
    return [log for log in logs if bytes(log["topics"][0]) in known]


def head_from_bytes(logs: list[Any]) -> bytes:
    """The formula as a follower without any ABI computes it."""
    head = bytes(32)
    for log in logs:
        entry = keccak(b"".join(bytes(t) for t in log["topics"]) + bytes(log["data"]))
        head = keccak(head + entry)
    return head


def head_from_arguments(contract: Contract, logs: list[Any]) -> bytes:
    """The formula as NatSpec states it: topic 0 and all arguments in declaration order."""
    head = bytes(32)
    events = {topic0(contract, i["name"]): i for i in contract.abi if i["type"] == "event"}
    for log in logs:
        topic = bytes(log["topics"][0])
        item = events[topic]
        args = contract.events[item["name"]]().process_log(log)["args"]
        types = ["bytes32", *(part["type"] for part in item["inputs"])]
        entry = keccak(encode(types, [topic, *(args[p["name"]] for p in item["inputs"])]))
        head = keccak(encode(["bytes32", "bytes32"], [head, entry]))
    return head


def mixed_operations(chain: Chain) -> None:
    """Every event of both contracts, some twice, interleaved."""
    registry = chain.registry.functions
    chain.send(accredit(chain), by=chain.accreditor)
    chain.send(anchor(chain, sha256("1")), by=chain.controller)
    chain.send(publish(chain, 1, LIST), by=chain.controller)
    chain.send(accredit(chain, YOUTH, chain.other_controller), by=chain.rival)
    chain.send(anchor(chain, sha256("1"), issuer_id=YOUTH), by=chain.other_controller)
    chain.send(registry.changeController(WELFARE, chain.outsider), by=chain.controller)
    chain.send(revoke_batch(chain, sha256("1")), by=chain.accreditor)
    chain.send(publish(chain, 2, LIST), by=chain.outsider)
    chain.send(revoke(chain), by=chain.root)
    chain.send(mandate(chain, chain.accreditor, BUS_PASS), by=chain.root)
    chain.send(registry.revokeAccreditor(chain.rival, FAMILY_CARD, 0), by=chain.root)
    # an event of OpenZeppelin's in between: outside the chain
    chain.send(registry.beginDefaultAdminTransfer(chain.outsider), by=chain.root)
    chain.send(accredit(chain, controller=chain.outsider), by=chain.accreditor)


@pytest.mark.parametrize("name", list(CHAINED))
def test_the_head_is_zero_before_the_first_event(chain: Chain, name: str) -> None:
    args = (0, chain.root) if name == "TrustRegistry" else (chain.registry.address,)
    assert chain.deploy(name, *args).functions.logHead().call() == bytes(32)


@pytest.mark.parametrize(("name", "attribute"), CONTRACTS)
def test_a_follower_recomputes_the_head_from_the_logs_alone(
    chain: Chain, name: str, attribute: str
) -> None:
    contract: Contract = getattr(chain, attribute)
    mixed_operations(chain)
    logs = chained_logs(chain, contract, name)
    assert {bytes(log["topics"][0]) for log in logs} == {
        topic0(contract, event) for event in CHAINED[name]
    }
    head = contract.functions.logHead().call()
    assert head_from_bytes(logs) == head
    assert head_from_arguments(contract, logs) == head


@pytest.mark.parametrize(("name", "attribute"), CONTRACTS)
def test_a_log_withheld_reordered_or_altered_gives_another_head(
    chain: Chain, name: str, attribute: str
) -> None:
    contract: Contract = getattr(chain, attribute)
    mixed_operations(chain)
    logs = chained_logs(chain, contract, name)
    head = contract.functions.logHead().call()
    for i, log in enumerate(logs):
        assert head_from_bytes(logs[:i] + logs[i + 1 :]) != head
        topics = [bytes(topic) for topic in log["topics"]]
        altered = {"topics": [*topics[:-1], sha256("x")], "data": log["data"]}
        assert head_from_bytes([*logs[:i], altered, *logs[i + 1 :]]) != head
    for i in range(len(logs) - 1):
        swapped = [*logs[:i], logs[i + 1], logs[i], *logs[i + 2 :]]
        assert head_from_bytes(swapped) != head


def test_the_head_is_read_from_the_slot_the_artifact_names(chain: Chain) -> None:
    mixed_operations(chain)
    for contract in (chain.registry, chain.anchor):
        slot = chain.w3.eth.get_storage_at(contract.address, 0)
        assert bytes(slot) == contract.functions.logHead().call() != bytes(32)
