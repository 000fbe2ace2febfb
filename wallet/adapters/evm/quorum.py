"""Several nodes that must agree: on the finalized block, and on every fact that is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

from eth_utils.crypto import keccak

from wallet.adapters.evm.blocks import Header, Log
from wallet.adapters.evm.deployment import Deployment, DeploymentMismatch
from wallet.adapters.evm.endpoints import Endpoint, Finality, RpcEndpoint
from wallet.adapters.evm.listing import check_listing
from wallet.adapters.evm.rpc import (
    MAX_ANSWER_BYTES,
    REQUEST_TIMEOUT_S,
    HttpTransport,
    JsonRpc,
    is_loopback,
)
from wallet.errors import MalformedError
from wallet.ports.facts import ChainUnavailable

MIN_ENDPOINTS: Final = 2
MAX_ENDPOINTS: Final = 8
MAX_LAG_S: Final = 900
MAX_BLOCKS_PER_QUERY: Final = 2_000
_NO_CODE: Final = keccak(b"")
T = TypeVar("T")


class QuorumTooSmall(MalformedError):
    """Fewer different nodes are configured than must agree; one alone is for loopback only."""

    code = "quorum_too_small"


class EndpointsDisagree(ChainUnavailable):
    """Two nodes say different things about a finalized block: nothing is believed."""

    code = "endpoints_disagree"


class WrongChain(ChainUnavailable):
    """A node answers for another chain than the configured one."""

    code = "wrong_chain"


class EndpointBehind(ChainUnavailable):
    """A node's finalized block is far behind another node's, or behind the replica's."""

    code = "endpoint_behind"


def open_quorum(
    urls: Sequence[str],
    *,
    required: int = MIN_ENDPOINTS,
    development: bool = False,
    timeout_s: float = REQUEST_TIMEOUT_S,
    max_answer_bytes: int = MAX_ANSWER_BYTES,
) -> NodeQuorum:
    """Return the quorum of the nodes at `urls`, `required` of which must agree. Asks nothing.

    One node alone is accepted only with `development` and on loopback. Raises `QuorumTooSmall`,
    `NodeUrlMalformed`.
    """
    transports = [
        HttpTransport(url, timeout_s=timeout_s, max_bytes=max_answer_bytes) for url in urls
    ]
    if len(set(urls)) != len(urls):
        raise QuorumTooSmall("the same node is named twice")
    if not 1 <= required <= len(urls) <= MAX_ENDPOINTS:
        raise QuorumTooSmall(f"{required} nodes must agree and {len(urls)} are named")
    if required < MIN_ENDPOINTS and not (development and all(map(is_loopback, urls))):
        raise QuorumTooSmall(
            f"at least {MIN_ENDPOINTS} nodes must agree; one alone is for a development chain on"
            " loopback"
        )
    return NodeQuorum(
        [
            RpcEndpoint(
                f"{number} ({transport.host})",
                JsonRpc(transport, max_bytes=max_answer_bytes),
                transport.close,
            )
            for number, transport in enumerate(transports, 1)
        ],
        required,
    )


