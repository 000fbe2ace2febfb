"""Whom a wallet receives from, and what it asks before it knows."""

import pytest

from tests.support.holder_peers import (
    CARD,
    LETTER,
    FixedClock,
    Issuer,
    Peers,
    json_of,
)
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.errors import SeoulWalletError
from wallet.holder.issuers import OfferNotTrusted, UnsupportedOffer
from wallet.holder.wallet import Wallet
from wallet.protocols.oid4vci.url import Oid4vciMessageMalformed


class TestWhomToTrust:
    @pytest.mark.parametrize("trusted", [frozenset(), frozenset(("https://other.example",))])
    def test_asks_an_issuer_that_is_not_on_the_list_nothing_at_all(
        self,
        trusted: frozenset[str],
        store: SqliteRecordStore,
        peers: Peers,
        issuer: Issuer,
        clock: FixedClock,
    ) -> None:
        wallet = self.wallet(trusted, store, peers, clock)
        with pytest.raises(OfferNotTrusted):
            wallet.receive(issuer.offer(tx_code="1234").to_json())
        assert peers.sent == []

    def test_takes_from_an_issuer_on_the_list(
        self, store: SqliteRecordStore, peers: Peers, issuer: Issuer, clock: FixedClock
    ) -> None:
        wallet = self.wallet(frozenset((issuer.base,)), store, peers, clock)
        assert len(wallet.receive(issuer.offer().to_json())) == 1

    def wallet(
        self,
        trusted: frozenset[str],
        store: SqliteRecordStore,
        peers: Peers,
        clock: FixedClock,
    ) -> Wallet:
        return Wallet(
            records=store,
            keys=SoftwareKeyStore(store),
            transport=peers,
            dids=peers,
            clock=clock,
            trusted_issuers=trusted,
        )

    def test_refuses_metadata_of_another_issuer(
        self, wallet: Wallet, issuer: Issuer, peers: Peers
    ) -> None:
        url = f"{issuer.base}/.well-known/openid-credential-issuer"
        peers.routes[url] = lambda *_: json_of(
            {**issuer.metadata(), "credential_issuer": "https://other.example"}
        )
        with pytest.raises(OfferNotTrusted):
            wallet.receive(issuer.offer().to_json())
        assert f"{issuer.base}/token" not in peers.urls()

    def test_refuses_an_authorization_server_that_the_issuer_does_not_name(
        self, wallet: Wallet, issuer: Issuer, peers: Peers
    ) -> None:
        offer = issuer.offer().to_json()
        for grant in offer["grants"].values():
            grant["authorization_server"] = "https://evil.example"
        with pytest.raises(OfferNotTrusted):
            wallet.receive(offer)
        assert not any("evil" in url for url in peers.urls())

    def test_refuses_http_before_it_asks_anything(self, wallet: Wallet, peers: Peers) -> None:
        issuer = Issuer(peers, base="http://localhost:8001")
        with pytest.raises(Oid4vciMessageMalformed):
            wallet.receive(issuer.offer().to_json())
        assert peers.sent == []

    @pytest.mark.parametrize(
        "link",
        [
            "openid-credential-offer://?credential_offer_uri=http://issuer.example/o",
            "openid-credential-offer://?credential_offer_uri=javascript:alert(1)",
            "openid-credential-offer://?credential_offer_uri=https://a/o&credential_offer=%7B%7D",
            "https://issuer.example/offer",
            "openid-credential-offer://",
        ],
    )
    def test_refuses_links_that_are_no_offer_without_fetching(
        self, wallet: Wallet, peers: Peers, link: str
    ) -> None:
        with pytest.raises(SeoulWalletError):
            wallet.receive(link)
        assert peers.sent == []

    def test_refuses_an_offer_of_what_the_metadata_does_not_have(
        self, wallet: Wallet, issuer: Issuer
    ) -> None:
        offer = {**issuer.offer().to_json(), "credential_configuration_ids": ["passport"]}
        with pytest.raises(UnsupportedOffer):
            wallet.receive(offer)

    def test_shows_the_issuer_before_anything_is_used_up(
        self, wallet: Wallet, issuer: Issuer, peers: Peers
    ) -> None:
        inspected = wallet.inspect_offer(issuer.offer(CARD, LETTER, tx_code="12").to_json())
        assert inspected.card_names("en") == ("Multi-child family card", "Letter")
        assert inspected.issuer_name("ko") == "서울특별시 (가상)"
        assert inspected.tx_code is not None
        assert all(method == "GET" for method, _, _ in peers.sent)
        assert len(wallet.receive(inspected, tx_code="12")) == 2
