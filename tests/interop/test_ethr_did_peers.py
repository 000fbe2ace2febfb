"""did:ethr beside npm ethr-did-resolver: one registry, one document, now and at past blocks."""

from __future__ import annotations

import json
import random
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from seoul_wallet.anvil import AnvilNode
from tests.support.chains import LedgerStack, ledger_stack
from tests.support.clock import SettableClock
from tests.support.databases import REPLICA, open_laid_out
from wallet.adapters.evm.deployment import DID_REGISTRY
from wallet.adapters.evm.follower import Follower
from wallet.adapters.evm.node import contract
from wallet.adapters.evm.sender import Sender
from wallet.adapters.sql.replica import SqlReplica
from wallet.adapters.sql.replica_records import SqlReplicaRecords
from wallet.crypto.keys import Es256SigningKey, secp256k1_public_key
from wallet.did.did_ethr import EthrHistory
from wallet.did.document import KeyNotAuthorized
from wallet.did.ethr_document import ethr_document, keys_at
from wallet.did.syntax import DidMalformed, parse_did
from wallet.errors import UnsupportedError

pytestmark = [pytest.mark.node, pytest.mark.anvil, pytest.mark.loopback]
HERE = Path(__file__).parent
NOBODY = "0x" + "00" * 20
LONG, SHORT = 10_000_000, 20
RANDOM_ACTS = 30
Question = tuple[str, int]

ATTRIBUTES: list[tuple[bytes, bytes]] = [
    (b"did/pub/Secp256k1/veriKey/hex", bytes.fromhex("02" + "b9" * 32)),
    (b"did/pub/Secp256k1/sigAuth/hex", bytes.fromhex("03" + "b9" * 32)),
    (b"did/pub/Ed25519/veriKey/base64", bytes(range(32))),
    (b"did/pub/Ed25519/veriKey/base58", b"\0\0" + bytes(range(30))),
    (b"did/pub/X25519/enc/base64", bytes(range(1, 33))),
    (b"did/pub/X25519/enc", bytes(range(2, 34))),
    (b"did/pub/RSA/veriKey/pem", "-----BEGIN 공개키-----".encode()),
    (b"did/pub/RSA/veriKey/pem", b"\xff\xfe"),
    (b"did/pub/JsonWebKey2020", b"{}"),
    (b"did/pub/Secp256r1/veriKey/other", b"\x01\x02"),
    (b"did/pub/Ed25519/veriKey/hex/more", b"\x01"),
    (b"did/svc/HubService", b"https://hubs.uport.me"),
    (b"did/svc/Linked", b'{"uri":"https://a.example","n":1.50,"big":12345678901234567890}'),
    (b"did/svc/Number", b"17"),
    (b"did/svc/Broken", b'{"uri":'),
    (b"did/svc/Bytes", b"\xff"),
    (b"did/svc/Nan", b"NaN"),
    (b"something/else", b"x"),
    (b"\xff\xfe not text", b"x"),
    (b"did/pub/", b""),
]
DELEGATES = [b"veriKey", b"sigAuth", b"enc", b"\xff"]


def padded(text: bytes) -> bytes:
    return text.ljust(32, b"\0")


def read_json(text: str | bytes) -> Any:
    """Read JSON as JavaScript does: every number is a double."""
    return json.loads(text, parse_int=float)