class NodeQuorum:
    """`required` of the endpoints must agree; one that failed is asked last from then on."""

    def __init__(self, endpoints: Sequence[Endpoint], required: int) -> None:
        self._order = list(endpoints)
        self.required = required

    @property
    def proves(self) -> bool:
        """Whether every endpoint gives storage proofs."""
        return all(endpoint.proves for endpoint in self._order)

    def close(self) -> None:
        """Let go of connections; a later question opens them again."""
        for endpoint in self._order:
            endpoint.close()

    def check(self, deployment: Deployment, *, listing: bool = True) -> frozenset[str]:
        """Compare chain id, code and, with `listing`, the directory, on every node.

        Returns the names of the contracts that the directory calls deprecated. Raises
        `DeploymentMismatch` for a difference, `ChainUnavailable` if a node is silent and those
        that answer are right.
        """
        silent: ChainUnavailable | None = None
        deprecated: set[str] = set()
        for endpoint in self._order:
            try:
                _check(endpoint, deployment)
                if listing:
                    deprecated |= check_listing(endpoint, deployment)
            except ChainUnavailable as error:
                silent = error
        if silent is not None:
            raise silent
        return frozenset(deprecated)

    def agree(self, chain_id: int, finality: Finality) -> Agreement:
        """Return the newest finalized block on which `required` nodes agree.

        Raises `ChainUnavailable` (too few answer), `WrongChain`, `EndpointBehind`,
        `EndpointsDisagree`.
        """
        heads: list[tuple[Endpoint, Header]] = []
        failure = ChainUnavailable("no node answers")
        for endpoint in tuple(self._order):
            try:
                heads.append(
                    (endpoint, self.ask(endpoint, lambda e: _newest(e, chain_id, finality)))
                )
                if len(heads) >= self.required:
                    return self._compare(heads)
            except ChainUnavailable as error:
                failure = error
        raise failure

    def _compare(self, heads: Sequence[tuple[Endpoint, Header]]) -> Agreement:
        """Agree on the newest of the heads that enough endpoints have."""
        newest_first = sorted(heads, key=lambda entry: entry[1].number, reverse=True)
        for count in range(self.required, len(heads) + 1):
            common = newest_first[count - 1][1]
            groups: dict[Header, list[Endpoint]] = {}
            for endpoint, head in newest_first[:count]:
                if head.number != common.number:
                    head = self.ask(endpoint, lambda e: e.header(common.number))  # noqa: B023
                groups.setdefault(head, []).append(endpoint)
            agreeing = [group for group in groups.items() if len(group[1]) >= self.required]
            if len(agreeing) != 1:
                continue
            # Of more endpoints than must agree, those may be ahead that need not be believed.
            if newest_first[len(heads) - self.required][1].time - common.time > MAX_LAG_S:
                raise EndpointBehind("a node's finalized block is far behind another node's")
            head, group = agreeing[0]
            preferred = [endpoint for endpoint in self._order if endpoint in group]
            return Agreement(self, preferred[: self.required], head)
        raise EndpointsDisagree("the nodes do not agree on the finalized block")

    def ask(self, endpoint: Endpoint, question: Callable[[Endpoint], T]) -> T:
        """Put a question to an endpoint, which is asked last from now on if it fails."""
        try:
            return question(endpoint)
        except ChainUnavailable:
            self.ask_last(endpoint)
            raise

    def ask_last(self, endpoint: Endpoint) -> None:
        """Prefer the other endpoints from now on."""
        self._order.remove(endpoint)
        self._order.append(endpoint)


class Agreement:
    """A finalized block that `endpoints` agree on, and what they say in agreement below it."""

    def __init__(self, quorum: NodeQuorum, endpoints: Sequence[Endpoint], head: Header) -> None:
        self._quorum = quorum
        self.endpoints = endpoints
        self.head = head

    def header(self, number: int) -> Header:
        """Return the block at a height. Raises `EndpointsDisagree`, `ChainUnavailable`."""
        return self._same(lambda endpoint: endpoint.header(number), "a finalized block")

    def log_blocks(self, first: int, last: int, addresses: Collection[str]) -> Sequence[int]:
        """Return the blocks in which any endpoint sees logs. Raises `ChainUnavailable`."""
        found: set[int] = set()
        for start in range(first, last + 1, MAX_BLOCKS_PER_QUERY):
            end = min(start + MAX_BLOCKS_PER_QUERY - 1, last)
            for endpoint in self.endpoints:
                found.update(
                    self._quorum.ask(endpoint, lambda e: e.log_blocks(start, end, addresses))  # noqa: B023
                )
        return sorted(found)

    def logs(self, header: Header, addresses: Collection[str]) -> tuple[Log, ...]:
        """Return the logs of a block. Raises `EndpointsDisagree`, `ChainUnavailable`."""
        return self._same(
            lambda endpoint: endpoint.logs(header, addresses), "the logs of a finalized block"
        )

    def first(self, question: Callable[[Endpoint], T]) -> T:
        """Ask one endpoint, for what can be checked without the others."""
        return self._quorum.ask(self.endpoints[0], question)

    def distrust(self) -> None:
        """Ask the first endpoint last from now on: its answers were wrong."""
        self._quorum.ask_last(self.endpoints[0])

    def _same(self, question: Callable[[Endpoint], T], what: str) -> T:
        first, *others = (self._quorum.ask(endpoint, question) for endpoint in self.endpoints)
        if any(other != first for other in others):
            raise EndpointsDisagree(f"the nodes do not agree on {what}")
        return first


def _newest(endpoint: Endpoint, chain_id: int, finality: Finality) -> Header:
    if endpoint.chain_id() != chain_id:
        raise WrongChain(f"node {endpoint.name} is on another chain")
    return finality.newest(endpoint)


def _check(endpoint: Endpoint, deployment: Deployment) -> None:
    if endpoint.chain_id() != deployment.chain_id:
        raise DeploymentMismatch(f"node {endpoint.name} is on another chain than the deployment")
    for name, pin in deployment.contracts.items():
        found = endpoint.code_hash(pin.address)
        if found == _NO_CODE:
            raise DeploymentMismatch(f"there is no contract at the address of {name}")
        if found != pin.code_hash:
            raise DeploymentMismatch(f"the code at the address of {name} is not the pinned code")
