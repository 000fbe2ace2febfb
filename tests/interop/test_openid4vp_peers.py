"""OpenID4VP with software of others: verifiers from PyPI, a wallet library from npm."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from openvc.did.base import DidResolverRegistry
from openvc.did.did_jwk import DidJwkResolver
from openvc.errors import OpenvcError
from openvc.keys import P256KeyAgreementKey
from openvc.openid4vp import verify_encrypted_vp_response, verify_vp_token
from polaris_oid4vp.cli import main as polaris
from polaris_oid4vp.serve import serve as polaris_serve
from polaris_oid4vp.verifier import Verifier as PolarisVerifier

from seoul_wallet.server import ThreadedServer, free_port
from tests.support.certified_desk import certified
from tests.support.citizen import Citizen
from tests.support.credentials import DISCLOSABLE, VCT, card_claims
from tests.support.desk import Desk
from tests.support.holder_peers import card_query
from tests.support.holder_stores import create_store
from wallet.adapters.clock import SystemClock
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport, RecentFacts
from wallet.adapters.http.sources import HttpDidResolver
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.credentials.jwe import EncryptionKey
from wallet.credentials.sd_jwt import issue_sd_jwt_vc
from wallet.crypto.certificates import TrustAnchors
from wallet.crypto.keys import Es256SigningKey
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.encoding.form import parse_form
from wallet.encoding.json import JsonObject
from wallet.holder.cards import HeldCredential, HeldCredentials, to_put
from wallet.holder.consent import build_consent
from wallet.holder.requests import RequestRefused
from wallet.holder.wallet import Wallet
from wallet.protocols.client_id import parse_client_id
from wallet.protocols.dcql import parse_dcql
from wallet.protocols.oid4vp import AuthorizationRequest, ResponseMode, VerifiedRequest
from wallet.protocols.oid4vp_link import build_request_link

FOLDER = Path(__file__).parent
WALLET = FOLDER / "openid4vp_wallet.mjs"


def hold(
    store: Any, keys: SoftwareKeyStore, issuer: Es256SigningKey, iss: str, now: int
) -> HeldCredential:
    """Put a synthetic card into a wallet's store."""
    key = keys.generate()
    claims = {**card_claims(), "iss": iss, "iat": now - 60, "exp": now + 3600}
    del claims["status"]
    kid = f"{iss}#0"
    issued = issue_sd_jwt_vc(
        claims, DISCLOSABLE, issuer, verification_method=kid, holder=key.public_key
    )
    held = HeldCredential(
        id="card",
        credential_issuer="https://issuer.example",
        configuration_id="card",
        credential=issued.compact,
        key_handle=key.handle,
        received_at=now - 60,
    )
    store.write(to_put(held))
    return held


class TestPolaris:
    """polaris-oid4vp: a strict HAIP verifier over https."""

    @pytest.fixture
    def pki(self, tmp_path: Path) -> tuple[Path, int]:
        port = free_port()
        folder = tmp_path / "pki"
        assert not polaris(
            ["keygen", "--out", str(folder), "--host", "localhost", "--port", str(port)]
        )
        return folder, port

    @pytest.mark.loopback
    @pytest.mark.parametrize("post", [False, True])
    def test_takes_what_our_wallet_presents_and_refuses_what_another_issuer_signed(
        self, tmp_path: Path, pki: tuple[Path, int], post: bool
    ) -> None:
        folder, port = pki
        base = f"https://localhost:{port}"
        issuer, stranger = Es256SigningKey.generate(), Es256SigningKey.generate()
        did, now = "did:web:issuer.example", SystemClock().now()
        verifier = PolarisVerifier(
            client_cert_pem=(folder / "client.pem").read_bytes(),
            client_key_pem=(folder / "client-key.pem").read_bytes(),
            request_uri=f"{base}/request.jwt",
            response_uri=f"{base}/response",
            issuer_jwks=[{**issuer.public_key.jwk, "kid": f"{did}#0"}],
            vct_values=(VCT,),
            claims=("child_count", "seoul_resident"),
        )
        verdicts: list[Any] = []
        server = polaris_serve(
            verifier,
            host="127.0.0.1",
            port=port,
            certfile=str(folder / "tls.pem"),
            keyfile=str(folder / "tls-key.pem"),
            on_verdict=lambda status, body, verdict: verdicts.append((status, verdict)),
        )
        try:
            for key, accepted in ((issuer, True), (stranger, False)):
                place = tmp_path / ("good" if accepted else "bad")
                place.mkdir()
                with create_store(place / "wallet.db") as store:
                    keys = SoftwareKeyStore(store)
                    hold(store, keys, key, did, now)
                    client = GuardedClient(
                        allow_loopback_http=True, ca_file=str(folder / "tls.pem")
                    )
                    wallet = Wallet(
                        records=store,
                        keys=keys,
                        transport=HttpHolderTransport(client),
                        dids=HttpDidResolver(client, RecentFacts(SystemClock()), SystemClock()),
                        clock=SystemClock(),
                        development=True,
                        verifier_anchors=TrustAnchors.from_pem(
                            (folder / "anchor.pem").read_bytes()
                        ),
                    )
                    session, _ = verifier.new_request()
                    link = build_request_link(
                        parse_client_id(verifier.client_id),
                        f"{base}/request.jwt?state={session.state}",
                        post=post,
                    )
                    consent = wallet.review(link)
                    assert consent.certificate is not None
                    if accepted:
                        presented = wallet.present(consent)
                        assert presented.redirect_uri is not None
                    else:
                        with pytest.raises(RequestRefused):
                            wallet.present(consent)
                    client.close()
        finally:
            server.shutdown()
            server.server_close()
        (good, first), (bad, second) = verdicts
        assert (good, first.authentic, bad, second.authentic) == (200, True, 400, False)
        assert first.claims["child_count"] == 2


