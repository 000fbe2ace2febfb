"""The command `seoul-wallet issuer` against a running stack, taken by a wallet."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import urllib3
from click.testing import CliRunner, Result

from seoul_wallet.cli import main
from seoul_wallet.issuer_cli import people
from seoul_wallet.stack_file import StackRefused, call, read_private
from tests.e2e.test_serve import serving
from wallet.encoding.json import JsonObject

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(180)]


def run(environ: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environ)


def browse(url: str, ready: JsonObject, person: tuple[str, str]) -> str:
    """Log in as a person and agree; return where the browser ends up."""
    http = urllib3.PoolManager()
    page = http.request("GET", url, redirect=False)
    assert page.status == 200, page.data
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    origin = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    login = {"subject_id": person[0], "holder_id": person[1]}
    for fields in (login, {"decision": "allow"}):
        text = page.data.decode()
        action = re.search(r'<form method="post" action="([^"]+)"', text)
        csrf = re.search(r'name="csrf" value="([^"]+)"', text)
        assert action is not None, text
        assert csrf is not None, text
        page = http.request(
            "POST",
            origin + action[1],
            body=urlencode({"csrf": csrf[1], **fields}),
            headers={
                "Cookie": cookie,
                "Origin": origin,
                "Content-Type": "application/x-www-form-urlencoded",
            },
            redirect=False,
        )
    location: str = page.headers["Location"]
    return location


def test_offers_that_a_wallet_takes(tmp_path: Path) -> None:
    environ = {
        "SEOUL_WALLET_STACK": str(tmp_path / "home" / "stack.json"),
        "SEOUL_WALLET_PASSPHRASE": "synthetic passphrase",
        "SEOUL_WALLET_FILE": str(tmp_path / "wallet.db"),
    }
    card = "multi-child-family-card"
    assert run(environ, "issuer", "offer", card).exit_code == 4
    with serving(tmp_path / "stack", environ=environ) as ready:
        holder = ("wallet", "--development")
        assert run(environ, *holder, "create").exit_code == 0

        offered = run(environ, "issuer", "offer", card, "--tx-code")
        assert offered.exit_code == 0, offered.output
        link, tx_code = offered.output.split()
        assert link.startswith("openid-credential-offer://?credential_offer_uri=")
        assert re.fullmatch(r"[0-9]{6}", tx_code)
        taken = run(environ, *holder, "receive", link, "--tx-code", tx_code, "--yes")
        assert taken.exit_code == 0, taken.output

        held = run(environ, "issuer", "offer", card, "--deferred").output.strip()
        waiting = run(environ, *holder, "receive", held, "--yes")
        assert waiting.exit_code == 4, waiting.output
        assert run(environ, "issuer", "approve").output.strip() == "1"
        assert run(environ, *holder, "resume").exit_code == 0

        browser = run(environ, "issuer", "offer", card, "--browser")
        begun = run(environ, *holder, "authorize", browser.output.strip())
        assert begun.exit_code == 0, begun.output
        came_back = browse(begun.output.strip(), ready, first_family(ready))
        done = run(environ, *holder, "authorized", came_back)
        assert done.exit_code == 0, done.output
        listed = run(environ, *holder, "list")
        assert listed.output.count("다둥이") + listed.output.count("Multi-child") == 3

        for arguments, code, told in (
            (("library-card",), 2, "configuration_unknown: the issuer has "),
            (("library-card", "--subject", "X"), 2, "configuration_unknown: the issuer has "),
            ((card, "--subject", "X", "--holder", "Y"), 3, "stack_refused: subject_unknown: "),
            ((card, "--subject", "한 글"), 2, "stack_request_malformed: request_malformed: "),
        ):
            bad = run(environ, "issuer", "offer", *arguments)
            assert bad.exit_code == code, bad.output
            assert bad.output.startswith(told)
            assert bad.output.count("\n") == 1


def first_family(ready: JsonObject) -> tuple[str, str]:
    """Return the person that `issuer offer` picks."""
    token = read_private(Path(ready["tokens"]))["operators"]["clerk"]
    for subject, person in people(ready, "multi-child-family-card"):
        body = {"family_id": subject, "holder_id": person}
        try:
            call(ready, "POST", f"{ready['issuer']}/operator/offers", bearer=token, body=body)
        except StackRefused:
            continue
        return subject, person
    raise AssertionError("nobody is entitled")
