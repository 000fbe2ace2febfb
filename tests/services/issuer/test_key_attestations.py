"""Key attestations in key proofs: asked for or not, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from issuer.authorization.clients import Client, ClientPolicy
from issuer.parts import ServiceSettings
from tests.support.issuing import IssuerWorld, issuer_world, key_of
from tests.support.oid4vci_wallet import (
    CARD,
    CLIENT_ID,
    PROVIDER,
    REDIRECT_URI,
    TestWallet,
    error_of,
)
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding.json import JsonObject
from wallet.holder.issuers import UnsupportedOffer, usable_configuration
from wallet.protocols.oid4vci.client_attestation import TrustedProviders
from wallet.protocols.oid4vci.configuration import parse_configuration
from wallet.protocols.oid4vci.key_attestation import (
    KeyAttestationInvalid,
    KeyAttestationsRequired,
    build_key_attestation,
    parse_key_attestations_required,
    verify_key_attestation,
)
from wallet.protocols.oid4vci.proof import build_key_proof
from wallet.protocols.oid4vci.url import Oid4vciMessageMalformed

PROVIDERS = TrustedProviders({PROVIDER: key_of("wallet provider").public_key})
HARDWARE = KeyAttestationsRequired(("iso_18045_high",), ("iso_18045_moderate", "biometrics"))
Open = Callable[[KeyAttestationsRequired | None], IssuerWorld]


@pytest.fixture
def open_world(tmp_path: Path) -> Iterator[Open]:
    built: list[IssuerWorld] = []

    def open_one(required: KeyAttestationsRequired | None) -> IssuerWorld:
        policy = ClientPolicy(
            clients=(Client(CLIENT_ID, (REDIRECT_URI,), "합성 지갑"),),
            providers=PROVIDERS,
            key_attestations=required,
        )
        built.append(issuer_world(tmp_path, settings=ServiceSettings(clients=policy)))
        return built[-1]

    yield open_one
    for world in built:
        world.close()


def attempt(wallet: TestWallet, **changes: Any) -> tuple[int, str] | None:
    """Ask for a card with one attested key; None if it came, else status and error.

    `attestation` is the whole of it, or its other `provider`, `keys`, `nonce` and so on.
    """
    key, now = Es256SigningKey.generate(), wallet.world.clock.now()
    token, nonce = wallet.pre_authorized()["access_token"], wallet.nonce()
    attestation = changes.pop("attestation", ...)
    if attestation is ...:
        values = {
            "issuer": PROVIDER,
            "nonce": nonce,
            "issued_at": now,
            "expires_at": now + 3600,
            "levels": HARDWARE,
            **changes,
        }
        attestation = build_key_attestation(
            values.pop("provider", key_of("wallet provider")),
            values.pop("keys", [Es256SigningKey.generate().public_key, key.public_key]),
            **values,
        )
    proof = build_key_proof(
        key, audience=wallet.base, nonce=nonce, issued_at=now, key_attestation=attestation
    )
    answer = wallet.credential(token, proofs={"jwt": [proof]})
    return None if answer.status_code == 200 else error_of(answer)


OTHERS_KEYS = [Es256SigningKey.generate().public_key]
WRONG: list[JsonObject] = [
    {"attestation": "x"},
    {"keys": OTHERS_KEYS},
    {"keys": []},
    {"nonce": "another"},
    {"issued_at": 4_000_000_000},
    {"expires_at": 1_000_000_000},
    {"provider": Es256SigningKey.generate()},
]
# Nobody here knows who signed it, so it says nothing.
UNKNOWN: list[JsonObject] = [
    {"issuer": "https://stranger.example"},
    {"issuer": "https://stranger.example", "keys": OTHERS_KEYS},
]
NOT_ENOUGH: list[JsonObject] = [
    {"levels": None},
    {"levels": KeyAttestationsRequired(("iso_18045_basic",), ("biometrics",))},
    {"levels": KeyAttestationsRequired(("iso_18045_high",))},
]


def test_without_a_requirement_an_attestation_may_be_there_and_must_then_be_right(
    open_world: Open,
) -> None:
    wallet = TestWallet(open_world(None))
    for good in ({}, {"attestation": None}, *UNKNOWN, *NOT_ENOUGH):
        assert attempt(wallet, **good) is None, good
    for wrong in WRONG:
        assert attempt(wallet, **wrong) == (400, "invalid_proof"), wrong
    metadata = wallet.world.client.get("/.well-known/openid-credential-issuer").text
    assert "key_attestations_required" not in metadata


def test_with_a_requirement_every_key_is_attested_as_the_metadata_say(open_world: Open) -> None:
    wallet = TestWallet(open_world(HARDWARE))
    assert attempt(wallet) is None
    for wrong in ({"attestation": None}, *WRONG, *UNKNOWN, *NOT_ENOUGH):
        assert attempt(wallet, **wrong) == (400, "invalid_proof"), wrong
    metadata = wallet.world.client.get("/.well-known/openid-credential-issuer").get_json()
    configuration = metadata["credential_configurations_supported"][CARD]
    assert configuration["proof_types_supported"]["jwt"]["key_attestations_required"] == {
        "key_storage": ["iso_18045_high"],
        "user_authentication": ["iso_18045_moderate", "biometrics"],
    }
    parsed = parse_configuration(CARD, configuration)
    assert parsed is not None
    assert parsed.key_attestations == HARDWARE


def test_any_attestation_will_do_where_no_level_is_named(open_world: Open) -> None:
    wallet = TestWallet(open_world(KeyAttestationsRequired()))
    assert attempt(wallet, levels=None) is None
    assert attempt(wallet, attestation=None) == (400, "invalid_proof")


def test_our_wallet_refuses_an_issuer_that_asks_for_what_it_has_not(open_world: Open) -> None:
    world = open_world(HARDWARE)
    service = world.application.service
    with pytest.raises(UnsupportedOffer):
        usable_configuration(service.issuer_metadata(), CARD)
    required = parse_key_attestations_required({})
    assert required == KeyAttestationsRequired()
    for bad in ([], 5, {"key_storage": []}, {"key_storage": [1]}, {"user_authentication": "x"}):
        with pytest.raises(Oid4vciMessageMalformed):
            parse_key_attestations_required(bad)


def test_an_attestation_without_its_times_or_keys_is_none() -> None:
    provider = key_of("wallet provider")
    good = build_key_attestation(
        provider, OTHERS_KEYS, issuer=PROVIDER, nonce="n", issued_at=100, expires_at=200
    )
    found = verify_key_attestation(good, providers=PROVIDERS, now=150)
    assert (len(found.keys), found.nonce, found.key_storage) == (1, "n", ())
    for now in (30, 261):
        with pytest.raises(KeyAttestationInvalid):
            verify_key_attestation(good, providers=PROVIDERS, now=now)
