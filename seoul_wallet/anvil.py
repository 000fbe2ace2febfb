"""A local anvil node (npm `@foundry-rs/anvil`) on a free loopback port, ended by its handle."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Final

from web3 import Web3

from seoul_wallet.server import free_port
from wallet.adapters.evm.node import ask, connect
from wallet.errors import UnavailableError

START_TIMEOUT_S: Final = 20
STOP_TIMEOUT_S: Final = 10
_NODE_MODULES: Final = Path(__file__).resolve().parents[1] / "contracts" / "node_modules"


class AnvilMissing(UnavailableError):
    """There is no anvil binary: run `make node`, which needs Node 20 or later."""

    code = "anvil_missing"


class AnvilFailed(UnavailableError):
    """anvil did not start, or ended by itself."""

    code = "anvil_failed"


def anvil_binary() -> Path:
    """Return the path of the native anvil binary. Raises `AnvilMissing`."""
    found = sorted(_NODE_MODULES.glob("@foundry-rs/anvil-*/bin/anvil"))
    if not found:
        raise AnvilMissing("anvil is not installed; make node installs it")
    return found[0]


class AnvilNode:
    """One running node.

    `state_file` keeps its chain over restarts; `load_state` is only read, to begin with.
    """

    def __init__(
        self,
        *,
        state_file: Path | None = None,
        load_state: Path | None = None,
        port: int | None = None,
        hardfork: str = "osaka",
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [
            str(anvil_binary()),
            *("--host", "127.0.0.1", "--port", str(self.port), "--quiet"),
            # finalized is two epochs behind: with one slot an epoch, two blocks
            *("--hardfork", hardfork, "--slots-in-an-epoch", "1"),
        ]
        if state_file is not None:
            command += ["--state", str(state_file), "--state-interval", "1"]
            # after a restart too the follower asks for proofs of blocks below the head
            command += ["--preserve-historical-states"]
        if load_state is not None:
            command += ["--load-state", str(load_state)]
        self.keeps_state = state_file is not None
        self._process = subprocess.Popen(  # noqa: S603 (our own arguments)
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.w3 = connect(self.url)
        self._wait()

    def _wait(self) -> None:
        ends_at = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < ends_at:
            if self._process.poll() is not None:
                raise AnvilFailed("anvil ended at its start; is the port taken?")
            try:
                ask(lambda: self.w3.eth.block_number)
            except UnavailableError:
                time.sleep(0.02)
            else:
                return
        self.stop()
        raise AnvilFailed(f"anvil did not answer within {START_TIMEOUT_S} s")

    def fund(self, address: str, ether: int = 100) -> None:
        """Give an address ether from the first of anvil's own accounts, in a block of its own."""
        # Not by anvil_setBalance: it would alter the state of the newest block, whose proofs then
        # no longer fit its header.
        rich = self.w3.eth.accounts[0]
        payment = {
            "from": rich,
            "to": Web3.to_checksum_address(address),
            "value": hex(self.w3.to_wei(ether, "ether")),
        }
        self.request("eth_sendTransaction", [payment])
        self.request("evm_mine", [])

    def request(self, method: str, parameters: list[object]) -> object:
        """Send a node-specific request and return its result."""
        answer = ask(lambda: self.w3.provider.make_request(method, parameters))  # type: ignore[arg-type]
        if "error" in answer:
            raise AnvilFailed(f"anvil refused {method}")
        return answer["result"]

    def kill(self) -> None:
        """End the node as a power cut would."""
        self._process.kill()
        self._process.wait(STOP_TIMEOUT_S)

    def stop(self) -> None:
        """End the node; its state file is written."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.kill()
