"""A follower recomputes the log heads from the logs alone, and notices every change to them."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.abi import abi_to_signature
from eth_utils.crypto import keccak
from web3.contract import Contract

from tests.contracts.calls import accredit, anchor, mandate, publish, revoke, revoke_batch
from tests.contracts.chain import BUS_PASS, FAMILY_CARD, WELFARE, YOUTH, Chain, sha256

CONTRACTS = [
    ("TrustRegistry", 17),
    ("CredentialAnchor", 5),
    ("BallotBoard", 4),
    ("Directory", 5),
    ("EthereumDIDRegistry", 4),
]
LIST = sha256("https://welfare.seoul.example/status/1")


def topic0(item: Any) -> bytes:
    return keccak(text=abi_to_signature(item))


def all_logs(chain: Chain, contract: Contract) -> list[Any]:
    """Every log of the address, from its deployment on: none is outside the chain."""
    return list(
        chain.w3.eth.get_logs({"fromBlock": 0, "toBlock": "latest", "address": contract.address})
    )


def head_from_bytes(logs: list[Any]) -> bytes:
    """The formula as a follower without any ABI computes it."""
    head = bytes(32)
    for log in logs:
        entry = keccak(b"".join(bytes(t) for t in log["topics"]) + bytes(log["data"]))
        head = keccak(head + entry)
    return head


def head_from_arguments(contract: Contract, logs: list[Any]) -> bytes:
    """The formula as NatSpec states it: topic 0, indexed arguments, then the others encoded."""
    head = bytes(32)
    events = {topic0(i): i for i in contract.abi if i["type"] == "event"}
    for log in logs:
        topic = bytes(log["topics"][0])
        item = events[topic]
        args = contract.events[item["name"]]().process_log(log)["args"]
        parts = [
            encode([p["type"] for p in chosen], [args[p["name"]] for p in chosen])
            for chosen in (
                [p for p in item["inputs"] if p["indexed"]],
                [p for p in item["inputs"] if not p["indexed"]],
            )
        ]
        entry = keccak(topic + b"".join(parts))
        head = keccak(encode(["bytes32", "bytes32"], [head, entry]))
    return head


def mixed_operations(chain: Chain) -> None:
    """Most events of all contracts, some twice, interleaved."""
    registry = chain.registry.functions
    chain.send(accredit(chain), by=chain.accreditor)
    chain.send(anchor(chain, sha256("1")), by=chain.controller)
    chain.send(publish(chain, 1, LIST), by=chain.controller)
    chain.send(accredit(chain, YOUTH, chain.other_controller), by=chain.rival)
    chain.send(anchor(chain, sha256("1"), issuer_id=YOUTH), by=chain.other_controller)
    chain.send(registry.changeController(WELFARE, chain.outsider), by=chain.controller)
    chain.send(revoke_batch(chain, sha256("1")), by=chain.accreditor)
    chain.send(publish(chain, 2, LIST), by=chain.outsider)
    chain.send(registry.suspendIssuer(WELFARE), by=chain.suspender)
    chain.send(registry.unsuspendIssuer(WELFARE), by=chain.root)
    chain.send(revoke(chain), by=chain.root)
    chain.send(mandate(chain, chain.accreditor, BUS_PASS), by=chain.root)
    chain.send(registry.revokeAccreditor(chain.rival, FAMILY_CARD, 0), by=chain.root)
    # events of OpenZeppelin's are in the chain too
    chain.send(registry.beginDefaultAdminTransfer(chain.outsider), by=chain.root)
    chain.send(accredit(chain, controller=chain.outsider), by=chain.accreditor)
    on_the_other_contracts(chain)


def on_the_other_contracts(chain: Chain) -> None:
    boards, dids, directory = (
        contract.functions for contract in (chain.boards, chain.dids, chain.directory)
    )
    opens = chain.now() + 10
    board = boards.boardIdOf(chain.root, sha256("vote")).call()
    empty = sha256("")
    chain.send(
        boards.openBoard(sha256("vote"), chain.rival, sha256("manifest"), opens, opens + 100, 50),
        by=chain.root,
    )
    chain.send(boards.changeOperator(board, chain.controller), by=chain.root)
    chain.travel_to(opens)
    chain.send(boards.checkpoint(board, 0, 9, empty, sha256("9")), by=chain.controller)
    chain.travel_to(opens + 100)
    chain.send(boards.seal(board, 9, sha256("9"), sha256("tally")), by=chain.controller)
    me = chain.outsider
    for length in (1, 33):
        chain.send(dids.setAttribute(me, b"did/svc/x".ljust(32, b"\0"), b"x" * length, 9), by=me)
    chain.send(dids.addDelegate(me, b"veriKey".ljust(32, b"\0"), chain.root, 9), by=me)
    chain.send(dids.changeOwner(me, chain.root), by=me)
    for contract in (chain.boards, chain.dids):
        code_hash = keccak(chain.w3.eth.get_code(contract.address))
        name = b"Contract".ljust(32, b"\0")
        chain.send(directory.list(name, contract.address, code_hash), by=chain.root)
    chain.send(directory.deprecate(name, 1), by=chain.root)
    chain.send(directory.changeDefaultAdminDelay(9), by=chain.root)


@pytest.mark.parametrize("name", ["CredentialAnchor", "BallotBoard", "EthereumDIDRegistry"])
def test_the_head_is_zero_before_the_first_event(chain: Chain, name: str) -> None:
    args = (chain.registry.address,) if name == "CredentialAnchor" else ()
    assert chain.deploy(name, *args).functions.logHead().call() == bytes(32)


@pytest.mark.parametrize("name", ["TrustRegistry", "Directory"])
def test_the_first_event_is_the_role_of_the_first_root(chain: Chain, name: str) -> None:
    contract = chain.deploy(name, 0, chain.root)
    (log,) = all_logs(chain, contract)
    (granted,) = contract.events.RoleGranted().get_logs(from_block=log["blockNumber"])
    assert granted["args"]["account"] == chain.root
    assert head_from_bytes([log]) == contract.functions.logHead().call()


@pytest.mark.parametrize(("name", "count"), CONTRACTS)
def test_a_follower_recomputes_the_head_from_the_logs_alone(
    chain: Chain, name: str, count: int
) -> None:
    contract = chain.contracts()[name]
    mixed_operations(chain)
    logs = all_logs(chain, contract)
    assert len(logs) == count
    head = contract.functions.logHead().call()
    assert head_from_bytes(logs) == head
    assert head_from_arguments(contract, logs) == head


@pytest.mark.parametrize(("name", "count"), CONTRACTS)
def test_a_log_withheld_reordered_or_altered_gives_another_head(
    chain: Chain, name: str, count: int
) -> None:
    contract = chain.contracts()[name]
    mixed_operations(chain)
    logs = all_logs(chain, contract)
    assert len(logs) == count
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
    for contract in chain.contracts().values():
        slot = chain.w3.eth.get_storage_at(contract.address, 0)
        assert bytes(slot) == contract.functions.logHead().call() != bytes(32)
