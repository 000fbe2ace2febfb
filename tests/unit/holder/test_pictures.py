"""Pictures of cards from their issuer: fetched with the card, checked, kept, and safe to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.holder_peers import CARD, Issuer, Peers, json_of
from tests.support.issuing import issuer_world
from tests.support.phones import Phones
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.credentials.svg_template import MAX_SVG_BYTES, SvgTemplateRefused
from wallet.credentials.type_metadata import (
    TypeIntegrityMismatch,
    TypeMetadataMalformed,
    integrity_of,
)
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import SeoulWalletError
from wallet.holder.answers import AnswerUnexpected
from wallet.holder.cards import Card
from wallet.holder.face import face_of
from wallet.holder.pictures import KIND, SVG
from wallet.holder.wallet import Wallet
from wallet.ports.holder import HttpAnswer, PeerUnreachable, RedirectRefused, UrlRefused
from wallet.protocols.oid4vci.configuration import TYPE_METADATA_MEMBER

NAME = CARD.split(":")[2]
DOCUMENT_URL = "https://issuer.example/types/card"
PICTURE_URL = "https://issuer.example/types/card/ko.svg"
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg"><title>카드</title>'
    "<text>{{name}}</text><text>{{children}}</text><text>{{district}}</text></svg>"
)
DRAWN = "{http://www.w3.org/2000/svg}text"


def texts(svg: str) -> list[str | None]:
    return [text.text for text in ElementTree.fromstring(svg).iter(DRAWN)]


class Publisher:
    """What an issuer publishes of its cards' type, with the digests of what it really is."""

    def __init__(self, peers: Peers, issuer: Issuer) -> None:
        self.peers = peers
        self.pictures: dict[str, bytes] = {PICTURE_URL: PICTURE.encode()}
        self.links: dict[str, JsonObject] = {PICTURE_URL: {"contrast": "normal"}}
        self.vct = CARD
        self.media_type = SVG
        plain = issuer.metadata()
        peers.routes[f"{issuer.base}/.well-known/openid-credential-issuer"] = lambda *_: json_of(
            self.announced(plain)
        )
        peers.routes[DOCUMENT_URL] = lambda *_: HttpAnswer(
            200, "application/json", self.document()
        )
        self.serve()

    def serve(self) -> None:
        for url in self.pictures:
            self.peers.routes[url] = self._picture(url)

    def _picture(self, url: str) -> Callable[[str, bytes, str], HttpAnswer]:
        return lambda *_: HttpAnswer(200, self.media_type, self.pictures[url])

    def announced(self, metadata: JsonObject) -> JsonObject:
        link = {"uri": DOCUMENT_URL, "uri#integrity": integrity_of(self.document())}
        supported = metadata["credential_configurations_supported"]
        return {
            **metadata,
            "credential_configurations_supported": {
                **supported,
                NAME: {**supported[NAME], TYPE_METADATA_MEMBER: link},
            },
        }

    def document(self) -> bytes:
        templates = [
            {
                "uri": url,
                "uri#integrity": integrity_of(self.pictures.get(url, b"")),
                "properties": properties,
            }
            for url, properties in self.links.items()
        ]
        return to_json(
            {
                "vct": self.vct,
                "display": [
                    {"locale": "ko-KR", "name": "카드", "rendering": {"svg_templates": templates}}
                ],
                "claims": [
                    {"path": ["name"], "svg_id": "name"},
                    {"path": ["nickname"], "svg_id": "nickname"},
                    {"path": ["children"], "svg_id": "children"},
                    {"path": ["address", "district"], "svg_id": "district"},
                ],
            }
        )


@pytest.fixture
def publisher(peers: Peers, issuer: Issuer) -> Publisher:
    return Publisher(peers, issuer)


def received(wallet: Wallet, issuer: Issuer) -> Card:
    (card,) = wallet.receive(issuer.offer().to_json())
    return card


def test_a_card_is_shown_as_its_issuer_draws_it_also_without_a_network(
    wallet: Wallet, issuer: Issuer, publisher: Publisher, peers: Peers
) -> None:
    card = received(wallet, issuer)
    asked = len(peers.sent)
    face = wallet.pictures.face(card, "ko")
    assert face.is_issuers_picture
    assert texts(face.svg) == ["김하늘", "3", "마포구"]
    assert face.description == face_of(card, "ko").description
    assert len(peers.sent) == asked