class TestOpenvc:
    """openvc-core judges what our wallet sends, plain, encrypted and to a page."""

    NONCE = "n-0S6_WzA2Mj0123456789"
    CLIENT = "x509_san_dns:verifier.example"

    @pytest.fixture
    def citizen(self, tmp_path: Path) -> Iterator[Citizen]:
        desk = Desk(tmp_path)
        # The peer judges some times by the clock on the wall.
        desk.clock.set(SystemClock().now())
        made = Citizen.at(desk, tmp_path)
        issuer, now = Es256SigningKey.generate(), desk.clock.now()
        hold(made.store, made.keys, issuer, did_jwk_from_public_key(issuer.public_key), now)
        yield made
        desk.verifier.close()

    def answered(self, citizen: Citizen, **changes: Any) -> tuple[JsonObject, str, JsonObject]:
        """Let the wallet answer a request; return the query, what it posted and the data."""
        query = {"credentials": [card_query(["child_count"], vct=VCT)]}
        request = AuthorizationRequest(
            **{
                "client_id": parse_client_id(self.CLIENT),
                "response_uri": "https://verifier.example/responses",
                "nonce": self.NONCE,
                "dcql_query": parse_dcql(query),
                "state": "s",
                **changes,
            }
        )
        is_page = request.response_uri is None
        audience = "origin:https://shop.example" if is_page else self.CLIENT
        consent = consent_for(citizen, request, audience)
        if is_page:
            return query, "", citizen.wallet.answer_page(consent)
        with pytest.raises(RequestRefused):
            # Nobody waits behind the desk for this request: what matters is what was posted.
            citizen.wallet.present(consent)
        fields = dict(parse_form(citizen.transport.sent[-1][2]))
        return query, fields.get("response", fields.get("vp_token", "")), {}

    def check(self, vp_token: Any, query: JsonObject, **changes: Any) -> Any:
        arguments = {
            "dcql_query": query,
            "nonce": self.NONCE,
            "client_id": self.CLIENT,
            "resolver": DidResolverRegistry([DidJwkResolver()]),
            "now": datetime.fromtimestamp(SystemClock().now(), UTC),
            "require_holder_binding": True,
            **changes,
        }
        arguments = {name: value for name, value in arguments.items() if value is not None}
        return verify_vp_token(vp_token, **arguments)

    def test_a_plain_answer_is_good_for_its_request_and_no_other(self, citizen: Citizen) -> None:
        query, vp_token, _ = self.answered(citizen)
        (verified,) = self.check(vp_token, query).for_query("card")
        assert verified.format == "dc+sd-jwt"
        with pytest.raises(OpenvcError):
            self.check(vp_token, query, nonce="another")
        with pytest.raises(OpenvcError):
            self.check(vp_token, query, client_id="x509_san_dns:evil.example")

    @pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
    def test_an_encrypted_answer_is_decrypted_and_good(self, citizen: Citizen, enc: str) -> None:
        key = P256KeyAgreementKey.generate("of-this-request")
        jwk = {**public_jwk(key), "kid": key.kid, "alg": "ECDH-ES", "use": "enc"}
        metadata = {"jwks": {"keys": [jwk]}, "encrypted_response_enc_values_supported": [enc]}
        query, jwe, _ = self.answered(
            citizen, response_mode=ResponseMode.DIRECT_POST_JWT, client_metadata=metadata
        )
        found = verify_encrypted_vp_response(
            jwe,
            key=key,
            dcql_query=query,
            nonce=self.NONCE,
            client_id=self.CLIENT,
            resolver=DidResolverRegistry([DidJwkResolver()]),
            now=datetime.fromtimestamp(SystemClock().now(), UTC),
            require_holder_binding=True,
        )
        assert len(found.for_query("card")) == 1

    def test_an_answer_to_a_page_is_bound_to_its_origin(self, citizen: Citizen) -> None:
        query, _, data = self.answered(
            citizen,
            client_id=None,
            response_uri=None,
            state=None,
            response_mode=ResponseMode.DC_API,
        )
        origins = {"client_id": None, "expected_origins": ["https://shop.example"]}
        assert self.check(data["vp_token"], query, **origins).for_query("card")
        elsewhere = {"client_id": None, "expected_origins": ["https://evil.example"]}
        with pytest.raises(OpenvcError):
            self.check(data["vp_token"], query, **elsewhere)


