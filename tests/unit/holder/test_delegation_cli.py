"""Delegating and the history on the command line, between two wallets and an issuer's host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seoul_wallet.wallet_cli import wallet
from tests.support.holder_peers import Issuer, Peers, Verifier, card_query
from tests.support.holder_server import serve
from wallet.adapters.clock import SystemClock
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.holder.cards import HeldCredentials
from wallet.holder.copies import Copies
from wallet.ports.holder import Delete, HttpAnswer
from wallet.protocols.oid4vci.offer import build_offer_link

PASSPHRASE = "한강을 건너는 비밀 문장"


def run(file: Path, *arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(
        wallet,
        ["--file", str(file), "--lang", "en", "--development", *arguments],
        env={"SEOUL_WALLET_PASSPHRASE": PASSPHRASE, "COLUMNS": "240"},
        input=typed,
    )


@pytest.fixture
def peers() -> Peers:
    return Peers(SystemClock(), development=True)


@pytest.fixture
def base(peers: Peers) -> Iterator[str]:
    with serve(peers) as url:
        yield url


def with_a_spare_copy(file: Path) -> str:
    """Make one of two equal cards the spare copy of the other, as a batch would have."""
    with SqliteRecordStore.open(file, PASSPHRASE) as store:
        held = HeldCredentials(store)
        first, second = held.all()
        Copies(store, SoftwareKeyStore(store), held).add(
            first.id, (second,), Delete("credential", second.id)
        )
    return first.id


@pytest.mark.loopback
def test_delegates_lists_revokes_and_tells_the_history(
    tmp_path: Path, peers: Peers, base: str
) -> None:
    mine, theirs = tmp_path / "mine.db", tmp_path / "theirs.db"
    issuer = Issuer(peers, base)
    for file in (mine, theirs):
        assert run(file, "create").exit_code == 0
    for _ in range(2):
        assert run(mine, "receive", build_offer_link(issuer.offer()), "--yes").exit_code == 0
    card_id = with_a_spare_copy(mine)

    invited = run(theirs, "delegations", "invite", "--name", "김돌봄")
    assert invited.exit_code == 0, invited.output
    to = invited.stdout.strip()
    asked = ("delegate", card_id[:6], to, "--claim", "name", "--relation", "carer", "--days", "3")
    refused = run(mine, *asked, typed="n\n")
    assert (refused.exit_code, "consent_refused" in refused.output) == (4, True)
    given = run(mine, *asked, "--yes")
    assert given.exit_code == 0, given.output
    package = given.stdout.strip().splitlines()[-1]

    taken = run(theirs, "delegations", "accept", package)
    assert taken.exit_code == 0, taken.output
    assert "delegated" in taken.output
    assert "김돌봄" in given.stderr
    found = re.search(r"[A-Za-z0-9_-]{22}", given.stderr)
    assert found is not None

    revoked: list[bytes] = []

    def revoke(_method: str, body: bytes, _bearer: str) -> HttpAnswer:
        revoked.append(body)
        return HttpAnswer(204, "", b"")

    peers.routes[f"{base}/revocations"] = revoke
    ended = run(mine, "delegations", "revoke", found[0][:6], "--yes")
    assert ended.exit_code == 0, ended.output
    assert [sorted(json.loads(body)) for body in revoked] == [["presentation"]]
    listed = run(mine, "delegations").output
    assert found[0] in listed
    assert "revoked" in listed

    verifier = Verifier(peers, issuer, base, issuer.key)
    shown = run(mine, "present", verifier.ask(card_query(["name"])), "--yes")
    assert shown.exit_code == 0, shown.output
    assert "not said" in shown.output
    assert "Mapo" in run(mine, "history", "--search", "family").output
    file = tmp_path / "history.json"
    assert run(mine, "history", "--export", str(file)).exit_code == 0
    assert len(json.loads(file.read_bytes())["entries"]) == 1
