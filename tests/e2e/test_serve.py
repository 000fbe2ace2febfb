"""The command `seoul-wallet serve` as a process: READY, and services that answer over the wire."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from seoul_wallet.tls import make_local_tls
from seoul_wallet.trustee.folder import KeyFolder
from tests.support.vc_api import CHALLENGE, credential, present
from wallet.adapters.clock import SystemClock
from wallet.adapters.http.fetch import FetchFailed, GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport
from wallet.holder.ballot_box import BallotBoxClient
from wallet.voting.manifest import parse_manifest

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(120)]
JSON = {"Content-Type": "application/json"}
READY_WITHIN_S = 90


@contextmanager
def serving(
    folder: Path, *options: str, environ: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    command = ["serve", "--households", "30", "--chain", "in-process", "--folder", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "seoul_wallet", *command, *options],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "SEOUL_WALLET_STACK": str(folder / "stack.json"),
            **(environ or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    # A process that never gets ready is ended, which ends the wait for its line.
    watch = threading.Timer(READY_WITHIN_S, process.kill)
    watch.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("READY "), line
        ready: dict[str, Any] = json.loads(line.removeprefix("READY "))
        yield ready
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        watch.cancel()
        process.kill()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def post(client: GuardedClient, url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = client.request("POST", url, headers=JSON, body=json.dumps(body).encode())
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize("options", [(), ("--tls",)], ids=["http", "https"])
def test_a_stack_gets_ready_and_answers(tmp_path: Path, options: tuple[str, ...]) -> None:
    with serving(tmp_path, *options) as ready:
        scheme = "https" if options else "http"
        for name in ("issuer", "verifier", "holder"):
            assert ready[name].startswith(f"{scheme}://localhost:")
        assert set(ready["dids"]) == {"ed25519", "p256", "p384", "bls"}
        assert Path(ready["tokens"]).stat().st_mode & 0o077 == 0
        client = GuardedClient(allow_loopback_http=True, ca_file=ready["trust_anchor"])
        pairs = (("ecdsa-rdfc-2019", "p384"), ("bbs-2023", "bls"), ("bitstring", "p256"),
                 ("jwt", "ed25519"))  # fmt: skip
        for suite, key in pairs:
            url = f"{ready['issuer']}/issuers/{suite}/{key}/credentials/issue"
            status, body = post(client, url, {"credential": credential()})
            assert status == 201
            shown = body["verifiableCredential"]
            if key == "bls":
                options_ = {"selectivePointers": ["/credentialSubject/degree"]}
                derived = {"verifiableCredential": shown, "options": options_}
                status, body = post(client, f"{ready['holder']}/credentials/derive", derived)
                assert status == 201
                shown = body["verifiableCredential"]
            checked = {"verifiableCredential": shown}
            verify = f"{ready['verifier']}/credentials/verify"
            assert post(client, verify, checked)[0] == 200
            if suite == "bitstring":
                entry = {"credentialStatus": shown["credentialStatus"]}
                change = f"{ready['issuer']}/credentials/status"
                assert post(client, change, {**entry, "status": True})[0] == 200
                assert post(client, verify, checked)[1]["code"] == "status_set"
                assert post(client, change, {**entry, "status": False})[0] == 200
            for proof in (None, "proof", 7, [], {}, ...):
                bad = {**shown, "proof": proof}
                if proof is ...:
                    del bad["proof"]
                    if suite == "jwt":
                        bad["id"] = "data:application/vc+jwt,e30.e30.e30"
                status, body = post(client, verify, {"verifiableCredential": bad})
                assert status in (400, 422), (suite, proof)
                assert body["errors"]
            presented = {
                "verifiablePresentation": present(shown, now=SystemClock().now()),
                "options": {"challenge": CHALLENGE},
            }
            url = f"{ready['verifier']}/presentations/verify"
            assert post(client, url, presented)[0] == 200
            presented["options"]["challenge"] = "another"
            status, body = post(client, url, presented)
            assert (status, body["code"]) == (422, "challenge_mismatch")
        did = "did:web:" + ready["issuer"].partition("//")[2].replace(":", "%3A")
        answer = client.get(f"{ready['holder']}/1.0/identifiers/{did.replace('%', '%25')}")
        told = json.loads(answer.body)
        assert told["didDocument"]["id"] == did
        assert told["didResolutionMetadata"] == {"contentType": "application/did"}
        assert told["didDocumentMetadata"] == {}
        client.close()
        if options:
            stranger = GuardedClient(allow_loopback_http=True)
            with pytest.raises(FetchFailed):
                stranger.get(f"{ready['issuer']}/healthz")
            stranger.close()


def test_a_stack_with_a_ballot_box_has_an_election_whose_key_is_made(tmp_path: Path) -> None:
    with serving(tmp_path, "--tls", "--ballot-box", "30") as ready:
        client = GuardedClient(allow_loopback_http=True, ca_file=ready["trust_anchor"])
        manifest = parse_manifest(client.get(f"{ready['ballot_box']}/manifest.json").body)
        assert manifest.digest.hex() == ready["manifest_digest"]
        box = BallotBoxClient(ready["ballot_box"], HttpHolderTransport(client))
        assert box.election(manifest).manifest == manifest
        tokens = json.loads(Path(ready["tokens"]).read_text())
        for folder, trustee in zip(tokens["trustees"]["folders"], manifest.trustees, strict=True):
            key_folder = KeyFolder.open(Path(folder), tokens["trustees"]["passphrase"])
            assert key_folder.is_of(trustee)
        client.close()


def test_the_certificate_is_for_localhost_and_its_authority_for_nothing_else(
    tmp_path: Path,
) -> None:
    files = make_local_tls(tmp_path, now=SystemClock().now())
    anchor = x509.load_pem_x509_certificate(files.trust_anchor.read_bytes())
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    for each, is_ca in ((anchor, True), (certificate, False)):
        constraints = each.extensions.get_extension_for_class(x509.BasicConstraints)
        assert constraints.critical
        assert constraints.value.ca is is_ca
    certificate.verify_directly_issued_by(anchor)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert files.key.stat().st_mode & 0o077 == 0
    assert files.server_context().minimum_version >= ssl.TLSVersion.TLSv1_2
