"""Presenting: who asks, what would leave the wallet, and that nothing leaves before consent."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.holder_peers import (
    CARD,
    LETTER,
    NOW,
    FixedClock,
    Issuer,
    Peers,
    Verifier,
    card_query,
    json_of,
    unplugged,
)
from wallet.credentials.jose import sign_jws
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.encoding.form import parse_form
from wallet.encoding.json import parse_json_object
from wallet.errors import SeoulWalletError
from wallet.holder.answers import AnswerUnexpected
from wallet.holder.consent import (
    ChoiceUnknown,
    ConsentRefused,
    ConsentRequest,
    NoMatchingCredential,
)
from wallet.holder.log import AlreadyPresented, LogOutcome
from wallet.holder.present import RequestExpired
from wallet.holder.requests import RequestRefused
from wallet.holder.wallet import Wallet
from wallet.ports.holder import HttpAnswer, PeerUnreachable
from wallet.protocols.client_id import ClientIdMismatch, RedirectUriClientId
from wallet.protocols.dcql import parse_dcql
from wallet.protocols.oid4vp import AuthorizationRequest, RequestNotForWallet
from wallet.protocols.oid4vp_link import build_unsigned_request_link
from wallet.protocols.oid4vp_request_object import WalletNonceMismatch


@pytest.fixture(autouse=True)
def held(wallet: Wallet, issuer: Issuer, peers: Peers) -> None:
    wallet.receive(issuer.offer().to_json())
    peers.sent.clear()


def shown(consent: ConsentRequest) -> dict[str, str]:
    return {
        "/".join(map(str, line.path)): line.value
        for answer in consent.answers
        for line in answer.choice.lines("en")
    }


def test_shows_who_asks_for_what_and_why(wallet: Wallet, verifier: Verifier) -> None:
    link = verifier.ask(card_query(["name"], ["address", "district"]))
    consent = wallet.review(link, language="ko")
    assert consent.verifier == "decentralized_identifier:did:web:agency.example"
    assert consent.authenticated
    assert consent.answers_to == "agency.example"
    assert consent.verifier_name == "마포 체육관 (가상)"
    assert consent.purpose == "Family discount"
    assert consent.missing == ()
    assert shown(consent) == {"name": "김하늘", "address/district": "마포구"}
    assert [(line.label, line.value) for line in consent.answers[0].choice.lines("ko")] == [
        ("성명", "김하늘"),
        ("주소 / district", "마포구"),
    ]


def test_sends_exactly_what_was_shown(wallet: Wallet, verifier: Verifier) -> None:
    consent = wallet.review(verifier.ask(card_query(["name"], ["address", "district"])))
    presented = wallet.present(consent)
    claims = verifier.verified["card"].claims
    assert (claims["name"], claims["address"]) == ("김하늘", {"district": "마포구"})
    assert set(claims) == {"iss", "vct", "exp", "cnf", "name", "address"}
    assert presented.redirect_uri == "https://agency.example/done"


def test_discloses_nothing_when_only_the_card_is_asked_for(
    wallet: Wallet, verifier: Verifier
) -> None:
    consent = wallet.review(verifier.ask(card_query()))
    assert shown(consent) == {}
    wallet.present(consent)
    assert set(verifier.verified["card"].claims) == {"iss", "vct", "exp", "cnf"}


def test_what_an_issuer_made_always_visible_is_shown_too(
    wallet: Wallet, verifier: Verifier, issuer: Issuer
) -> None:
    issuer.claims = {**issuer.claims, "serial": "A-17"}
    (card,) = wallet.receive(issuer.offer().to_json())
    consent = wallet.review(verifier.ask(card_query(["name"]))).choosing("card", card.id)
    assert shown(consent) == {"name": "김하늘", "serial": "A-17"}
    wallet.present(consent)
    assert verifier.verified["card"].claims["serial"] == "A-17"


def test_review_sends_nothing_to_the_verifier_but_the_fetch(
    wallet: Wallet, verifier: Verifier, peers: Peers
) -> None:
    wallet.review(verifier.ask(card_query(["name"])))
    assert [(method, body) for method, _, body in peers.sent] == [("GET", b"")]
    assert verifier.received == []
    assert wallet.log() == ()


@pytest.mark.parametrize("answer", [False, None, "yes", 1])
def test_nothing_is_sent_without_consent(wallet: Wallet, verifier: Verifier, answer: Any) -> None:
    asked: list[ConsentRequest] = []

    def ask(consent: ConsentRequest) -> Any:
        asked.append(consent)
        return answer

    with pytest.raises(ConsentRefused):
        wallet.present(verifier.ask(card_query(["name"])), ask=ask)
    assert [shown(consent) for consent in asked] == [{"name": "김하늘"}]
    assert (verifier.received, wallet.log()) == ([], ())


def test_asks_and_then_sends(wallet: Wallet, verifier: Verifier) -> None:
    wallet.present(verifier.ask(card_query(["name"])), ask=lambda consent: True)
    assert verifier.verified["card"].claims["name"] == "김하늘"


def test_a_link_is_never_presented_without_asking(wallet: Wallet, verifier: Verifier) -> None:
    with pytest.raises(ValueError, match="ask"):
        wallet.present(verifier.ask(card_query(["name"])))
    assert verifier.received == []


def test_the_log_tells_who_got_which_claims_and_no_values(
    wallet: Wallet, verifier: Verifier, clock: FixedClock
) -> None:
    clock.time += 5
    consent = wallet.review(verifier.ask(card_query(["name"], ["address", "street"])))
    entry = wallet.present(consent).entry
    assert wallet.log() == (entry,)
    assert (entry.at, entry.verifier) == (NOW + 5, consent.verifier)
    assert (entry.verifier_name, entry.purpose) == (
        "Mapo Sports Centre (synthetic)",
        "Family discount",
    )
    (card,) = entry.cards
    assert card.vct == CARD
    assert set(card.paths) == {("name",), ("address", "street")}
    assert entry.outcome is LogOutcome.ACCEPTED
    assert "김하늘" not in repr(entry)


def test_answers_one_request_once(wallet: Wallet, verifier: Verifier) -> None:
    link = verifier.ask(card_query(["name"]))
    wallet.present(wallet.review(link))
    with pytest.raises(AlreadyPresented):
        wallet.present(wallet.review(link))
    assert len(verifier.received) == 1


def test_an_answer_that_may_not_have_arrived_is_in_the_log_and_may_be_sent_again(
    wallet: Wallet, verifier: Verifier, peers: Peers
) -> None:
    consent = wallet.review(verifier.ask(card_query(["name"])))
    peers.after = unplugged("/answers")
    with pytest.raises(PeerUnreachable):
        wallet.present(consent)
    assert [entry.outcome for entry in wallet.log()] == [LogOutcome.UNANSWERED]
    peers.after = lambda url: None
    wallet.present(consent)
    assert [entry.outcome for entry in wallet.log()] == [LogOutcome.ACCEPTED]


def test_a_refused_answer_is_an_error_and_in_the_log(wallet: Wallet, verifier: Verifier) -> None:
    verifier.status = 400
    consent = wallet.review(verifier.ask(card_query(["name"])))
    with pytest.raises(RequestRefused):
        wallet.present(consent)
    assert [entry.outcome for entry in wallet.log()] == [LogOutcome.REFUSED]


def test_a_server_error_is_no_refusal(wallet: Wallet, verifier: Verifier) -> None:
    verifier.status = 503
    consent = wallet.review(verifier.ask(card_query(["name"])))
    with pytest.raises(PeerUnreachable):
        wallet.present(consent)


def test_does_not_answer_after_the_time_is_over(
    wallet: Wallet, verifier: Verifier, clock: FixedClock
) -> None:
    consent = wallet.review(verifier.ask(card_query(["name"])))
    clock.time = NOW + 300
    with pytest.raises(RequestExpired):
        wallet.present(consent)
    assert verifier.received == []


class TestChoosing:
    def test_the_newest_card_answers_unless_another_is_chosen(
        self, wallet: Wallet, verifier: Verifier, issuer: Issuer, clock: FixedClock
    ) -> None:
        (old,) = wallet.credentials()
        issuer.claims = {**issuer.claims, "name": "김바다"}
        clock.time += 1
        wallet.receive(issuer.offer().to_json())
        consent = wallet.review(verifier.ask(card_query(["name"])))
        assert shown(consent) == {"name": "김바다"}
        assert [len(answer.choices) for answer in consent.answers] == [2]
        wallet.present(consent.choosing("card", old.id))
        assert verifier.verified["card"].claims["name"] == "김하늘"

    def test_only_a_card_that_answers_can_be_chosen(
        self, wallet: Wallet, verifier: Verifier, issuer: Issuer
    ) -> None:
        (letter,) = wallet.receive(issuer.offer(LETTER).to_json())
        consent = wallet.review(verifier.ask(card_query(["name"])))
        for query_id, card_id in (("card", letter.id), ("other", consent.answers[0].query_id)):
            with pytest.raises(ChoiceUnknown):
                consent.choosing(query_id, card_id)

    def test_a_value_that_was_asked_for_decides_which_card_answers(
        self, wallet: Wallet, verifier: Verifier
    ) -> None:
        query = card_query(["name"])
        query["claims"] = [{"path": ["children"], "values": [3]}]
        assert shown(wallet.review(verifier.ask(query))) == {"children": "3"}
        query["claims"] = [{"path": ["children"], "values": [4]}]
        assert [item.query_id for item in wallet.review(verifier.ask(query)).missing] == ["card"]

    def test_optional_cards_are_given_only_when_added(
        self, wallet: Wallet, verifier: Verifier, issuer: Issuer
    ) -> None:
        wallet.receive(issuer.offer(LETTER).to_json())
        queries = (card_query(["children"]), card_query(["name"], query_id="letter", vct=LETTER))
        sets = [{"options": [["card"]]}, {"options": [["letter"]], "required": False}]
        consent = wallet.review(verifier.ask(*queries, sets=sets))
        assert shown(consent) == {"children": "3"}
        assert [answer.query_id for answer in consent.optional] == ["letter"]
        with pytest.raises(ChoiceUnknown):
            consent.including("card")
        wallet.present(consent.including("letter"))
        assert set(verifier.verified) == {"card", "letter"}
        verifier.verified.clear()
        wallet.present(wallet.review(verifier.ask(*queries, sets=sets)))
        assert set(verifier.verified) == {"card"}


class TestMissing:
    def test_says_what_is_missing_and_sends_nothing(
        self, wallet: Wallet, verifier: Verifier
    ) -> None:
        queries = (card_query(["name"]), card_query(query_id="letter", vct=LETTER))
        consent = wallet.review(verifier.ask(*queries))
        (missing,) = consent.missing
        assert (missing.query_id, missing.vct_values) == ("letter", (LETTER,))
        with pytest.raises(NoMatchingCredential) as caught:
            wallet.present(consent)
        assert caught.value.missing == (missing,)
        assert (verifier.received, wallet.log()) == ([], ())

    def test_a_card_out_of_date_does_not_answer_and_is_named(
        self, wallet: Wallet, verifier: Verifier, clock: FixedClock
    ) -> None:
        clock.time = NOW + 86400
        # Only the card's date is to be over, so the request has none.
        link = build_unsigned_request_link(unsigned(verifier))
        (missing,) = wallet.review(link).missing
        assert [card.id for card in missing.outdated] == [wallet.credentials()[0].id]

    def test_a_claim_that_the_card_does_not_have(self, wallet: Wallet, verifier: Verifier) -> None:
        consent = wallet.review(verifier.ask(card_query(["blood_type"])))
        assert [item.outdated for item in consent.missing] == [()]


def unsigned(verifier: Verifier) -> AuthorizationRequest:
    uri = f"{verifier.base}/answers"
    return AuthorizationRequest(
        client_id=RedirectUriClientId(uri),
        response_uri=uri,
        nonce="n-0S6_WzA2Mj",
        dcql_query=parse_dcql({"credentials": [card_query(["name"])]}),
    )


def test_an_unsigned_request_is_marked_as_from_nobody_in_particular(
    wallet: Wallet, verifier: Verifier
) -> None:
    consent = wallet.review(build_unsigned_request_link(unsigned(verifier)))
    assert not consent.authenticated
    assert consent.answers_to == "agency.example"
    assert consent.verifier_name == "https://agency.example/answers"


class TestReceipt:
    @pytest.mark.parametrize("state", ["pending", "included"])
    def test_is_not_sent_before_it_is_final(
        self, wallet: Wallet, verifier: Verifier, issuer: Issuer, state: str
    ) -> None:
        issuer.receipt_state = state
        wallet.update_receipts()
        wallet.present(wallet.review(verifier.ask(card_query(["name"]))))
        assert verifier.receipts == {"card": None}

    def test_is_bound_into_the_presentation_and_leads_to_the_root(
        self, wallet: Wallet, verifier: Verifier, issuer: Issuer
    ) -> None:
        from wallet.trust.receipt import parse_receipt

        wallet.receive(issuer.offer(LETTER).to_json())
        issuer.receipt_state = "final"
        wallet.update_receipts()
        wallet.present(wallet.review(verifier.ask(card_query(["name"]))))
        (presentation,) = parse_json_object(
            dict(parse_form(verifier.received[0]))["vp_token"].encode()
        )["card"]
        receipt = parse_receipt(verifier.receipts["card"])
        root = receipt.root_for(parse_sd_jwt(presentation).jws.signing_input)
        assert root == issuer.tree().root


def resigned(verifier: Verifier, **changes: Any) -> str:
    """Return a link to a request object whose claims were changed before it was signed."""
    verifier.ask(card_query(["name"]))
    claims = {**verifier.request.to_claims(), "aud": "https://self-issued.me/v2", **changes}
    key = claims.pop("key", verifier.key)
    header = {"typ": claims.pop("typ", "oauth-authz-req+jwt"), "kid": f"{verifier.did}#key-1"}
    return verifier.publish(sign_jws(key, header, claims))


REFUSED: dict[str, tuple[Callable[[Verifier], str], type[SeoulWalletError]]] = {
    "signed by another key": (
        lambda verifier: resigned(verifier, key=Es256SigningKey.generate()),
        SignatureInvalid,
    ),
    "for another audience": (
        lambda verifier: resigned(verifier, aud="https://agency.example"),
        RequestNotForWallet,
    ),
    "from another client than the link says": (
        lambda verifier: resigned(verifier, client_id="decentralized_identifier:did:web:other"),
        ClientIdMismatch,
    ),
    "to be answered at another host": (
        lambda verifier: resigned(verifier, response_uri="https://evil.example/answers"),
        ClientIdMismatch,
    ),
    "expired": (lambda verifier: resigned(verifier, exp=NOW - 3600), RequestNotForWallet),
    "not a request object": (lambda verifier: resigned(verifier, typ="jwt"), SeoulWalletError),
    "of another response mode": (
        lambda verifier: resigned(verifier, response_mode="fragment"),
        SeoulWalletError,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_does_not_even_ask_the_holder_about_a_request_that_is_not_in_order(
    wallet: Wallet, verifier: Verifier, name: str
) -> None:
    link_of, expected = REFUSED[name]
    with pytest.raises(expected):
        wallet.present(link_of(verifier), ask=lambda consent: pytest.fail("asked"))
    assert (verifier.received, wallet.log()) == ([], ())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (json_of({}, 404), RequestRefused),
        (json_of({}, 503), PeerUnreachable),
        (json_of({}, 200), AnswerUnexpected),
        (HttpAnswer(200, "application/oauth-authz-req+jwt", b"\xff.."), SeoulWalletError),
    ],
)
def test_a_request_that_cannot_be_fetched_is_a_typed_error(
    wallet: Wallet, verifier: Verifier, peers: Peers, answer: HttpAnswer, expected: type[Exception]
) -> None:
    link = verifier.ask(card_query(["name"]))
    uri = next(url for url in peers.routes if "/requests/" in url)
    peers.routes[uri] = lambda *_: answer
    with pytest.raises(expected):
        wallet.review(link)


def test_a_request_fetched_by_post_must_repeat_the_wallets_nonce(
    wallet: Wallet, verifier: Verifier, peers: Peers
) -> None:
    link = verifier.ask(card_query(["name"])) + "&request_uri_method=post"
    with pytest.raises(WalletNonceMismatch):
        wallet.review(link)
    uri = next(url for url in peers.routes if "/requests/" in url)

    def echo(_method: str, body: bytes, _bearer: str) -> HttpAnswer:
        nonce = dict(parse_form(body))["wallet_nonce"]
        url = resigned(verifier, wallet_nonce=nonce)
        return peers.routes[url_of(url)]("GET", b"", "")

    peers.routes[uri] = echo
    assert wallet.review(link).authenticated


def url_of(link: str) -> str:
    return dict(parse_form(link.partition("?")[2].encode()))["request_uri"]
