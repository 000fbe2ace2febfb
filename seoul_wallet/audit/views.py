"""What the contracts themselves say at a block, against what their events lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from web3 import Web3
from web3.contract import Contract

from seoul_wallet.audit.difference import ZERO_ADDRESS, expect, short
from seoul_wallet.audit.replay import Replay
from seoul_wallet.audit.replay_records import NO_DIGEST, contract_name
from seoul_wallet.audit.replay_trust import History, RoleRecords
from wallet.adapters.evm.artifacts import artifact
from wallet.adapters.evm.blocks import Header
from wallet.adapters.evm.deployment import Deployment
from wallet.adapters.evm.node import ask

ROOT_ROLE: Final = bytes(32)
Comparison = Callable[[], None]


class Views:
    """Calls the contracts' views at one block, through one node."""

    def __init__(self, w3: Web3, deployment: Deployment, block: Header) -> None:
        self._block = block
        self._contracts: dict[str, Contract] = {
            name: w3.eth.contract(
                address=Web3.to_checksum_address(pin.address), abi=artifact(name)["abi"]
            )
            for name, pin in deployment.contracts.items()
        }
        self.deployment = deployment

    @property
    def time(self) -> int:
        """The time of the block."""
        return self._block.time

    def has(self, contract: str) -> bool:
        """Tell whether the deployment names a contract."""
        return contract in self._contracts

    def call(self, contract: str, view: str, *arguments: object) -> Any:
        """Return what a view answers; addresses in lower case. Raises `ChainUnavailable`."""
        function = self._contracts[contract].get_function_by_name(view)
        return _plain(ask(lambda: function(*arguments).call(block_identifier=self._block.number)))


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("0x"):
        return value.lower()
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return bytes(value) if isinstance(value, bytes) else value


def comparisons(views: Views, replay: Replay) -> Sequence[Comparison]:
    """Return one comparison for each thing that a contract holds.

    Each raises `AuditDifference` or `ChainUnavailable`.
    """
    parts = {
        "TrustRegistry": _trust,
        "CredentialAnchor": _anchor,
        "BallotBoard": _boards,
        "EthereumDIDRegistry": _dids,
        "Directory": _directory,
    }
    return [
        comparison
        for contract, part in parts.items()
        if views.has(contract)
        for comparison in part(views, replay)
    ]


def _compare(
    views: Views, contract: str, view: str, subject: str, expected: Any, *args: Any
) -> Comparison:
    def compare() -> None:
        expect(f"{contract}, {subject}", view, views.call(contract, view, *args), expected)

    return compare


def _roles(views: Views, contract: str, roles: RoleRecords) -> Iterator[Comparison]:
    for (role, account), holds in roles.held.items():
        at = Web3.to_checksum_address(account)
        yield _compare(views, contract, "hasRole", account, holds, role, at)
    (root,) = roles.holders(ROOT_ROLE) or [ZERO_ADDRESS]
    yield _compare(views, contract, "defaultAdmin", "root", root)


def _scopes(history: History) -> tuple[tuple[str, int, int, int], ...]:
    return tuple(
        (scope.accreditor, scope.valid_from, scope.valid_until, scope.revoked_at)
        for scope in history
    )


def _trust(views: Views, replay: Replay) -> Iterator[Comparison]:
    name, trust = "TrustRegistry", replay.trust
    yield from _roles(views, name, trust.roles)
    for number, (accreditor, schema) in enumerate(trust.mandates, 1):
        pair = Web3.to_checksum_address(accreditor), schema
        yield _compare(views, name, "accreditorOf", f"mandate {number}", accreditor, number)
        yield _compare(views, name, "mandateOf", f"accreditor {accreditor}", number, *pair)
        expected = _scopes(trust.accreditors[accreditor, schema])
        yield _compare(
            views, name, "accreditorScopes", f"accreditor {accreditor}", expected, *pair
        )
    for (issuer, schema), history in trust.issuer_scopes.items():
        subject = f"issuer {short(issuer)}"
        yield _compare(views, name, "issuerScopes", subject, _scopes(history), issuer, schema)
        under = trust.accredited_under(issuer, schema, views.time)
        expected_now = trust.issuers[issuer].controller, under
        yield _compare(views, name, "currentAccreditation", subject, expected_now, issuer, schema)
    for issuer, known in trust.issuers.items():
        suspensions = tuple(map(tuple, known.suspensions))
        yield _compare(views, name, "suspensions", f"issuer {short(issuer)}", suspensions, issuer)
    for (verifier, service), history in trust.services.items():
        subject = f"verifier {short(verifier)}"
        yield _compare(views, name, "verifierScopes", subject, _scopes(history), verifier, service)


def _anchor(views: Views, replay: Replay) -> Iterator[Comparison]:
    name, anchor = "CredentialAnchor", replay.anchor
    registry = views.deployment.registry
    yield _compare(views, name, "registry", "its trust registry", registry)
    for (issuer, root), batch in anchor.batches.items():
        expected = (
            batch.anchored_at,
            batch.revoked_at or 0,
            batch.size,
            anchor.mandates[issuer, root],
        )
        yield _compare(views, name, "batchOf", f"batch {short(root)}", expected, issuer, root)
    for (issuer, list_id), versions in anchor.statuses.items():
        newest = versions[-1]
        state = newest.version, newest.published_at, newest.expires_at, newest.digest
        subject = f"status list {short(list_id)}"
        yield _compare(views, name, "statusListOf", subject, state, issuer, list_id)


def _boards(views: Views, replay: Replay) -> Iterator[Comparison]:
    for board_id, board in replay.boards.boards.items():
        opened, seal = board.opened, board.seal
        expected = (
            opened.operator,
            opened.opens,
            opened.flush_until,
            seal is not None,
            opened.organiser,
            opened.closes,
            0 if seal is None else seal.sealed_at,
            board.size,
            len(board.checkpoints),
            board.root,
            opened.config_digest,
            NO_DIGEST if seal is None else seal.tally_digest,
        )
        yield _compare(
            views, "BallotBoard", "boardOf", f"board {short(board_id)}", expected, board_id
        )


def _dids(views: Views, replay: Replay) -> Iterator[Comparison]:
    name, dids = "EthereumDIDRegistry", replay.dids
    for identity, block in dids.changed.items():
        at = Web3.to_checksum_address(identity)
        yield _compare(views, name, "changed", identity, block, at)
        owner = dids.owners.get(identity, identity)
        yield _compare(views, name, "identityOwner", identity, owner, at)
    for (identity, kind, delegate), valid_to in dids.delegates.items():
        is_active = int(dids.owners.get(identity, identity), 16) != 0
        arguments = Web3.to_checksum_address(identity), kind, Web3.to_checksum_address(delegate)
        expected = is_active and valid_to > views.time
        yield _compare(views, name, "validDelegate", identity, expected, *arguments)


def _directory(views: Views, replay: Replay) -> Iterator[Comparison]:
    name, directory = "Directory", replay.directory
    yield from _roles(views, name, directory.roles)
    yield _compare(views, name, "names", "the names", tuple(directory.entries))
    for key, versions in directory.entries.items():
        subject = contract_name(key)
        yield _compare(views, name, "versionsOf", subject, len(versions), key)
        for version, entry in enumerate(versions, 1):
            expected = entry.location, entry.listed_at, entry.deprecated_at, entry.code_hash
            yield _compare(views, name, "entryOf", f"{subject} {version}", expected, key, version)
