"""Every command of the operators on a real node: what it does, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from eth_account import Account

from seoul_wallet.anchor.gas import ANCHOR_BATCH, gas_of
from seoul_wallet.cli import main
from tests.anchor.desk import CARD, DID, Desk, open_desk
from wallet.adapters.evm.authority import Controller
from wallet.adapters.evm.deployment import parse_deployment
from wallet.adapters.evm.node import connect
from wallet.adapters.evm.sender import Sender
from wallet.adapters.sql.engine import open_engine, sqlite_url
from wallet.adapters.sql.replica import SqlReplica
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey
from wallet.crypto.merkle import MerkleTree
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.trust.receipt import AnchorReceipt, batch_leaf

pytestmark = [pytest.mark.anvil, pytest.mark.loopback]
UNTIL = "2099-12-31"
SIGNED = b"signed input"
SALT = bytes(range(32))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("desk")) as made:
        made.snapshot = made.node.request("evm_snapshot", [])
        yield made


@pytest.fixture
def desk(fresh: Desk) -> Desk:
    """The desk after `deploy`: every test starts there."""
    fresh.node.request("evm_revert", [fresh.snapshot])
    fresh.snapshot = fresh.node.request("evm_snapshot", [])
    for name in fresh.addresses:
        fresh.node.fund(fresh.addresses[name])
    return fresh


@pytest.fixture
def accredited(desk: Desk) -> Desk:
    """`accreditor` accredited the issuer, which acts through `controller`."""
    mandate = ("accredit", "accreditor", desk.person("accreditor"), "--type", CARD)
    desk.done(*mandate, "--until", UNTIL, by="root")
    given = ("accredit", "issuer", "--did", DID, "--type", CARD, "--until", UNTIL)
    desk.done(*given, "--controller", desk.person("controller"), by="accreditor")
    return desk


def test_deploy_writes_a_file_that_services_read_and_never_overwrites_it(desk: Desk) -> None:
    deployment = parse_deployment(parse_json_object(desk.deployment.read_bytes()))
    w3 = desk.node.w3
    for pin in deployment.contracts.values():
        assert len(w3.eth.get_code(w3.to_checksum_address(pin.address))) > 0
    again = desk.run("deploy", "--out", str(desk.deployment), by="root")
    assert again.exit_code == 2
    assert "file_unusable" in again.stderr


def test_the_whole_life_of_an_issuer(accredited: Desk) -> None:
    desk = accredited
    for role in ("suspender", "registrar"):
        desk.done("accredit", role, desk.person(role), by="root")
    service = ("--did", DID, "--type", CARD, "--purpose", "신분 확인", "--claims", '[["a"]]')
    desk.done("accredit", "verifier", *service, "--until", UNTIL, by="registrar")
    desk.done("revoke", "verifier", *service, by="registrar")
    desk.done("suspend", DID, by="suspender")
    desk.finalize()
    shown = json.loads(desk.done("status", "--did", DID, "--type", CARD, "--json"))
    assert shown["issuer"]["suspended"] is True
    assert shown["issuer"]["controller"] == desk.addresses["controller"].lower()
    assert len(shown["issuer"][CARD]) == 1
    assert "revoked" not in shown["issuer"][CARD][0]
    desk.done("suspend", DID, "--lift", by="root")
    desk.done("controller", DID, desk.person("successor"), by="controller")
    desk.done("revoke", "issuer", "--did", DID, "--type", CARD, by="accreditor")
    desk.done("revoke", "accreditor", desk.addresses["accreditor"], "--type", CARD, by="root")
    for role in ("suspender", "registrar"):
        desk.done("revoke", role, desk.addresses[role], by="root")
    desk.finalize()
    shown = json.loads(desk.done("status", "--did", DID, "--type", CARD, "--json"))
    assert shown["issuer"]["suspended"] is False
    assert shown["issuer"]["controller"] == desk.addresses["successor"].lower()
    assert "revoked" in shown["issuer"][CARD][0]
    assert "no difference" in desk.done("audit", "--without-replica")


def test_where_root_is_another_it_lists_the_contracts_itself(desk: Desk, tmp_path: Path) -> None:
    made = tmp_path / "deployment.json"
    elsewhere = {"SEOUL_WALLET_DEPLOYMENT": str(made)}
    root = desk.person("city")
    desk.done("deploy", "--out", str(made), "--root", root, by="root")
    desk.finalize()
    shown = json.loads(desk.done("status", "--json", **elsewhere))
    assert "does not list" in shown["directory"]
    unlisted = desk.run("audit", "--without-replica", **elsewhere)
    assert (unlisted.exit_code, unlisted.stderr.split(":")[0]) == (3, "audit_difference")
    names = [name for name in shown["contracts"] if name != "Directory"]
    for name in names:
        desk.done("list", name, by="city", **elsewhere)
    assert desk.run("list", "Directory", by="city", **elsewhere).exit_code == 2
    desk.finalize()
    assert "no difference" in desk.done("audit", "--without-replica", **elsewhere)
    desk.done("deprecate", "BallotBoard", "1", by="city", **elsewhere)
    desk.finalize()
    assert "deprecated: BallotBoard" in desk.done("status", **elsewhere)
    assert "no difference" in desk.done("audit", "--without-replica", **elsewhere)


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (("revoke", "issuer", "--did", DID, "--type", CARD), "NotRootNorGivingAccreditor"),
        (("suspend", DID), "AccessControlUnauthorizedAccount"),
        (("suspend", DID, "--lift"), "AccessControlUnauthorizedAccount"),
        (("controller", DID, "0x" + "11" * 20), "NotRootNorController"),
        (("revoke", "batch", "--did", DID, "--root", "11" * 32), "UnknownBatch"),
        (
            ("accredit", "accreditor", "0x" + "11" * 20, "--type", CARD, "--until", UNTIL),
            "AccessControlUnauthorizedAccount",
        ),
    ],
)
def test_what_the_contracts_refuse_is_told_in_one_line(
    accredited: Desk, arguments: tuple[str, ...], refusal: str
) -> None:
    result = accredited.run(*arguments, by="outsider")
    assert result.exit_code == 4
    assert result.stderr == f"ledger_refused: the contract refused: {refusal}\n"


def test_a_call_can_be_printed_for_a_multisignature_contract(desk: Desk) -> None:
    mandate = ("accredit", "accreditor", desk.person("accreditor"), "--type", CARD)
    call = json.loads(desk.done(*mandate, "--until", UNTIL, "--print-call"))
    deployment = parse_deployment(parse_json_object(desk.deployment.read_bytes()))
    assert call["to"].lower() == deployment.registry
    root = Sender.from_secret(desk.node.w3, bytes.fromhex(desk.keys["root"].read_text()))
    # As the multisignature contract would send it; nothing was sent before.
    before = desk.node.w3.eth.get_transaction_count(desk.node.w3.to_checksum_address(root.address))
    transaction = {"from": desk.addresses["root"], "to": call["to"], "data": call["data"]}
    desk.node.request("anvil_impersonateAccount", [desk.addresses["root"]])
    desk.node.w3.eth.send_transaction(transaction)  # type: ignore[arg-type]
    desk.finalize()
    after = desk.node.w3.eth.get_transaction_count(desk.node.w3.to_checksum_address(root.address))
    assert after == before + 1
    given = ("accredit", "issuer", "--did", DID, "--type", CARD, "--until", UNTIL)
    desk.done(*given, "--controller", desk.person("controller"), by="accreditor")


def test_a_key_is_taken_from_a_file_that_only_its_owner_reads(desk: Desk, tmp_path: Path) -> None:
    act = ("accredit", "suspender", "0x" + "11" * 20)
    open_file = tmp_path / "open.key"
    open_file.write_text(desk.keys["root"].read_text())
    open_file.chmod(0o644)
    refused = desk.run(*act, "--key-file", str(open_file))
    assert refused.exit_code == 2
    assert "operator_key_unusable: others may read the key file" in refused.stderr
    secret = desk.keys["root"].read_text()
    assert secret not in refused.output
    desk.done(*act, SEOUL_WALLET_OPERATOR_KEY="0x" + secret)


def test_a_key_may_be_in_an_encrypted_keystore(desk: Desk, tmp_path: Path) -> None:
    keystore = tmp_path / "root.json"
    keystore.touch(mode=0o600)
    secret = desk.keys["root"].read_text()
    keystore.write_text(json.dumps(Account.encrypt(secret, "correct horse", iterations=2)))
    act = ("accredit", "suspender", "0x" + "12" * 20, "--key-file", str(keystore))
    wrong = desk.run(*act, SEOUL_WALLET_KEY_PASSPHRASE="battery staple")
    assert wrong.exit_code == 2
    assert "operator_key_unusable" in wrong.stderr
    desk.done(*act, SEOUL_WALLET_KEY_PASSPHRASE="correct horse")


@pytest.mark.parametrize("text", ["", "zz", "00" * 32, "11" * 31, "{}"])
def test_what_is_no_key_is_refused(desk: Desk, tmp_path: Path, text: str) -> None:
    path = tmp_path / "no.key"
    path.touch(mode=0o600)
    path.write_text(text)
    act = ("accredit", "suspender", "0x" + "13" * 20, "--key-file", str(path))
    result = desk.run(*act, SEOUL_WALLET_KEY_PASSPHRASE="")
    assert result.exit_code == 2
    assert "operator_key_unusable" in result.stderr


def anchor_one(desk: Desk, folder: Path) -> tuple[Path, tuple[str, ...], bytes]:
    """Anchor a batch with one known leaf; return its receipt and what it is for."""
    leaves = [batch_leaf(SALT, SIGNED), *(bytes([n]) * 32 for n in range(63))]
    tree = MerkleTree(leaves)
    w3 = connect(desk.node.url)
    deployment = parse_deployment(parse_json_object(desk.deployment.read_bytes()))
    key = Sender.from_secret(w3, bytes.fromhex(desk.keys["controller"].read_text()))
    place = issuer_id(DID), schema_id(CARD), tree.root
    Controller(w3, deployment, key).anchor_batch(*place, tree.size, sha256(b"manifest"))
    desk.finalize()
    receipt = folder / "receipt.json"
    made = AnchorReceipt(0, tree.size, tree.inclusion_path(0), SALT)
    receipt.write_text(json.dumps(made.to_json()))
    of = ("--digest", sha256(SIGNED).hex(), "--issuer", DID, "--type", CARD)
    return receipt, of, tree.root


def test_a_receipt_is_verified_against_the_chain_and_against_a_replica(
    accredited: Desk, tmp_path: Path
) -> None:
    desk = accredited
    receipt, of, root = anchor_one(desk, tmp_path)
    replica = str(tmp_path / "replica.db")
    desk.done("follow", "--replica", replica)
    asked = ("verify-receipt", "--receipt", str(receipt), *of)
    for how in ((), ("--replica", replica)):
        answer = json.loads(desk.done(*asked, *how))
        assert answer["root"] == "0x" + root.hex()
        assert answer["accredited_then"] is True
    for change, code, status in (
        (("--digest", "22" * 32), "anchor_not_final", 5),
        (("--type", "urn:example:other"), "inclusion_proof_invalid", 3),
        (("--issuer", "did:web:other.example"), "anchor_not_final", 5),
    ):
        result = desk.run(*asked, *change, "--replica", replica)
        assert (result.exit_code, result.stderr.split(":")[0]) == (status, code)
    desk.done("revoke", "batch", "--did", DID, "--root", root.hex(), by="controller")
    desk.finalize()
    desk.done("follow", "--replica", replica)
    withdrawn = desk.run(*asked, "--replica", replica)
    assert (withdrawn.exit_code, withdrawn.stderr.split(":")[0]) == (3, "batch_revoked")
    shown = json.loads(desk.done("status", "--replica", replica, "--json"))
    assert shown["replica"]["proven"] is True
    assert shown["replica"]["alarm"] is None


def test_a_bundle_goes_to_a_machine_without_a_chain(accredited: Desk, tmp_path: Path) -> None:
    desk = accredited
    receipt, of, _ = anchor_one(desk, tmp_path)
    replica, bundle, key = (str(tmp_path / name) for name in ("a.db", "bundle", "key"))
    public, other = tmp_path / "public.jwk", tmp_path / "other.jwk"
    Path(key).touch(mode=0o600)
    Path(key).write_text(base64url.encode(Es256SigningKey.generate().secret()))
    other.write_text(json.dumps(dict(Es256SigningKey.generate().public_key.jwk)))
    export = ("export", "--replica", replica, "--signing-key-file", key, "--out", bundle)
    assert desk.run(*export).exit_code == 2  # there is no such replica
    desk.done("follow", "--replica", replica)
    public.write_text(desk.done(*export))
    offline = {"SEOUL_WALLET_RPC_URL": "http://127.0.0.1:1"}
    elsewhere = str(tmp_path / "b.db")
    bring = ("import", "--replica", elsewhere, "--bundle", bundle, "--operator-key")
    refused = desk.run(*bring, str(other), **offline)
    assert (refused.exit_code, refused.stderr.split(":")[0]) == (3, "signature_invalid")
    desk.done(*bring, str(public), **offline)
    asked = ("verify-receipt", "--receipt", str(receipt), *of, "--replica", elsewhere)
    assert json.loads(desk.done(*asked, **offline))["index"] == 0


def test_a_replica_is_started_anew_after_an_alarm(accredited: Desk, tmp_path: Path) -> None:
    desk = accredited
    desk.finalize()
    replica = tmp_path / "replica.db"
    desk.done("follow", "--replica", str(replica))
    engine = open_engine(sqlite_url(replica))
    SqlReplica(engine).raise_alarm("a finalized block was replaced")
    stopped = desk.run("follow", "--replica", str(replica))
    assert (stopped.exit_code, stopped.stderr.split(":")[0]) == (5, "replica_diverged")
    desk.done("start-anew", "--replica", str(replica), "--yes")
    assert SqlReplica(engine).alarm() is None
    engine.dispose()
    assert "no difference" in desk.done("audit", "--replica", str(replica))


def test_a_deployment_of_another_chain_ends_every_command(desk: Desk, tmp_path: Path) -> None:
    stored = json.loads(desk.deployment.read_text())
    for change, message in (
        ({"chain_id": 5}, "on another chain"),
        ({"contracts": {}}, "names the contracts"),
    ):
        path = tmp_path / "deployment.json"
        path.write_text(json.dumps({**stored, **change}))
        for command in (("status",), ("suspend", DID), ("audit", "--without-replica")):
            result = desk.run(*command, by="root", SEOUL_WALLET_DEPLOYMENT=str(path))
            assert result.exit_code == 2
            assert "deployment_mismatch" in result.stderr
            assert message in result.stderr


def test_a_node_that_does_not_answer_is_told_in_one_line(desk: Desk) -> None:
    for command in (("status",), ("suspend", DID), ("audit", "--without-replica")):
        result = desk.run(*command, by="root", SEOUL_WALLET_RPC_URL="http://127.0.0.1:1")
        assert result.exit_code == 5
        assert result.stderr.startswith("chain_unavailable: ")
        assert result.stderr.count("\n") == 1


def test_anchoring_costs_what_the_snapshot_says(accredited: Desk, tmp_path: Path) -> None:
    anchor_one(accredited, tmp_path)
    w3 = accredited.node.w3
    block = w3.eth.get_block(w3.eth.block_number - 3)
    first = int(block["gasUsed"])
    assert gas_of(ANCHOR_BATCH) < first < gas_of(ANCHOR_BATCH) + 20_000


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(main, ["anchor", "--help"]).output
    for name in (
        *("deploy", "list", "status", "accredit", "revoke", "suspend", "controller"),
        *("verify-receipt", "audit", "cost", "rehearse"),
        *("follow", "export", "import", "start-anew"),
    ):
        assert f"  {name} " in shown