def test_the_picture_of_a_type_is_fetched_once_for_all_its_cards(
    wallet: Wallet, issuer: Issuer, publisher: Publisher, peers: Peers
) -> None:
    for _ in range(3):
        received(wallet, issuer)
    assert peers.urls().count(DOCUMENT_URL) == peers.urls().count(PICTURE_URL) == 1


def test_a_language_that_the_issuer_did_not_draw_is_drawn_by_the_wallet(
    wallet: Wallet, issuer: Issuer, publisher: Publisher
) -> None:
    card = received(wallet, issuer)
    assert wallet.pictures.face(card, "en") == face_of(card, "en")


def test_an_issuer_that_announces_nothing_is_asked_for_nothing(
    wallet: Wallet, issuer: Issuer, peers: Peers
) -> None:
    card = received(wallet, issuer)
    assert not [url for url in peers.urls() if "types" in url]
    assert not wallet.pictures.update(card.id)
    assert wallet.pictures.face(card, "ko") == face_of(card, "ko")


def test_claims_are_text_in_the_picture_whatever_they_say(
    wallet: Wallet, issuer: Issuer, publisher: Publisher
) -> None:
    hostile = "</text><script>x</script>"
    issuer.claims = {**issuer.claims, "name": hostile, "children": [True, "\u202e\u0000b", 7]}
    face = wallet.pictures.face(received(wallet, issuer), "ko")
    assert texts(face.svg) == [hostile, "예, b, 7", "마포구"]


def test_a_claim_that_is_not_there_leaves_a_dash(
    wallet: Wallet, issuer: Issuer, publisher: Publisher
) -> None:
    publisher.pictures[PICTURE_URL] = PICTURE.replace("{{name}}", "{{nickname}}").encode()
    assert texts(wallet.pictures.face(received(wallet, issuer), "ko").svg)[0] == "-"


def test_high_contrast_and_landscape_are_chosen_where_there_is_a_choice(
    wallet: Wallet, issuer: Issuer, publisher: Publisher
) -> None:
    for kind, properties in {
        "upright": {"orientation": "portrait"},
        "dark": {"color_scheme": "dark"},
        "wide": {"orientation": "landscape"},
        "high": {"contrast": "high"},
    }.items():
        url = f"https://issuer.example/types/card/{kind}.svg"
        publisher.links[url] = properties
        publisher.pictures[url] = PICTURE.replace("{{name}}", kind).encode()
    del publisher.links[PICTURE_URL]
    publisher.serve()
    card = received(wallet, issuer)
    assert texts(wallet.pictures.face(card, "ko").svg)[0] == "wide"
    assert texts(wallet.pictures.face(card, "ko", high_contrast=True).svg)[0] == "high"


def outage(*_: object) -> HttpAnswer:
    raise PeerUnreachable("the network is down")


def redirect(*_: object) -> HttpAnswer:
    raise RedirectRefused("the answer was a redirect (302)")


def altered(publisher: Publisher) -> None:
    publisher.peers.routes[PICTURE_URL] = lambda *_: HttpAnswer(200, SVG, b"<svg/>")


def other_document(publisher: Publisher) -> None:
    publisher.peers.routes[DOCUMENT_URL] = lambda *_: json_of({"vct": CARD})


def hostile_picture(publisher: Publisher) -> None:
    publisher.pictures[PICTURE_URL] = PICTURE.replace(
        "<text>", "<script>x</script><text>"
    ).encode()


def large_picture(publisher: Publisher) -> None:
    publisher.pictures[PICTURE_URL] += b"<!--" + b"x" * 4 * MAX_SVG_BYTES + b"-->"


def place_of_no_claim(publisher: Publisher) -> None:
    publisher.pictures[PICTURE_URL] = PICTURE.replace("{{name}}", "{{resident_number}}").encode()


def elsewhere(publisher: Publisher) -> None:
    publisher.links["https://tracker.example/ko.svg"] = publisher.links.pop(PICTURE_URL)


def without_digest(publisher: Publisher) -> None:
    plain = publisher.document
    publisher.document = lambda: plain().replace(b"uri#integrity", b"uri_integrity")  # type: ignore[method-assign]


def other_type(publisher: Publisher) -> None:
    publisher.vct = "urn:example:other:1"


def as_html(publisher: Publisher) -> None:
    publisher.media_type = "text/html"


def moved(publisher: Publisher) -> None:
    publisher.peers.routes[PICTURE_URL] = redirect


