"""The history: searched, with what came after, exported to a file of the holder's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.holder_peers import NOW, FixedClock, Issuer, Peers, Verifier, card_query
from tests.support.holder_stores import create_store
from wallet.holder.decision_records import FollowUp
from wallet.holder.history import History
from wallet.holder.log import DisclosedCard, LogEntry, LogOutcome, PresentationLog
from wallet.holder.recovery import ExportExists, ExportUnavailable
from wallet.holder.requests import RequestRefused
from wallet.holder.wallet import Wallet
from wallet.ports.holder import Put


@pytest.fixture(autouse=True)
def shown(wallet: Wallet, issuer: Issuer, peers: Peers, clock: FixedClock) -> None:
    """Two presentations, the second refused by its verifier a minute later."""
    wallet.receive(issuer.offer().to_json())
    wallet.present(wallet.review(Verifier(peers, issuer).ask(card_query(["name"])), language="ko"))
    clock.time += 60
    library = Verifier(peers, issuer, "https://library.example", status=400)
    with pytest.raises(RequestRefused):
        wallet.present(wallet.review(library.ask(card_query(["address", "district"]))))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", 2),
        ("agency.example", 1),
        ("체육관", 1),
        ("LIBRARY", 1),
        ("address/district", 1),
        ("multi-child", 2),
        ("multi-child refused", 1),
        ("family discount", 2),
        ("name library", 0),
        ("김하늘", 0),
    ],
)
def test_finds_by_words_in_what_is_kept(wallet: Wallet, words: str, found: int) -> None:
    assert len(wallet.history.entries(words)) == found


def test_finds_by_time_and_outcome(wallet: Wallet) -> None:
    whole = wallet.history.entries()
    assert [item.entry for item in whole] == list(wallet.log())
    assert wallet.history.entries(since=NOW + 60) == whole[1:]
    assert wallet.history.entries(until=NOW + 60) == whole[:1]
    assert wallet.history.entries(outcome=LogOutcome.REFUSED) == whole[1:]


def test_tells_how_the_request_stood_and_what_was_promised(wallet: Wallet) -> None:
    entry = wallet.history.entries()[0].entry
    assert (entry.registration, entry.certificate, entry.retention_days) == (
        "unchecked",
        None,
        None,
    )
    assert [card.for_another for card in entry.cards] == [False]


def test_exports_to_a_new_file_that_only_its_owner_reads(wallet: Wallet, tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    assert wallet.history.export(file) == 2
    assert file.stat().st_mode & 0o777 == 0o600
    document = json.loads(file.read_bytes())
    assert document["format"] == "urn:seoul-wallet:history:1"
    first = document["entries"][0]
    assert first["cards"][0]["claims"] == [["name"]]
    assert (first["receipt"], first["withdrawal"], first["deletion"]) == (None, None, None)
    assert "김하늘" not in file.read_text()
    with pytest.raises(ExportExists):
        wallet.history.export(file)
    assert json.loads(file.read_bytes()) == document


def test_an_export_may_be_of_what_was_found(wallet: Wallet, tmp_path: Path) -> None:
    assert wallet.history.export(tmp_path / "part.json", "library") == 1
    with pytest.raises(ExportUnavailable):
        wallet.history.export(tmp_path / "no" / "such" / "folder.json")


def test_shows_what_came_after_when_there_is_something(tmp_path: Path) -> None:
    with create_store(tmp_path / "other.db") as store:
        log = PresentationLog(store)
        card = DisclosedCard("card", "urn:x", (("name",),))
        for name in ("one", "two"):
            log.begin(LogEntry(name, 5, "v", "V", "", (card,), LogOutcome.ACCEPTED))
        after = {"two": FollowUp("receipt", "withdrawal", None)}
        history = History(log, lambda entry_id: after.get(entry_id, FollowUp()))
        one, two = history.entries()
        assert one.follow_up == FollowUp()
        assert two.to_json()["receipt"] == "receipt"
        assert two.to_json()["withdrawal"] == "withdrawal"
        assert two.to_json()["deletion"] is None


def test_an_entry_of_before_is_still_read(tmp_path: Path) -> None:
    old = (
        b'{"at":5,"verifier":"v","verifier_name":"V","purpose":"p","outcome":"accepted",'
        b'"cards":[{"card_id":"c","vct":"t","paths":[["a",0]]}]}'
    )
    with create_store(tmp_path / "old.db") as store:
        store.write(Put("log", "old", old, 0))
        (entry,) = PresentationLog(store).entries()
        assert entry.retention_days is None
        assert entry.cards == (DisclosedCard("c", "t", (("a", 0),)),)
