"""The wallet's command line: against a real issuer and verifier over loopback, and its errors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seoul_wallet.wallet_cli import wallet
from seoul_wallet.wallet_texts import TEXTS
from tests.support.holder_peers import CARD, LETTER, Issuer, Peers, Verifier, card_query
from tests.support.holder_server import serve
from wallet.adapters.clock import SystemClock
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport
from wallet.ports.holder import HttpAnswer, PeerUnreachable, RedirectRefused, UrlRefused
from wallet.protocols.oid4vci.offer import build_offer_link

PASSPHRASE = "한강을 건너는 비밀 문장"


class Terminal:
    def __init__(self, file: Path) -> None:
        self.file = file

    def run(
        self,
        *arguments: str,
        lang: str = "en",
        passphrase: str | None = PASSPHRASE,
        typed: str | None = None,
    ) -> Result:
        return CliRunner().invoke(
            wallet,
            ["--file", str(self.file), "--lang", lang, "--development", *arguments],
            env={"SEOUL_WALLET_PASSPHRASE": passphrase, "COLUMNS": "200"},
            input=typed,
        )


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "my" / "wallet.db")


@pytest.fixture
def peers() -> Peers:
    return Peers(SystemClock(), development=True)


@pytest.fixture
def base(peers: Peers) -> Iterator[str]:
    with serve(peers) as url:
        yield url


@pytest.mark.loopback
class TestOverHttp:
    def test_receives_lists_shows_presents_and_logs(
        self, terminal: Terminal, peers: Peers, base: str
    ) -> None:
        issuer = Issuer(peers, base)
        verifier = Verifier(peers, issuer, base, issuer.key)
        assert terminal.run("create").exit_code == 0
        offer = build_offer_link(issuer.offer(tx_code="4711"))
        result = terminal.run("receive", offer, "--tx-code", "4711", "--yes", lang="ko")
        assert result.exit_code == 0, result.output
        assert "다둥이 행복카드" in result.output
        assert base in result.output

        assert "Multi-child family card" in terminal.run("list").output
        card_id = next(
            word
            for word in terminal.run("list").output.split()
            if len(word) == 12 and word.isalnum()
        )
        picture = terminal.file.parent / "card.svg"
        large = terminal.run("show", card_id, "--large", "--svg", str(picture)).output
        assert large.startswith("Multi-child family\ncard\n")
        assert "<title id=" in picture.read_text("utf-8")
        assert "발급 기관: " in terminal.run("show", card_id, "--read", lang="ko").output
        shown = terminal.run("show", card_id[:6], lang="ko").output
        assert "성명" in shown
        assert "김하늘" in shown

        issuer.receipt_state = "final"
        result = terminal.run("receipts", lang="ko")
        assert (result.exit_code, "확정됨" in result.output) == (0, True)

        link = verifier.ask(card_query(["name"]))
        refused = terminal.run("present", link, typed="n\n")
        assert (refused.exit_code, verifier.received) == (4, [])
        assert "consent_refused" in refused.output
        assert "김하늘" in refused.output
        assert "1988-03-14" not in refused.output

        agreed = terminal.run("present", link, typed="y\n", lang="ko")
        assert agreed.exit_code == 0, agreed.output
        assert "마포 체육관 (가상)" in agreed.output
        assert verifier.verified["card"].claims["name"] == "김하늘"
        assert verifier.receipts["card"] is not None

        log = terminal.run("log").output
        assert "did:web:localhost" in log.replace("\n", "")
        assert "김하늘" not in log

        assert terminal.run("remove", card_id, "--yes").exit_code == 0
        assert terminal.run("show", card_id).exit_code == 4

    def test_does_not_take_an_offer_without_a_yes(
        self, terminal: Terminal, peers: Peers, base: str
    ) -> None:
        issuer = Issuer(peers, base)
        terminal.run("create")
        result = terminal.run("receive", build_offer_link(issuer.offer()), typed="n\n")
        assert (result.exit_code, issuer.issued) == (4, [])
        untrusted = terminal.run(
            "--trust-issuer", "https://issuer.example", "receive", build_offer_link(issuer.offer())
        )
        assert untrusted.exit_code == 3
        assert "offer_not_trusted" in untrusted.output

    def test_names_what_is_missing(self, terminal: Terminal, peers: Peers, base: str) -> None:
        verifier = Verifier(peers, Issuer(peers, base), base)
        terminal.run("create")
        result = terminal.run("present", verifier.ask(card_query(vct=LETTER)), "--yes")
        assert result.exit_code == 4
        assert f"Missing: {LETTER}" in result.output
        assert CARD not in result.output
        assert verifier.received == []

    def test_follows_no_redirect(self, peers: Peers, base: str) -> None:
        transport = HttpHolderTransport(GuardedClient(allow_loopback_http=True))
        peers.routes[f"{base}/elsewhere"] = lambda *_: HttpAnswer(200, "text/plain", b"reached")
        for status in (301, 302, 303, 307, 308):
            peers.routes[f"{base}/here"] = lambda *_, s=status: HttpAnswer(s, "text/plain", b"")
            with pytest.raises(RedirectRefused):
                transport.get(f"{base}/here", accept="*/*")
            with pytest.raises(RedirectRefused):
                transport.post_form(f"{base}/here", b"vp_token=secret")
        assert not any(url.endswith("/elsewhere") for url in peers.urls())

    def test_sends_what_the_protocols_want(self, peers: Peers, base: str) -> None:
        transport = HttpHolderTransport(GuardedClient(allow_loopback_http=True))
        seen: list[tuple[str, bytes, str]] = []

        def echo(method: str, body: bytes, bearer: str) -> HttpAnswer:
            seen.append((method, body, bearer))
            return HttpAnswer(200, "application/json", b"{}")

        peers.routes[f"{base}/echo"] = echo
        answer = transport.get(f"{base}/echo", accept="application/json")
        transport.post(f"{base}/echo")
        transport.post_form(f"{base}/echo", b"a=1")
        transport.post_json(f"{base}/echo", {"a": "가"}, bearer="token")
        assert (answer.status, answer.content_type, answer.body) == (
            200,
            "application/json",
            b"{}",
        )
        assert seen == [
            ("GET", b"", ""),
            ("POST", b"", ""),
            ("POST", b"a=1", ""),
            ("POST", '{"a":"가"}'.encode(), "token"),
        ]

    def test_reports_who_does_not_answer_and_what_is_not_opened(self, base: str) -> None:
        transport = HttpHolderTransport(GuardedClient(allow_loopback_http=True))
        port = int(base.rpartition(":")[2])
        with pytest.raises(PeerUnreachable):
            transport.get(f"https://localhost:{port}/", accept="*/*")
        for url in ("http://127.0.0.1/", "https://10.0.0.1/", "file:///etc/passwd", "no url"):
            with pytest.raises(UrlRefused):
                transport.get(url, accept="*/*")


class TestErrors:
    def test_every_family_has_its_exit_code(self, terminal: Terminal) -> None:
        assert terminal.run("list").exit_code == 4
        assert terminal.run("create").exit_code == 0
        assert terminal.run("create").exit_code == 4
        assert terminal.run("receive", "https://not-an-offer.example").exit_code == 2
        assert terminal.run("present", "openid4vp://?client_id=x").exit_code == 2
        assert terminal.run("list", passphrase="quite another one").exit_code == 3
        assert terminal.run("show", "abc").exit_code == 4
        assert terminal.run("nonsense").exit_code == 2

    def test_tells_an_error_in_one_line_without_the_passphrase(self, terminal: Terminal) -> None:
        terminal.run("create")
        result = terminal.run("list", passphrase="quite another one")
        assert result.output.strip().splitlines() == [
            "passphrase_wrong: the passphrase does not open this store"
        ]

    def test_asks_for_the_passphrase_and_changes_it(self, terminal: Terminal) -> None:
        typed = f"{PASSPHRASE}\n{PASSPHRASE}\n"
        assert terminal.run("create", passphrase=None, typed=typed).exit_code == 0
        changed = terminal.run("passphrase", typed="a new passphrase\na new passphrase\n")
        assert changed.exit_code == 0, changed.output
        assert terminal.run("list").exit_code == 3
        result = terminal.run("list", passphrase="a new passphrase", lang="ko")
        assert (result.exit_code, result.output) == (0, "아직 증서가 없습니다\n")

    def test_says_everything_in_both_languages(self) -> None:
        assert set(TEXTS["ko"]) == set(TEXTS["en"])
        assert all(TEXTS["ko"].values())
        assert all(TEXTS["en"].values())
