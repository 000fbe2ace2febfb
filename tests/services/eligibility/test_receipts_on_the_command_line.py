"""Decisions on the command line: listed, exported, checked, withdrawn, deleted; over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seoul_wallet.cli import main
from seoul_wallet.wallet_texts import TEXTS
from tests.support.city import City
from tests.support.holder_stores import PASSPHRASE
from tests.support.loopback_agency import over_http
from tests.support.receipt_case import CLAIMS, ON, YOUTH
from tests.support.registers import register_rows
from wallet.adapters.clock import SystemClock
from wallet.adapters.sql.engine import sqlite_url
from wallet.adapters.sql.holder_store import SqliteRecordStore

CONFIGURE = {"development": True, "anchor_interval_s": 1}
pytestmark = pytest.mark.loopback


@dataclass
class Terminal:
    """A terminal with a wallet that an issuer filled, and a city's agency over HTTP."""

    city: City
    file: Path

    def run(self, *arguments: str, lang: str = "en") -> Result:
        options = ["wallet", "--file", str(self.file), "--lang", lang, "--development"]
        environment = {"SEOUL_WALLET_PASSPHRASE": PASSPHRASE, "COLUMNS": "200"}
        return CliRunner().invoke(main, [*options, *arguments], env=environment)

    def present(self) -> str:
        """Answer the agency; return the id of the decision."""
        before = {held.entry_id for held in self.held()}
        opened = self.city.ask(YOUTH.id)
        sent = self.run("present", opened["link"], "--yes", "--include", "military")
        assert sent.exit_code == 0, sent.output
        (new,) = {held.entry_id for held in self.held()} - before
        return new

    def held(self) -> tuple[object, ...]:
        wallet = self.city.open_wallet("cli")
        try:
            return wallet.decisions.all()
        finally:
            wallet.close()


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("terminal")
    now = SystemClock().now()

    def build(base: str) -> City:
        rows = register_rows(YOUTH, CLAIMS, ON)
        return City(folder, now, rows, agencies=(base,), configure=CONFIGURE)

    with over_http(build) as (city, _):
        try:
            SqliteRecordStore.create(folder / "cli.wallet", PASSPHRASE).close()
            wallet = city.open_wallet("cli")
            for kind in ("residence", "military-service"):
                city.give(wallet, kind)
            city.settle()
            wallet.close()
            yield Terminal(city, folder / "cli.wallet")
        finally:
            city.close()


def test_a_decision_is_listed_exported_checked_and_asked_to_be_deleted(
    terminal: Terminal, tmp_path: Path
) -> None:
    entry_id = terminal.present()
    terminal.city.clock.set(SystemClock().now() + 2)
    terminal.city.settle()
    shown = terminal.run("decisions", "--refresh", lang="ko")
    assert shown.exit_code == 0, shown.output
    assert (entry_id[:8] in shown.output, TEXTS["ko"]["eligible"] in shown.output) == (True, True)
    out = tmp_path / "receipt.json"
    written = terminal.run("export-receipt", entry_id[:8], "--out", str(out))
    assert written.exit_code == 0, written.output
    replica = sqlite_url(terminal.city.folder / "replica.db")
    checked = CliRunner().invoke(
        main, ["receipt", "verify", str(out), "--replica", replica, "--json"]
    )
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.output)["receipt"]["outcome"] == "eligible"
    late = terminal.run("withdraw", entry_id)
    assert (late.exit_code, "already_decided_there" in late.output) == (4, True)
    answered = terminal.run("request-deletion", entry_id)
    assert answered.exit_code == 0, answered.output
    assert ("commitment_salts" in answered.output, "log_leaf" in answered.output) == (True, True)


def test_there_is_nothing_to_export_of_a_decision_that_is_not_there(
    terminal: Terminal, tmp_path: Path
) -> None:
    nobody = terminal.run("export-receipt", "nobody", "--out", str(tmp_path / "file"))
    assert (nobody.exit_code, "no_decision_receipt" in nobody.output) == (4, True)
    assert not (tmp_path / "file").exists()
