"""The rules of CredentialAnchor, BallotBoard, EthereumDIDRegistry and Directory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from seoul_wallet.audit.difference import ZERO_ADDRESS, expect, require, short
from seoul_wallet.audit.replay_trust import Moment, RoleRecords, TrustRecords
from wallet.crypto.hashing import sha256
from wallet.did.did_ethr import ChangeKind, DidChange
from wallet.trust.boards import BoardFact, CheckpointFact, SealFact
from wallet.trust.directory import name_in_directory
from wallet.trust.facts import BatchFact, StatusFact

Arguments = Mapping[str, Any]
Handlers = Mapping[str, Callable[[Arguments, Moment], None]]
EMPTY_ROOT: Final = sha256(b"")
NO_DIGEST: Final = bytes(32)
# the registry allows any number of 256 bits as an end; a replica keeps 63
_FAR_FUTURE: Final = 2**63 - 1


class AnchorRecords:
    """What CredentialAnchor must hold; batches with the mandate they were anchored under."""

    def __init__(self, trust: TrustRecords) -> None:
        self._trust = trust
        self.batches: dict[tuple[bytes, bytes], BatchFact] = {}
        self.mandates: dict[tuple[bytes, bytes], int] = {}
        self.revoked_by: dict[tuple[bytes, bytes], str] = {}
        self.statuses: dict[tuple[bytes, bytes], list[StatusFact]] = defaultdict(list)

    def handlers(self) -> Handlers:
        """Return what to do with each event, by its name."""
        return {
            "BatchAnchored": self._anchored,
            "BatchRevoked": self._revoked,
            "StatusPublished": self._published,
        }

    def _anchored(self, args: Arguments, block: Moment) -> None:
        key = issuer, root = args["issuerId"], args["root"]
        subject = f"batch {short(root)}"
        require(key not in self.batches, subject, "it was anchored twice")
        require(args["size"] > 0, subject, "it is empty")
        under = self._trust.accredited_under(issuer, args["schemaId"], block.time)
        require(under != 0, subject, "its issuer was not accredited when it was anchored")
        expect(subject, "its mandate", args["mandateId"], under)
        self.mandates[key] = under
        self.batches[key] = BatchFact(
            issuer, args["schemaId"], root, args["size"], args["manifestDigest"], block.time
        )

    def _revoked(self, args: Arguments, block: Moment) -> None:
        key = args["issuerId"], args["root"]
        subject = f"batch {short(args['root'])}"
        require(key in self.batches, subject, "it was revoked and never anchored")
        require(self.batches[key].revoked_at is None, subject, "it was revoked twice")
        self.batches[key] = replace(self.batches[key], revoked_at=block.time)
        self.revoked_by[key] = args["by"]

    def _published(self, args: Arguments, block: Moment) -> None:
        key = args["issuerId"], args["listId"]
        versions = self.statuses[key]
        subject = f"status list {short(args['listId'])}"
        expect(subject, "the version", args["version"], len(versions) + 1)
        require(args["expires"] > block.time, subject, "it was published when it had run out")
        versions.append(
            StatusFact(*key, args["version"], args["digest"], args["expires"], block.time)
        )


@dataclass
class Board:
    """A ballot board: how it was opened, its operator now, its checkpoints and its seal."""

    opened: BoardFact
    checkpoints: list[CheckpointFact] = field(default_factory=list)
    seal: SealFact | None = None

    @property
    def size(self) -> int:
        """How many leaves the newest checkpoint has."""
        return self.checkpoints[-1].size if self.checkpoints else 0

    @property
    def root(self) -> bytes:
        """The root of the newest checkpoint."""
        return self.checkpoints[-1].root if self.checkpoints else EMPTY_ROOT


class BoardRecords:
    """What BallotBoard must hold."""

    def __init__(self) -> None:
        self.boards: dict[bytes, Board] = {}

    def handlers(self) -> Handlers:
        """Return what to do with each event, by its name."""
        return {
            "BoardOpened": self._opened,
            "OperatorChanged": self._operator_changed,
            "Checkpointed": self._checkpointed,
            "BoardSealed": self._sealed,
        }

    def _open(self, board_id: bytes) -> Board:
        subject = f"board {short(board_id)}"
        require(board_id in self.boards, subject, "it was never opened")
        require(self.boards[board_id].seal is None, subject, "it changed after its seal")
        return self.boards[board_id]

    def _opened(self, args: Arguments, block: Moment) -> None:
        board_id, subject = args["boardId"], f"board {short(args['boardId'])}"
        require(board_id not in self.boards, subject, "it was opened twice")
        owner = encode(["address", "bytes32"], [args["organiser"], args["electionId"]])
        expect(subject, "its identifier", board_id, keccak(owner))
        opens, closes, flush = args["opens"], args["closes"], args["flushUntil"]
        require(block.time <= opens < closes <= flush, subject, "its times are out of order")
        self.boards[board_id] = Board(
            BoardFact(
                board_id,
                args["organiser"],
                args["electionId"],
                args["operator"],
                args["configDigest"],
                opens,
                closes,
                flush,
                block.time,
            )
        )

    def _operator_changed(self, args: Arguments, block: Moment) -> None:
        board = self._open(args["boardId"])
        subject = f"board {short(args['boardId'])}"
        expect(subject, "the operator before", args["previousOperator"], board.opened.operator)
        board.opened = replace(board.opened, operator=args["operator"])

    def _checkpointed(self, args: Arguments, block: Moment) -> None:
        board, subject = self._open(args["boardId"]), f"board {short(args['boardId'])}"
        in_window = board.opened.opens <= block.time < board.opened.flush_until
        require(in_window, subject, "a checkpoint came outside its hours")
        before = args["number"], args["oldSize"], args["oldRoot"]
        expected = len(board.checkpoints) + 1, board.size, board.root
        expect(subject, "the state before", before, expected)
        is_same = (args["size"], args["root"]) == (board.size, board.root)
        grows = args["size"] > board.size or is_same
        require(grows, subject, "it shrank, or changed without growing")
        board.checkpoints.append(
            CheckpointFact(
                args["boardId"],
                args["number"],
                args["oldSize"],
                args["size"],
                args["oldRoot"],
                args["root"],
                block.time,
            )
        )

    def _sealed(self, args: Arguments, block: Moment) -> None:
        board, subject = self._open(args["boardId"]), f"board {short(args['boardId'])}"
        expect(subject, "what is sealed", (args["size"], args["root"]), (board.size, board.root))
        require(block.time >= board.opened.closes, subject, "it was sealed before it closed")
        board.seal = SealFact(
            args["boardId"], args["root"], args["size"], args["tallyDigest"], block.time
        )


class DidRecords:
    """What EthereumDIDRegistry must hold: owners, delegates, and where each identity changed."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.changed: dict[str, int] = {}
        self.delegates: dict[tuple[str, bytes, str], int] = {}
        self.changes: list[DidChange] = []

    def handlers(self) -> Handlers:
        """Return what to do with each event, by its name."""
        return {
            "DIDOwnerChanged": self._owner_changed,
            "DIDDelegateChanged": self._delegate_changed,
            "DIDAttributeChanged": self._attribute_changed,
        }

    def _change(
        self, args: Arguments, block: Moment, kind: ChangeKind, name: bytes, value: bytes
    ) -> None:
        identity = args["identity"]
        require(self.owners.get(identity) != ZERO_ADDRESS, identity, "it changed when deactivated")
        before = self.changed.get(identity, 0)
        expect(identity, "the block of the change before", args["previousChange"], before)
        self.changed[identity] = block.number
        place = identity, block.number, block.log_index, block.time
        valid_to = min(args.get("validTo", 0), _FAR_FUTURE)
        self.changes.append(DidChange(*place, kind, name, value, valid_to))

    def _owner_changed(self, args: Arguments, block: Moment) -> None:
        owner = bytes.fromhex(args["owner"][2:])
        self._change(args, block, ChangeKind.OWNER, NO_DIGEST, owner)
        self.owners[args["identity"]] = args["owner"]

    def _delegate_changed(self, args: Arguments, block: Moment) -> None:
        delegate = bytes.fromhex(args["delegate"][2:])
        self._change(args, block, ChangeKind.DELEGATE, args["delegateType"], delegate)
        key = args["identity"], args["delegateType"], args["delegate"]
        self.delegates[key] = args["validTo"]

    def _attribute_changed(self, args: Arguments, block: Moment) -> None:
        self._change(args, block, ChangeKind.ATTRIBUTE, args["name"], args["value"])


