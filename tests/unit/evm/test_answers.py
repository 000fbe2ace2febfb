"""Whatever bytes a node answers, only typed errors come of them, and never a wrong header."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seoul_wallet.anvil import AnvilMissing, AnvilNode
from tests.support.lying_node import forged
from wallet.adapters.evm.blocks import parse_header, parse_logs
from wallet.adapters.evm.endpoints import RpcEndpoint
from wallet.adapters.evm.node import connect
from wallet.adapters.evm.quorum import MAX_ENDPOINTS, QuorumTooSmall, open_quorum
from wallet.adapters.evm.rpc import JsonRpc, NodeAnswerInvalid, NodeUrlMalformed, is_loopback
from wallet.errors import UnavailableError
from wallet.ports.facts import ChainUnavailable

ADDRESS = "0x" + "ab" * 20
BLOCK: dict[str, Any] = forged(
    {
        "parentHash": "0x" + "01" * 32,
        "sha3Uncles": "0x" + "02" * 32,
        "miner": "0x" + "03" * 20,
        "stateRoot": "0x" + "04" * 32,
        "transactionsRoot": "0x" + "05" * 32,
        "receiptsRoot": "0x" + "06" * 32,
        "logsBloom": "0x" + "ff" * 256,
        "difficulty": "0x0",
        "number": "0x10",
        "gasLimit": "0x1c9c380",
        "gasUsed": "0x5208",
        "timestamp": "0x65000000",
        "extraData": "0x",
        "mixHash": "0x" + "07" * 32,
        "nonce": "0x0000000000000000",
        "baseFeePerGas": "0x7",
        "withdrawalsRoot": "0x" + "08" * 32,
    }
)
LOG = {
    "address": ADDRESS,
    "topics": ["0x" + "11" * 32],
    "data": "0x" + "22" * 32,
    "blockNumber": "0x10",
    "blockHash": BLOCK["hash"],
    "logIndex": "0x0",
    "removed": False,
}
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(max_size=12)
    | st.from_regex(r"0x[0-9a-f]{0,70}", fullmatch=True),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*BLOCK, *LOG]) | st.text(max_size=5), inner, max_size=8)
    ),
    max_leaves=20,
)
QUESTIONS: list[Callable[[RpcEndpoint], object]] = [
    lambda node: node.chain_id(),
    lambda node: node.header("finalized"),
    lambda node: node.header(16),
    lambda node: node.header(bytes(32)),
    lambda node: node.log_blocks(1, 20, [ADDRESS]),
    lambda node: node.logs(parse_header(BLOCK), [ADDRESS]),
    lambda node: node.code_hash(ADDRESS),
    lambda node: node.slot(parse_header(BLOCK), ADDRESS, bytes(32)),
]


def endpoint(answer: Callable[[bytes], bytes]) -> RpcEndpoint:
    return RpcEndpoint("a node", JsonRpc(answer), lambda: None)


def with_result(result: object) -> Callable[[bytes], bytes]:
    def answer(body: bytes) -> bytes:
        return json.dumps(
            {"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": result}
        ).encode()

    return answer


@given(st.binary(max_size=300))
@pytest.mark.parametrize("question", QUESTIONS)
def test_any_bytes_as_an_answer_are_a_typed_error(
    question: Callable[[RpcEndpoint], object], body: bytes
) -> None:
    with pytest.raises(ChainUnavailable) as caught:
        question(endpoint(lambda _request: body))
    assert isinstance(caught.value, UnavailableError)


@given(JSON_VALUES)
@pytest.mark.parametrize("question", QUESTIONS)
def test_any_json_as_a_result_is_an_answer_or_a_typed_error(
    question: Callable[[RpcEndpoint], object], result: object
) -> None:
    try:
        question(endpoint(with_result(result)))
    except ChainUnavailable:
        return


@given(st.sampled_from(sorted(BLOCK)), JSON_VALUES)
def test_a_header_with_any_field_changed_is_refused(name: str, value: object) -> None:
    honest = parse_header(BLOCK)
    try:
        found = parse_header({**BLOCK, name: value})
    except NodeAnswerInvalid:
        return
    # The same value in other words, as 0x00 for 0x0.
    assert found == honest


def test_an_honest_header_and_its_log_are_read() -> None:
    header = endpoint(with_result(BLOCK)).header(16)
    assert (header.number, header.time, header.hash.hex()) == (16, 0x65000000, BLOCK["hash"][2:])
    (log,) = parse_logs([LOG], header, [ADDRESS])
    assert (log.address, log.data) == (ADDRESS, b"\x22" * 32)


@pytest.mark.parametrize(
    "change",
    [
        {"removed": True},
        {"removed": "false"},
        {"address": "0x" + "cd" * 20},
        {"blockNumber": "0x11"},
        {"blockHash": "0x" + "00" * 32},
        {"topics": []},
        {"topics": ["0x11"]},
        {"data": "0x" + "00" * 20_000},
        {"data": "0xa b"},
        {"logIndex": "-0x1"},
        {"logIndex": None},
    ],
)
def test_a_log_that_is_not_one_of_the_block_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(NodeAnswerInvalid):
        parse_logs([{**LOG, **change}], parse_header(BLOCK), [ADDRESS])


def test_logs_out_of_order_or_ruled_out_by_the_bloom_filter_are_refused() -> None:
    with pytest.raises(NodeAnswerInvalid, match="out of order"):
        parse_logs([LOG, LOG], parse_header(BLOCK), [ADDRESS])
    empty = parse_header(forged(BLOCK, logsBloom="0x" + "00" * 256))
    with pytest.raises(NodeAnswerInvalid, match="not in its block"):
        parse_logs([{**LOG, "blockHash": "0x" + empty.hash.hex()}], empty, [ADDRESS])


@pytest.mark.parametrize(
    ("urls", "required", "development"),
    [
        (["http://127.0.0.1:1"], 2, True),
        (["http://127.0.0.1:1"], 1, False),
        (["https://node.seoul.example"], 1, True),
        (["http://127.0.0.1:1", "https://node.seoul.example"], 1, True),
        (["http://127.0.0.1:1", "http://127.0.0.1:1"], 2, False),
        ([], 2, False),
        ([], 0, True),
        ([f"http://127.0.0.1:{n}" for n in range(1, MAX_ENDPOINTS + 2)], 2, False),
    ],
)
def test_a_quorum_needs_two_different_nodes_but_on_a_development_machine(
    urls: list[str], required: int, development: bool
) -> None:
    with pytest.raises(QuorumTooSmall):
        open_quorum(urls, required=required, development=development)


def test_quorums_that_are_accepted() -> None:
    assert open_quorum(["https://a.example", "https://b.example"]).required == 2
    assert open_quorum(["http://localhost:1"], required=1, development=True).required == 1
    assert is_loopback("http://[::1]:8545")
    assert not is_loopback("http://127.0.0.1.example")


@pytest.mark.parametrize(
    "url",
    [
        *("", "node", "ftp://node", "http://", "https://a:port", "https://a#b"),
        *("http://a.example", "http://10.0.0.1:8545", "http://127.0.0.1.example"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(NodeUrlMalformed):
        open_quorum([url, "http://127.0.0.1:1"])
    with pytest.raises(NodeUrlMalformed):
        connect(url)


@pytest.fixture(params=["berlin", "london", "paris", "shanghai", "cancun", "prague", "osaka"])
def block_of_a_fork(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    try:
        node = AnvilNode(hardfork=request.param)
    except AnvilMissing:
        pytest.skip("needs node: anvil from npm")
    node.request("anvil_mine", ["0x2"])
    block: Any = node.request("eth_getBlockByNumber", ["0x1", False])
    yield block
    node.stop()


@pytest.mark.anvil
@pytest.mark.loopback
def test_the_hash_of_a_header_is_computed_on_every_fork(block_of_a_fork: dict[str, Any]) -> None:
    assert parse_header(block_of_a_fork).hash.hex() == block_of_a_fork["hash"][2:]
    with pytest.raises(NodeAnswerInvalid):
        parse_header({**block_of_a_fork, "timestamp": "0x1"})
