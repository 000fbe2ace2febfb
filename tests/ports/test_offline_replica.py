"""The command that carries a replica to a verifier without a chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seoul_wallet.cli import main
from tests.support.chains import LedgerStack, ledger_stack
from tests.support.clock import SettableClock
from wallet.adapters.evm.follower import Follower
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.replica import SqlReplica
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url

ISSUER, SCHEMA = (bytes([n]) * 32 for n in (1, 2))


class Desk:
    """A replica that follows a chain, files around it, and the command."""

    def __init__(self, stack: LedgerStack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.engine = open_engine(self.url("online"))
        migrate(self.engine, "replica")
        self.follower = Follower(
            stack.reader, SqlReplica(self.engine), SettableClock(stack.now() + 5)
        )
        secret = Es256SigningKey.generate().secret()
        (folder / "key").touch(mode=0o600)
        (folder / "key").write_text(base64url.encode(secret), "ascii")
        (folder / "deployment.json").write_text(json.dumps(stack.deployment.to_json()), "utf-8")

    def url(self, name: str) -> str:
        return sqlite_url(self.folder / f"{name}.db")

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["anchor", *arguments])

    def export(self, name: str) -> Path:
        out = self.folder / name
        files = ("--signing-key-file", str(self.folder / "key"), "--out", str(out))
        done = self.run("export", "--replica", self.url("online"), *files)
        assert done.exit_code == 0, done.output
        (self.folder / "operator.jwk").write_text(done.stdout, "ascii")
        return out

    def import_(self, bundle: Path) -> Result:
        operator = ("--operator-key", str(self.folder / "operator.jwk"))
        deployment = ("--deployment", str(self.folder / "deployment.json"))
        return self.run(
            *("import", "--bundle", str(bundle), "--replica", self.url("offline")),
            *operator,
            *deployment,
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with ledger_stack("eth-tester") as stack:
        made = Desk(stack, tmp_path)
        yield made
        made.engine.dispose()


def test_an_offline_verifier_knows_what_the_online_one_knew(desk: Desk) -> None:
    until = desk.stack.now() + 100_000
    desk.stack.root.accredit_accreditor(desk.stack.accreditor_address, SCHEMA, until)
    desk.stack.accreditor.accredit_issuer(ISSUER, desk.stack.controller_address, SCHEMA, until)
    desk.follower.run_once()
    done = desk.import_(desk.export("first"))
    assert done.exit_code == 0, done.output
    assert "1 node(s) agreed, not proven" in done.stderr
    offline = open_engine(desk.url("offline"))
    asked = (ISSUER, SCHEMA, None, None)
    facts = SqlReplica(offline).anchor_facts(*asked)
    assert facts == SqlReplica(desk.engine).anchor_facts(*asked)
    assert facts.value.accredited(desk.stack.now())
    offline.dispose()


def test_a_forged_an_older_and_a_foreign_bundle_end_with_one_line(desk: Desk) -> None:
    desk.follower.run_once()
    older = desk.export("older")
    desk.stack.root.accredit_accreditor(
        desk.stack.accreditor_address, SCHEMA, desk.stack.now() + 100
    )
    desk.follower.run_once()
    newer = desk.export("newer")
    assert desk.import_(newer).exit_code == 0
    forged = desk.folder / "forged"
    forged.write_bytes(newer.read_bytes().replace(b'"proven":false', b'"proven":true '))
    for bundle, code, status in ((older, "bundle_older", 4), (forged, "bundle_invalid", 3)):
        done = desk.import_(bundle)
        assert done.exit_code == status
        assert done.output.startswith(f"{code}: ")
        assert done.output.count("\n") == 1
    stranger = Es256SigningKey.generate().public_key.jwk
    (desk.folder / "operator.jwk").write_text(json.dumps(stranger), "ascii")
    assert desk.import_(newer).output.startswith("signature_invalid: ")


def test_an_empty_replica_is_not_exported(desk: Desk) -> None:
    files = ("--signing-key-file", str(desk.folder / "key"), "--out", str(desk.folder / "none"))
    done = desk.run("export", "--replica", desk.url("online"), *files)
    assert (done.exit_code, done.stderr.split(":")[0]) == (5, "replica_empty")
    assert not (desk.folder / "none").exists()
