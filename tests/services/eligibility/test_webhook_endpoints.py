"""Where webhooks go: endpoints and their secrets from files, and the sender that posts."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from verifier.recheck.endpoints import (
    WebhookEndpoint,
    WebhookFileMalformed,
    read_webhook_endpoints,
)
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.webhooks import HttpWebhookSender
from wallet.errors import SeoulWalletError
from wallet.ports.webhooks import WebhookUndeliverable
from wallet.protocols.client_id import ClientUrlMalformed
from wallet.protocols.standard_webhooks import WebhookSecretMalformed

SECRET = b"a synthetic secret of an agency."


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status = {"/in": 204, "/away": 302}[self.path]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/in")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.mark.loopback
def test_the_sender_follows_no_redirect_and_visits_no_address_that_is_not_public() -> None:
    with HTTPServer(("127.0.0.1", 0), _Hook) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            base = f"http://localhost:{server.server_port}"
            development = GuardedClient(allow_loopback_http=True)
            assert HttpWebhookSender(development).post(base + "/in", b"{}", {}) == 204
            assert HttpWebhookSender(development).post(base + "/away", b"{}", {}) == 302
            guarded = HttpWebhookSender(GuardedClient())
            for url in (base + "/in", "https://127.0.0.1/in", "https://10.0.0.1/", "ftp://x/"):
                with pytest.raises(WebhookUndeliverable):
                    guarded.post(url, b"{}", {})
            development.close()
        finally:
            server.shutdown()
            thread.join()


GOOD: dict[str, Any] = {
    "name": "agency",
    "url": "https://hooks.example/in",
    "secret_files": ["secret"],
}


def read_file(folder: Path, body: Any) -> tuple[WebhookEndpoint, ...]:
    (folder / "secret").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    (folder / "short").write_text("whsec_AAAA")
    (folder / "hooks.json").write_text(json.dumps(body))
    return read_webhook_endpoints(folder / "hooks.json", development=False)


def test_endpoints_and_their_secrets_are_read_from_files(tmp_path: Path) -> None:
    (found,) = read_file(tmp_path, {"endpoints": [GOOD]})
    assert (found.name, found.url, len(found.secrets[0])) == ("agency", GOOD["url"], 24)
    assert found.takes("anything")
    (some,) = read_file(tmp_path, {"endpoints": [{**GOOD, "programmes": ["a"]}]})
    assert (some.takes("a"), some.takes("b")) == (True, False)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, WebhookFileMalformed),
        ({"endpoints": {}}, WebhookFileMalformed),
        ({"endpoints": [GOOD] * 2}, WebhookFileMalformed),
        ({"endpoints": [GOOD] * 17}, WebhookFileMalformed),
        ({"endpoints": [{**GOOD, "added": 1}]}, WebhookFileMalformed),
        ({"endpoints": [{"name": "agency"}]}, WebhookFileMalformed),
        ({"endpoints": [{**GOOD, "name": ""}]}, WebhookFileMalformed),
        ({"endpoints": [{**GOOD, "secret_files": []}]}, WebhookFileMalformed),
        ({"endpoints": [{**GOOD, "secret_files": [1]}]}, WebhookFileMalformed),
        ({"endpoints": [{**GOOD, "secret_files": ["missing"]}]}, WebhookFileMalformed),
        ({"endpoints": [{**GOOD, "secret_files": ["short"]}]}, WebhookSecretMalformed),
        ({"endpoints": [{**GOOD, "programmes": "a"}]}, WebhookFileMalformed),
        ({"endpoints": [{**GOOD, "url": "http://hooks.example/in"}]}, ClientUrlMalformed),
        ({"endpoints": [{**GOOD, "url": 7}]}, ClientUrlMalformed),
    ],
)
def test_a_file_of_endpoints_that_is_not_right_is_refused(
    tmp_path: Path, body: Any, error: type[SeoulWalletError]
) -> None:
    with pytest.raises(error):
        read_file(tmp_path, body)
