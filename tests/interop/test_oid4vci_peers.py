"""OpenID4VCI with wallets that nobody here wrote: npm @openid4vc/openid4vci, PyPI openvc-core."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from openvc.openid4vci import (
    ClaimsInvalid,
    ProofReplayed,
    parse_credential_issuer_metadata,
    parse_credential_offer,
    verify_credential_request_proofs,
)

from issuer.authorization.clients import Client, ClientPolicy
from issuer.parts import ServiceSettings
from seoul_wallet.server import ThreadedServer, free_port
from tests.support.issuing import FAMILY, HOLDER, NOW, IssuerWorld, issuer_world
from tests.unit.holder.test_receiving_flows import decide
from wallet.adapters.clock import SystemClock
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey
from wallet.protocols.oid4vci.credential import CredentialRequest
from wallet.protocols.oid4vci.offer import CredentialOfferReference, parse_offer_link

FOLDER = Path(__file__).parent
CLIENT_ID = "peer-wallet"
REDIRECT_URI = "https://peer.example/callback"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    if shutil.which("node") is None or not (FOLDER / "node_modules" / "@openid4vc").is_dir():
        pytest.skip("needs node: @openid4vc/openid4vci from npm")
    port = free_port()
    built = issuer_world(
        tmp_path,
        base_url=f"http://localhost:{port}",
        settings=ServiceSettings(
            clients=ClientPolicy(clients=(Client(CLIENT_ID, (REDIRECT_URI,)),))
        ),
        config_changes={"development": True},
        now=SystemClock().now(),
    )
    server = ThreadedServer(built.application.flask_app, port)
    yield built
    server.stop()
    built.close()


def peer(
    world: IssuerWorld, while_it_waits: Callable[[dict[str, Any]], None] | None = None, **more: Any
) -> dict[str, Any]:
    """Let the peer receive; a deferred issuance goes on after `while_it_waits`."""
    asked = {
        "redirect_uri": REDIRECT_URI,
        "login": {"subject_id": FAMILY, "holder_id": HOLDER},
        "dpop": False,
        "copies": 1,
        **more,
    }
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            ["node", str(FOLDER / "openid4vci.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        limit = Timer(110, process.kill)
        limit.start()
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if while_it_waits is not None and line:
            while_it_waits(json.loads(line))
            process.stdin.write(b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        status = process.wait()
        limit.cancel()
        errors.seek(0)
        assert status == 0, errors.read().decode()
    answer: dict[str, Any] = json.loads(line)
    return answer


def offer(world: IssuerWorld, **changes: Any) -> dict[str, Any]:
    body = {
        "configuration_id": "multi-child-family-card",
        "subject_id": FAMILY,
        "holder_id": HOLDER,
        "tx_code": False,
        **changes,
    }
    made = world.operate("/credential-offers", body)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.get_json()
    return found


def check_credentials(answer: dict[str, Any], copies: int) -> None:
    issued = answer["response"]["credentials"]
    assert len(issued) == copies
    bound = [parse_sd_jwt(i["credential"]).jws.peek_claims()["cnf"]["jwk"] for i in issued]
    assert bound == answer["keys"]
    assert answer["draft"] == "V1"


@pytest.mark.node
@pytest.mark.loopback
@pytest.mark.parametrize(
    ("tx_code", "dpop", "copies"), [(False, False, 1), (True, False, 1), (False, True, 4)]
)
def test_openid4vci_js_receives_by_pre_authorized_code(
    world: IssuerWorld, tx_code: bool, dpop: bool, copies: int
) -> None:
    made = offer(world, tx_code=tx_code)
    asked = {"tx_code": made["tx_code"]} if tx_code else {}
    answer = peer(world, offer=made["link"], dpop=dpop, copies=copies, **asked)
    check_credentials(answer, copies)
    assert answer["token_type"] == ("DPoP" if dpop else "Bearer")
    assert answer["refresh_token"] is dpop


@pytest.mark.node
@pytest.mark.loopback
@pytest.mark.parametrize("dpop", [False, True])
def test_openid4vci_js_receives_by_authorization_code(world: IssuerWorld, dpop: bool) -> None:
    made = offer(world, by_authorization=True)
    answer = peer(world, offer=made["link"], client_id=CLIENT_ID, dpop=dpop)
    check_credentials(answer, 1)
    assert answer["token_type"] == ("DPoP" if dpop else "Bearer")


def held(world: IssuerWorld, decision: str) -> Callable[[dict[str, Any]], None]:
    """Return what happens while the peer waits: it was told to, and a second person decides."""

    def while_it_waits(told: dict[str, Any]) -> None:
        assert (told["same"], told["interval"]) == (True, 60)
        decide(world, decision)

    return while_it_waits


@pytest.mark.node
@pytest.mark.loopback
def test_openid4vci_js_receives_what_a_second_person_approved(world: IssuerWorld) -> None:
    made = offer(world, hold=True)
    answer = peer(world, held(world, "approve"), offer=made["link"], copies=2)
    check_credentials(answer, 2)
    assert answer["notified"] is True


@pytest.mark.node
@pytest.mark.loopback
def test_openid4vci_js_is_told_that_a_second_person_refused(world: IssuerWorld) -> None:
    made = offer(world, hold=True)
    answer = peer(world, held(world, "refuse"), offer=made["link"])
    assert answer["response"] == {"refused": "credential_request_denied"}
    assert answer["notified"] is False


def test_openvc_reads_our_metadata_and_offer_and_takes_our_key_proofs(tmp_path: Path) -> None:
    built = issuer_world(tmp_path)
    document = built.client.get("/.well-known/openid-credential-issuer").get_json()
    metadata = parse_credential_issuer_metadata(document)
    assert metadata.credential_issuer == built.base_url
    made = offer(built)
    reference = parse_offer_link(made["link"])
    assert isinstance(reference, CredentialOfferReference)
    answer = built.client.get(reference.uri.removeprefix(built.base_url)).get_json()
    assert parse_credential_offer(answer).credential_issuer == built.base_url
    nonce = built.nonce()
    keys = [Es256SigningKey.generate() for _ in range(3)]
    proofs = tuple(built.proof(key, nonce=nonce) for key in keys)
    request = CredentialRequest("multi-child-family-card", proofs).to_json()
    judge = {
        "now": datetime.fromtimestamp(NOW, UTC),
        "batch_size": 4,
        "check_nonce": lambda found: found == nonce,
    }
    verified = verify_credential_request_proofs(request, credential_issuer=built.base_url, **judge)
    assert [dict(item.public_jwk) for item in verified] == [k.public_key.jwk for k in keys]
    with pytest.raises(ClaimsInvalid):
        verify_credential_request_proofs(
            request, credential_issuer="https://other.example", **judge
        )
    with pytest.raises(ProofReplayed):
        verify_credential_request_proofs(
            request, credential_issuer=built.base_url, **{**judge, "check_nonce": lambda _: False}
        )
    built.close()