def consent_for(citizen: Citizen, request: AuthorizationRequest, audience: str) -> Any:
    verified = VerifiedRequest(request=request, authenticated=True, audience=audience)
    held = HeldCredentials(citizen.store).all()
    return build_consent(verified, held, language="en", now=SystemClock().now())


def public_jwk(key: P256KeyAgreementKey) -> JsonObject:
    jwk = EncryptionKey(key._sk.public_key()).jwk
    return {name: jwk[name] for name in ("kty", "crv", "x", "y")}


class TestOpenid4vpClient:
    """npm @openid4vc/openid4vp as the wallet in front of our verifier, over http."""

    @pytest.mark.node
    @pytest.mark.loopback
    @pytest.mark.parametrize(
        ("prefix", "mode"),
        [
            ("decentralized_identifier", "direct_post"),
            ("decentralized_identifier", "direct_post.jwt"),
            ("x509_san_dns", "direct_post.jwt"),
            ("x509_hash", "direct_post.jwt"),
            ("redirect_uri", "direct_post"),
        ],
    )
    def test_reads_our_request_and_answers_it(
        self, tmp_path: Path, prefix: str, mode: str
    ) -> None:
        if shutil.which("node") is None or not (FOLDER / "node_modules/@openid4vc").is_dir():
            pytest.skip("needs node: @openid4vc/openid4vp from npm")
        port = free_port()
        base = f"http://localhost:{port}"

        def open_desk(**changes: Any) -> Desk:
            return Desk(tmp_path, {"base_url": base, "development": True, **changes})

        desk, _ = certified(open_desk, tmp_path, x509.DNSName("localhost"))
        server = ThreadedServer(desk.verifier.app, port)
        try:
            opened = desk.ask(client_id_prefix=prefix, response_mode=mode)
            with subprocess.Popen(
                ["node", str(WALLET)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(json.dumps({"link": opened["link"]}) + "\n")
                process.stdin.flush()
                asked = json.loads(process.stdout.readline())
                assert asked["dcql_query"]["credentials"][0]["id"] == "card"
                card = desk.world.present(
                    desk.world.issue(),
                    audience=asked["client_id"],
                    nonce=asked["nonce"],
                    issued_at=desk.clock.now(),
                )
                process.stdin.write(json.dumps({"vp_token": {"card": [card]}}) + "\n")
                process.stdin.flush()
                assert json.loads(process.stdout.readline()) == {"status": 200, "body": {}}
                process.stdin.close()
            assert asked["client_id"].startswith(prefix + ":")
            told = desk.client.get(
                opened["result_uri"].removeprefix(base),
                headers={"Authorization": f"Bearer {opened['result_token']}"},
            ).get_json()
            assert told["outcome"] == "accepted"
        finally:
            server.stop()
            desk.verifier.close()