@dataclass
class Listing:
    """A version of a contract in the directory."""

    location: str
    listed_at: int
    deprecated_at: int
    code_hash: bytes


class DirectoryRecords:
    """What Directory must hold."""

    def __init__(self) -> None:
        self.entries: dict[bytes, list[Listing]] = {}
        self.roles = RoleRecords()

    def handlers(self) -> Handlers:
        """Return what to do with each event, by its name."""
        return {
            "ContractListed": self._listed,
            "ContractDeprecated": self._deprecated,
            "RoleGranted": self.roles.granted,
            "RoleRevoked": self.roles.revoked,
        }

    def _listed(self, args: Arguments, block: Moment) -> None:
        versions = self.entries.setdefault(args["name"], [])
        subject = contract_name(args["name"])
        expect(subject, "the version", args["version"], len(versions) + 1)
        is_new = all(entry.location != args["location"] for entry in versions)
        require(is_new, subject, "an address was listed twice")
        versions.append(Listing(args["location"], block.time, 0, args["codeHash"]))

    def _deprecated(self, args: Arguments, block: Moment) -> None:
        versions, subject = self.entries.get(args["name"], []), contract_name(args["name"])
        require(0 < args["version"] <= len(versions), subject, "a deprecated version is not there")
        entry = versions[args["version"] - 1]
        require(entry.deprecated_at == 0, subject, "a version was deprecated twice")
        entry.deprecated_at = block.time


def contract_name(name: bytes) -> str:
    """Return the name under which the directory lists a contract, as text."""
    return name_in_directory(name)