class Registry:
    """The registry on a fresh anvil, three identities with keys, and what is asked about them."""

    def __init__(self, stack: LedgerStack, records: SqlReplicaRecords, follow: Callable[[], None]):
        assert isinstance(stack.chain, AnvilNode)
        self.node = stack.chain
        self._peer = subprocess.Popen(
            ["node", str(HERE / "ethr_did.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.stack = stack
        self.records = records
        self.follow = follow
        self.abi: Any = contract(stack.w3, stack.deployment, DID_REGISTRY).functions
        self.chain_id = stack.deployment.chain_id
        self.accounts: list[LocalAccount] = []
        self.owners: dict[str, LocalAccount | None] = {}
        for _ in range(4):
            self.new_identity()

    def new_identity(self) -> LocalAccount:
        account: LocalAccount = Account.from_key(secrets.token_bytes(32))
        self.node.fund(account.address)
        self.accounts.append(account)
        self.owners[account.address] = account
        return account

    def send(self, by: LocalAccount, function: str, *arguments: object) -> None:
        Sender(self.stack.w3, by).send(self.abi[function](*arguments))

    def send_signed(self, by: LocalAccount, function: str, types: str, *arguments: Any) -> None:
        """Let somebody else send a change that `by` signed (EIP-712)."""
        named = [entry.rsplit(" ", 1) for entry in (*types.split(","), "uint256 nonce")]
        named.append(["uint256", "deadline"])
        deadline = self.stack.now() + 1000
        values = [*arguments, self.abi.nonce(by.address).call(), deadline]
        primary = function[0].upper() + function[1:]
        signed = by.sign_typed_data(
            {
                "name": "EthereumDIDRegistry",
                "version": "1",
                "chainId": self.chain_id,
                "verifyingContract": Web3.to_checksum_address(
                    self.stack.deployment.contracts[DID_REGISTRY].address
                ),
            },
            {primary: [{"type": kind.strip(), "name": name} for kind, name in named]},
            {name: value for (_, name), value in zip(named, values, strict=True)},
        )
        relayed = (*arguments, deadline, bytes(signed.signature))
        self.send(self.accounts[3], f"{function}Signed", *relayed)

    def did(self, account: LocalAccount) -> str:
        return f"did:ethr:{hex(self.chain_id)}:{account.address}"

    def key_did(self, account: LocalAccount) -> str:
        point = secp256k1_public_key(b"\x04" + account._key_obj.public_key.to_bytes()).compressed
        return f"did:ethr:{hex(self.chain_id)}:0x{point.hex()}"

    def history(self, did: str) -> EthrHistory:
        return self.records.did_history(parse_did(did)).value

    def ours(self, did: str, now: int, block: int | None) -> Any:
        history = self.history(did)
        if block is not None:
            now = int(self.stack.w3.eth.get_block(block)["timestamp"])
        found = ethr_document(history.identifier, history.changes, now=now, block_number=block)
        return read_json(json.dumps([found.document, found.metadata]))

    def theirs(self, questions: list[Question]) -> Any:
        request = {
            "rpcUrl": self.node.url,
            "registry": self.stack.deployment.contracts[DID_REGISTRY].address,
            "chainId": self.chain_id,
            "questions": [{"did": did, "now": now} for did, now in questions],
        }
        assert self._peer.stdin is not None
        assert self._peer.stdout is not None
        self._peer.stdin.write(json.dumps(request).encode() + b"\n")
        self._peer.stdin.flush()
        return read_json(self._peer.stdout.readline())

    def close(self) -> None:
        """Let the peer end."""
        self._peer.communicate(timeout=30)

    def compare(self, dids: list[str], blocks: list[int | None], moments: list[int]) -> int:
        """Ask both for every DID at every block, and of the newest at every moment."""
        self.follow()
        asked = [
            (did, now, block)
            for did in dids
            for block in blocks
            for now in (moments if block is None else moments[:1])
        ]
        answers = self.theirs(
            [
                (did if block is None else f"{did}?versionId={block}", now)
                for did, now, block in asked
            ]
        )
        for (did, now, block), answer in zip(asked, answers, strict=True):
            assert answer["error"] is None, (did, block)
            expected = [answer["document"], answer["metadata"]]
            assert self.ours(did, now, block) == expected, (did, block, now)
        return len(asked)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    if shutil.which("node") is None or not (HERE / "node_modules/ethr-did-resolver").is_dir():
        pytest.skip("needs node: ethr-did-resolver from npm")
    engine = open_laid_out(tmp_path_factory.mktemp("ethr") / "replica.db", REPLICA)
    with ledger_stack("anvil") as stack:
        follower = Follower(stack.reader, SqlReplica(engine), SettableClock(stack.now() + 10_000))

        def follow() -> None:
            stack.finalize()
            follower.run_once()

        made = Registry(stack, SqlReplicaRecords(engine, stack.deployment.chain_id), follow)
        yield made
        made.close()
    engine.dispose()


def test_an_identity_that_was_never_changed_has_its_own_key_alone(registry: Registry) -> None:
    fresh = registry.new_identity()
    dids = [registry.did(fresh), registry.did(fresh).lower(), registry.key_did(fresh)]
    registry.compare(dids, [None, registry.stack.w3.eth.block_number], [registry.stack.now()])
    assert registry.history(dids[0]).changes == ()


def test_keys_services_and_delegates_appear_run_out_and_are_revoked(registry: Registry) -> None:
    me = registry.new_identity()
    delegate = registry.accounts[0].address
    first = registry.stack.w3.eth.block_number
    for name, value in ATTRIBUTES:
        registry.send(me, "setAttribute", me.address, padded(name), value, LONG)
    registry.send(me, "setAttribute", me.address, padded(b"did/svc/Soon"), b"over", SHORT)
    for kind in DELEGATES:
        registry.send(me, "addDelegate", me.address, padded(kind), delegate, SHORT)
    runs_out = registry.stack.now() + SHORT
    registry.send(me, "addDelegate", me.address, padded(b"veriKey"), delegate, LONG)
    for name, value in ATTRIBUTES[::2]:
        registry.send(me, "revokeAttribute", me.address, padded(name), value)
    registry.send(me, "revokeDelegate", me.address, padded(b"sigAuth"), delegate)
    registry.send(me, "setAttribute", me.address, padded(ATTRIBUTES[0][0]), b"\x02", LONG)
    last = registry.stack.w3.eth.block_number
    moments = [runs_out - SHORT, runs_out - 1, runs_out, runs_out + 1, runs_out + 2 * LONG]
    compared = registry.compare(
        [registry.did(me), registry.key_did(me)],
        [None, first, *range(first + 1, last, 5)],
        moments,
    )
    assert compared > 15


def test_owners_change_and_a_deactivated_identity_is_empty_for_good(registry: Registry) -> None:
    me, heir = registry.new_identity(), registry.new_identity()
    begun = registry.stack.w3.eth.block_number
    registry.send(me, "setAttribute", me.address, padded(b"did/svc/Hub"), b"https://h", LONG)
    registry.send(me, "changeOwner", me.address, heir.address)
    registry.send(heir, "addDelegate", me.address, padded(b"veriKey"), heir.address, LONG)
    registry.send(heir, "changeOwner", me.address, me.address)
    registry.send(me, "changeOwner", me.address, heir.address)
    registry.send(heir, "changeOwner", me.address, NOBODY)
    ended = registry.stack.w3.eth.block_number
    registry.compare(
        [registry.did(me), registry.key_did(me), registry.did(heir)],
        [None, *range(begun, ended + 1)],
        [registry.stack.now()],
    )
    final = registry.ours(registry.did(me), registry.stack.now(), None)
    assert (final[0]["verificationMethod"], final[1]["deactivated"]) == ([], True)


def test_changes_that_others_send_with_the_owners_signature_count_the_same(
    registry: Registry,
) -> None:
    me, friend = registry.new_identity(), registry.accounts[0].address
    name, value = padded(b"did/pub/Ed25519/veriKey/base64"), bytes(range(32))
    kind = padded(b"sigAuth")
    begun = registry.stack.w3.eth.block_number
    attribute = "address identity,bytes32 name,bytes value"
    of_delegate = "address identity,bytes32 delegateType,address delegate"
    sign = registry.send_signed
    sign(me, "setAttribute", f"{attribute},uint256 validity", me.address, name, value, LONG)
    sign(me, "addDelegate", f"{of_delegate},uint256 validity", me.address, kind, friend, LONG)
    sign(me, "revokeAttribute", attribute, me.address, name, value)
    sign(me, "revokeDelegate", of_delegate, me.address, kind, friend)
    sign(me, "changeOwner", "address identity,address newOwner", me.address, friend)
    ended = registry.stack.w3.eth.block_number
    registry.compare(
        [registry.did(me), registry.key_did(me)],
        [None, *range(begun, ended + 1)],
        [registry.stack.now() + 60],
    )


def test_any_series_of_changes_gives_one_document(registry: Registry) -> None:
    draw = random.Random(20_261_122)
    mine = [registry.new_identity() for _ in range(3)]
    begun = registry.stack.w3.eth.block_number
    for _ in range(RANDOM_ACTS):
        account = draw.choice(mine)
        me = account.address
        name, value = draw.choice(ATTRIBUTES)
        kind, other = padded(draw.choice(DELEGATES)), draw.choice(registry.accounts).address
        validity = draw.choice([0, 1, SHORT, LONG])
        act: tuple[object, ...] = draw.choice(
            [
                ("setAttribute", me, padded(name), value, validity),
                ("revokeAttribute", me, padded(name), value),
                ("addDelegate", me, kind, other, validity),
                ("revokeDelegate", me, kind, other),
                ("changeOwner", me, me),
            ]
        )
        registry.send(account, *act)  # type: ignore[arg-type]
    ended = registry.stack.w3.eth.block_number
    registry.compare(
        [registry.did(account) for account in mine],
        [None, *range(begun, ended, 6)],
        [registry.stack.now(), registry.stack.now() + SHORT],
    )


@pytest.mark.parametrize(
    "broken",
    [
        "did:ethr:0x7a69:0x1234",
        "did:ethr:0x7a69:0x02" + "ff" * 32,
        "did:ethr:0x7a69:0xFb6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "did:ethr:0x7a68:0x" + "ab" * 20,
        "did:ethr:nowhere:0x" + "ab" * 20,
        "did:ethr:0x07a69:0x" + "ab" * 20,
        "did:ethr:0x" + "ab" * 20,
    ],
)
def test_what_they_cannot_resolve_we_refuse_too(registry: Registry, broken: str) -> None:
    registry.follow()
    with pytest.raises((DidMalformed, UnsupportedError)):
        registry.history(broken)
    (answer,) = registry.theirs([(broken, registry.stack.now())])
    assert answer["error"] is not None


def test_keys_are_those_of_the_moment(registry: Registry) -> None:
    me, key = registry.new_identity(), Es256SigningKey.generate()
    name = padded(b"did/pub/Secp256r1/veriKey/hex")
    registry.send(me, "setAttribute", me.address, name, key.public_key.compressed, LONG)
    set_at = registry.stack.now()
    registry.stack.finalize()
    registry.send(me, "revokeAttribute", me.address, name, key.public_key.compressed)
    revoked_at = registry.stack.now()
    registry.follow()
    history = registry.history(registry.did(me))
    kid = f"{registry.did(me)}#delegate-1"
    for at in (set_at, revoked_at - 1):
        assert keys_at(history, at).key_for(kid, "assertionMethod").jwk == key.public_key.jwk
    for at in (set_at - 1, revoked_at, revoked_at + 1):
        with pytest.raises(KeyNotAuthorized):
            keys_at(history, at).key_for(kid, "assertionMethod")
