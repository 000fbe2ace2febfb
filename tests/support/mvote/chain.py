"""`BallotBoard` on the in-process chain, and that chain as a node on loopback."""

import json
import threading
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from eth_tester import EthereumTester, PyEVMBackend
from web3 import EthereumTesterProvider, Web3
from web3.contract import Contract

from tests.support.mvote.elections import CLOSES, CONTRACT, GRACE_S, OPENS, ORGANISER, Election
from tests.support.mvote.primitives import canonical, d_hash, tree_root
from tests.support.mvote.records import Files, encoded, plan_of, publish

ARTIFACT = Path(__file__).parents[3] / "contracts" / "artifacts" / "BallotBoard.json"
Answer = Callable[[str, list[Any], Any], Any]


def _plain(value: Any) -> Any:
    """What JSON-RPC writes: hex for numbers and bytes."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return hex(value)
    if isinstance(value, bytes):
        return "0x" + bytes(value).hex()
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return {name: _plain(member) for name, member in dict(value).items()}


class BoardChain:
    """The election's board, opened, checkpointed and sealed on a real chain."""

    def __init__(self, election: Election) -> None:
        self._tester: Any = EthereumTester(PyEVMBackend())
        self.w3 = Web3(EthereumTesterProvider(self._tester))
        # Questions come from outside, with hex where this would look for names.
        self.w3.middleware_onion.remove("ens_name_to_address")
        self._election = election
        account = self.w3.eth.accounts[0]
        if account.lower() != "0x" + ORGANISER:
            raise AssertionError("the manifest names another organiser")
        artifact = json.loads(ARTIFACT.read_text())
        factory = self.w3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
        self._sender = {"from": account}
        deployed = self._mined(factory.constructor())
        if deployed["contractAddress"].lower() != "0x" + CONTRACT:
            raise AssertionError("the manifest names another contract")
        self._board: Contract = self.w3.eth.contract(
            address=deployed["contractAddress"], abi=artifact["abi"]
        )

    def _mined(self, call: Any) -> Any:
        return self.w3.eth.wait_for_transaction_receipt(call.transact(self._sender))

    def _travel(self, time: int) -> None:
        self._tester.time_travel(time)

    def publish(self, config: bytes | None = None) -> Files:
        """Runs the board through the election and gives the record that goes with it."""
        election, functions = self._election, self._board.functions
        name = d_hash_of(election.manifest["id"])
        config = election.hash if config is None else config
        self._travel(OPENS - 5000)
        times = (OPENS, CLOSES, GRACE_S)
        opened = self._mined(functions.openBoard(name, self._sender["from"], config, *times))
        board_id = functions.boardIdOf(self._sender["from"], name).call()
        entries = election.entries()
        leaves, size, root = encoded(entries), 0, tree_root([])
        anchors = []
        for number, (new, time) in enumerate(plan_of(entries), 1):
            self._travel(min(time, CLOSES + GRACE_S - 30) + number)
            new_root = tree_root(leaves[:new])
            receipt = self._mined(functions.checkpoint(board_id, size, new, root, new_root))
            anchors.append(
                {"number": number, "transaction": receipt["transactionHash"].hex().lower()}
            )
            size, root = new, new_root
        due = election.manifest["tie_break"]["block_time"]
        self._travel(due + 7)
        newest = self.w3.eth.get_block("latest")
        block = {
            "number": newest["number"],
            "hash": bytes(newest["hash"]).hex(),
            "time": newest["timestamp"],
        }
        files = publish(election, block=block)
        names = ("shares.json", "tie.json", "tally.json", "outcome.json")
        digest = d_hash("record", *(d_hash_of(files[name]) for name in names))
        sealed = self._mined(functions.seal(board_id, size, root, digest))
        said = {
            "kind": "anchors",
            "opened": opened["transactionHash"].hex().lower(),
            "checkpoints": anchors,
            "sealed": sealed["transactionHash"].hex().lower(),
        }
        return {**files, "anchors.json": canonical(said)}

    def answer(self, method: str, params: list[Any]) -> Any:
        """One JSON-RPC question."""
        response = self.w3.manager._make_request(method, params)  # type: ignore[arg-type]
        return _plain(response.get("result"))


def d_hash_of(data: str | bytes) -> bytes:
    """Plain SHA-256."""
    return sha256(data.encode() if isinstance(data, str) else data).digest()


class NodeServer:
    """A chain as a node over HTTP; `lie` changes results on their way. A context manager."""

    def __init__(self, chain: BoardChain) -> None:
        self.lie: Answer = lambda method, params, result: result
        node, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with lock:
                    result = chain.answer(asked["method"], list(asked["params"]))
                result = node.lie(asked["method"], asked["params"], result)
                body = json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result})
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "NodeServer":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