def down(publisher: Publisher) -> None:
    publisher.peers.routes[DOCUMENT_URL] = outage


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (altered, TypeIntegrityMismatch),
        (other_document, TypeIntegrityMismatch),
        (hostile_picture, SvgTemplateRefused),
        (large_picture, AnswerUnexpected),
        (place_of_no_claim, SvgTemplateRefused),
        (without_digest, SvgTemplateRefused),
        (elsewhere, UrlRefused),
        (other_type, TypeMetadataMalformed),
        (as_html, AnswerUnexpected),
        (moved, RedirectRefused),
        (down, PeerUnreachable),
    ],
)
def test_a_picture_that_cannot_be_had_or_shown_costs_nothing_but_the_picture(
    wallet: Wallet,
    issuer: Issuer,
    publisher: Publisher,
    peers: Peers,
    store: SqliteRecordStore,
    change: Callable[[Publisher], None],
    error: type[SeoulWalletError],
) -> None:
    change(publisher)
    card = received(wallet, issuer)
    assert wallet.pictures.face(card, "ko") == face_of(card, "ko")
    assert store.list(KIND) == []
    with pytest.raises(error):
        wallet.pictures.update(card.id)
    assert not [url for url in peers.urls() if "tracker" in url]


def test_a_picture_that_was_not_to_be_had_is_fetched_later(
    wallet: Wallet, issuer: Issuer, publisher: Publisher, peers: Peers
) -> None:
    kept = peers.routes[DOCUMENT_URL]
    down(publisher)
    card = received(wallet, issuer)
    peers.routes[DOCUMENT_URL] = kept
    assert wallet.pictures.update(card.id)
    assert wallet.pictures.face(card, "ko").is_issuers_picture


def test_a_type_that_is_described_anew_gets_its_new_picture_and_a_bad_one_changes_nothing(
    wallet: Wallet, issuer: Issuer, publisher: Publisher
) -> None:
    card = received(wallet, issuer)
    hostile_picture(publisher)
    with pytest.raises(SvgTemplateRefused):
        wallet.pictures.update(card.id)
    assert texts(wallet.pictures.face(card, "ko").svg)[0] == "김하늘"
    publisher.pictures[PICTURE_URL] = PICTURE.replace("{{name}}", "new").encode()
    received(wallet, issuer)
    assert texts(wallet.pictures.face(card, "ko").svg)[0] == "new"


def test_pictures_go_with_the_last_card_of_their_type(
    wallet: Wallet, issuer: Issuer, publisher: Publisher, store: SqliteRecordStore
) -> None:
    cards = [received(wallet, issuer) for _ in range(2)]
    wallet.remove(cards[0].id)
    assert wallet.pictures.face(cards[1], "ko").is_issuers_picture
    wallet.remove(cards[1].id)
    assert store.list(KIND) == []


@pytest.fixture
def phones(tmp_path: Path) -> Iterator[Phones]:
    world = issuer_world(tmp_path)
    made = Phones(world, tmp_path)
    yield made
    made.close()
    world.close()


def test_the_citys_cards_have_pictures_in_both_languages_also_on_a_restored_phone(
    phones: Phones,
) -> None:
    old = phones.new("old")
    old.wallet.receive(phones.offer())
    new = phones.restore("new", *phones.back_up(old))
    phones.network.down.add("/")
    (card,) = new.wallet.credentials()
    faces = {
        (language, high): new.wallet.pictures.face(card, language, high_contrast=high)
        for language in ("ko", "en")
        for high in (False, True)
    }
    assert all(face.is_issuers_picture for face in faces.values())
    assert len({face.svg for face in faces.values()}) == 4
    for (language, _), face in faces.items():
        root = ElementTree.fromstring(face.svg)
        said = [line.value for line in card.lines(language) if line.path == ("child_count",)]
        assert root.findtext("{http://www.w3.org/2000/svg}title") == card.name(language)
        assert set(said) <= set(texts(face.svg))


def test_a_card_of_a_format_of_w3c_has_the_picture_of_its_type(phones: Phones) -> None:
    phone = phones.new("one")
    phone.wallet.receive(phones.offer(configuration_id="multi-child-family-card-ldp-sd"))
    (card,) = phone.wallet.credentials()
    face = phone.wallet.pictures.face(card, "en")
    assert face.is_issuers_picture
    assert card.name("en") in face.svg
