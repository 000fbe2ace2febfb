"""A node that lies on purpose: a real HTTP server in front of a real node.

It passes every request on and lets a lie change the answer. A lie is a function of the request,
the honest answer's result and the node; it returns what is answered instead.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import rlp
import urllib3
from eth_utils.crypto import keccak

JSON = {"Content-Type": "application/json"}
# A header's fields in the order of its RLP, and which of them are numbers.
FIELDS = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot"),
    *("logsBloom", "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData"),
    *("mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas"),
    *("parentBeaconBlockRoot", "requestsHash"),
)
NUMBERS = frozenset(
    (
        *("difficulty", "number", "gasLimit", "gasUsed", "timestamp"),
        *("baseFeePerGas", "blobGasUsed", "excessBlobGas"),
    )
)


class Raw(bytes):
    """Bytes to send as the body, whatever they are."""


class Hang:
    """No answer, or one byte now and then, until the server closes."""

    def __init__(self, *, drips: bool = False) -> None:
        self.drips = drips


class BreakOff:
    """The beginning of the honest answer, and then the end of the connection."""


Lie = Callable[[str, list[Any], Any, "LyingNode"], Any]


def honest(method: str, parameters: list[Any], result: Any, node: LyingNode) -> Any:
    """No lie."""
    return result


class LyingNode:
    """The server; `lie` may be replaced at any time, `told` counts the answers it changed."""

    def __init__(self, upstream: str, lie: Lie = honest) -> None:
        self.lie = lie
        self.told = 0
        self._upstream = upstream
        self._pool = urllib3.PoolManager()
        self.closing = threading.Event()
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body in one packet: the second of two would wait for an acknowledgement.
            wbufsize = -1

            def do_POST(self) -> None:
                node._serve(self)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> LyingNode:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._pool.clear()

    def ask(self, method: str, parameters: list[Any]) -> Any:
        """Return the honest result of a request."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        answer = self._pool.request("POST", self._upstream, json=request).json()
        return answer.get("result")

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        request = json.loads(body)
        answer = self._pool.request("POST", self._upstream, body=body, headers=JSON).json()
        result = copy.deepcopy(answer.get("result"))
        told = self.lie(request["method"], request["params"], result, self)
        if "result" in answer and told != answer["result"]:
            self.told += 1
        if isinstance(told, Hang):
            self._hang(handler, told)
            return
        if isinstance(told, Raw):
            sent = bytes(told)
        elif isinstance(told, BreakOff) or "result" not in answer:
            sent = json.dumps(answer).encode()
        else:
            sent = json.dumps({**answer, "result": told}).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(sent)))
        handler.end_headers()
        if isinstance(told, BreakOff):
            handler.wfile.write(sent[: len(sent) // 2])
            handler.close_connection = True
            return
        try:
            handler.wfile.write(sent)
            handler.wfile.flush()
        except OSError:
            handler.close_connection = True

    def _hang(self, handler: BaseHTTPRequestHandler, how: Hang) -> None:
        handler.close_connection = True
        if not how.drips:
            self.closing.wait(30)
            return
        # A header that grows for ever: every byte starts the time-out of a socket again.
        drip = b"HTTP/1.1 200 OK\r\nX-Slow: "
        while not self.closing.wait(0.05):
            try:
                handler.wfile.write(drip)
                handler.wfile.flush()
            except OSError:
                return
            drip = b"."


def forged(block: dict[str, Any], **changes: str) -> dict[str, Any]:
    """Return another block whose hash is right for its fields."""
    other = {**block, **changes}
    encoded = []
    for name in FIELDS:
        if name not in other:
            continue
        digits = other[name][2:]
        if name in NUMBERS:
            number = int(digits, 16)
            encoded.append(number.to_bytes((number.bit_length() + 7) // 8, "big"))
        else:
            encoded.append(bytes.fromhex(digits))
    return {**other, "hash": "0x" + keccak(rlp.encode(encoded)).hex()}


def on_logs(change: Callable[[list[Any]], list[Any]]) -> Lie:
    """A lie about the logs, in every answer that has some."""

    def lie(method: str, parameters: list[Any], result: Any, node: LyingNode) -> Any:
        return change(result) if method == "eth_getLogs" and result else result

    return lie


def _with_last(**changes: Any) -> Callable[[list[Any]], list[Any]]:
    return lambda logs: [*logs[:-1], {**logs[-1], **changes}]


def _altered(logs: list[Any]) -> list[Any]:
    data = logs[-1]["data"]
    return _with_last(data=data[:-1] + ("0" if data[-1] != "0" else "1"))(logs)


def _added(logs: list[Any]) -> list[Any]:
    return [*logs, {**logs[-1], "logIndex": hex(int(logs[-1]["logIndex"], 16) + 1)}]


withhold_a_log = on_logs(lambda logs: logs[:-1])
withhold_every_log = on_logs(lambda logs: [])
alter_a_log = on_logs(_altered)
add_a_log = on_logs(_added)
name_another_address = on_logs(_with_last(address="0x" + "11" * 20))
mark_a_log_removed = on_logs(_with_last(removed=True))


def _always(answer: Any) -> Lie:
    return lambda method, parameters, result, node: answer


hang = _always(Hang())
drip = _always(Hang(drips=True))
send_a_huge_body = _always(Raw(b"[" + b" " * 9 * 1024 * 1024))
send_malformed_json = _always(Raw(b'{"jsonrpc": "2.0", "id": 1, "result": '))
break_off = _always(BreakOff())


def answer_another_question(
    method: str, parameters: list[Any], result: Any, node: LyingNode
) -> Any:
    """The honest result under another id."""
    return Raw(json.dumps({"jsonrpc": "2.0", "id": -1, "result": result}).encode())


def name_another_chain(method: str, parameters: list[Any], result: Any, node: LyingNode) -> Any:
    """Another chain id."""
    return "0x1" if method == "eth_chainId" else result


def show_an_old_head(method: str, parameters: list[Any], result: Any, node: LyingNode) -> Any:
    """The first block as the finalized one."""
    if parameters[:1] == ["finalized"]:
        return node.ask(method, ["0x1", False])
    return result


def replay_old_state(method: str, parameters: list[Any], result: Any, node: LyingNode) -> Any:
    """A valid proof, of the state some blocks ago."""
    if method == "eth_getProof":
        earlier = hex(int(parameters[2], 16) - 4)
        return node.ask(method, [*parameters[:2], earlier])
    return result


def truncate_proofs(method: str, parameters: list[Any], result: Any, node: LyingNode) -> Any:
    """Proofs without their last node."""
    if method == "eth_getProof":
        result["accountProof"] = result["accountProof"][:-1]
    return result


def equivocate(method: str, parameters: list[Any], result: Any, node: LyingNode) -> Any:
    """Another finalized block than the others show, with a hash that is right for it."""
    if method == "eth_getBlockByNumber" and parameters[0] not in ("latest", "0x1"):
        return forged(result, extraData="0x6c6965")
    return result


def alter_the_state_root(method: str, parameters: list[Any], result: Any, node: LyingNode) -> Any:
    """A header that does not have its hash."""
    if method == "eth_getBlockByNumber":
        result["stateRoot"] = "0x" + "11" * 32
    return result


def move_a_log(method: str, parameters: list[Any], result: Any, node: LyingNode) -> Any:
    """The newest logs as if they were of the block before."""
    if method != "eth_getLogs":
        return result
    wanted = parameters[0]
    if "blockHash" not in wanted:
        return [{**log, "blockNumber": hex(int(log["blockNumber"], 16) - 1)} for log in result]
    block = node.ask("eth_getBlockByHash", [wanted["blockHash"], False])
    number = int(block["number"], 16)
    later = {
        "address": wanted["address"],
        "fromBlock": hex(number + 1),
        "toBlock": hex(number + 1),
    }
    return [
        {**log, "blockNumber": block["number"], "blockHash": block["hash"]}
        for log in node.ask("eth_getLogs", [later])
    ]
