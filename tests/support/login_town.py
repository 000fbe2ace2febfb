"""A city whose verifier logs people in, served over loopback; residents are synthetic."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from werkzeug.serving import make_server

from tests.support.city import City
from tests.support.relying_party import NOW, Browser, Site, relying_parties
from wallet.encoding.json import JsonObject
from wallet.holder.cards import Card
from wallet.holder.wallet import Wallet

WORKER: Final = "SYN-P-1"
EMPLOYER: Final = "SYN-P-2"
OTHER: Final = "SYN-P-3"
LEAVER: Final = "SYN-P-4"


def residence(birth_date: str) -> JsonObject:
    """Return a row of the register of residents."""
    return {
        "birth_date": birth_date,
        "registration_kind": "resident",
        "first_day": "2019-05-01",
        "last_day": None,
        "city_or_province": "서울특별시",
        "district": "마포구",
    }


class LoginTown:
    """The city, the verifier's server on loopback, and what people do there."""

    def __init__(self, folder: Path) -> None:
        self._server = make_server("localhost", 0, self._serve, threaded=True)
        self.provider = f"http://localhost:{self._server.server_port}"
        self.city = City(
            folder,
            NOW,
            {
                "residence": [
                    (WORKER, residence("1990-01-01")),
                    (EMPLOYER, residence("1970-01-01")),
                    (OTHER, residence("1985-01-01")),
                    (LEAVER, residence("1995-01-01")),
                ]
            },
            agencies=(self.provider,),
            configure={"development": True, "oidc": relying_parties()},
            development=True,
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = self.city.verifiers[self.provider].app(environ, start_response)
        return answer

    def wallet_of(self, person: str, name: str) -> tuple[Wallet, Card]:
        """Return a new wallet with the person's account."""
        wallet = self.city.open_wallet(name)
        card = self.city.give(wallet, "account", person, person)
        self.city.settle()
        return wallet, card

    def restart(self) -> None:
        """End the verifier and begin again over its database."""
        self.city.restart(self.provider)

    def answer(self, site: Site, wallet: Wallet, **more: str) -> str:
        """Log in with the wallet on the same device; return where the browser ends up."""
        browser = Browser(self.provider)
        page = browser.open(site.start(**more))
        assert page.status_code == 200, page.text
        assert browser.agree(page).status_code == 303
        presented = wallet.present(wallet.review(browser.wallet_link()))
        assert presented.redirect_uri is not None
        return callback_of(browser.open(presented.redirect_uri))

    def log_in(self, site: Site, wallet: Wallet, **more: str) -> JsonObject:
        """Log in and return the claims of the ID token."""
        token = site.exchange(self.answer(site, wallet, **more))
        return site.claims(token, now=self.city.clock.now())

    def close(self) -> None:
        """Stop the server and release the databases."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.city.close()


def callback_of(answer: requests.Response) -> str:
    """Return where the provider sends the browser at the site."""
    assert answer.status_code == 303, answer.text
    target = answer.headers["Location"]
    assert urlsplit(target).hostname in ("library.example", "clinic.example")
    return target
