"""The profile file: departments and wallets of a production issuer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from issuer.config import ConfigurationInvalid, IssuerConfig
from tests.support.issuing import key_of
from wallet.encoding import base64url
from wallet.encoding.json import to_json

GOOD: dict[str, Any] = {
    "clients": [
        {"client_id": "w", "redirect_uris": ["https://wallet.example/cb"], "name": "지갑"}
    ],
    "wallet_providers": {"https://provider.example": key_of("provider").public_key.jwk},
    "attestation_required": True,
    "dpop_required": True,
    "nym_epoch": "2027",
}


def configured(folder: Path, profile: Any) -> IssuerConfig:
    key_file = folder / "key"
    key_file.write_text(base64url.encode(key_of("issuer").secret()))
    file = folder / "profile.json"
    file.write_bytes(profile if isinstance(profile, bytes) else to_json(profile))
    return IssuerConfig.from_env(
        {
            "SEOUL_WALLET_ISSUER_BASE_URL": "https://issuer.example",
            "SEOUL_WALLET_ISSUER_KEY_FILE": str(key_file),
            "SEOUL_WALLET_ISSUER_DATABASE_URL": "sqlite:///:memory:",
            "SEOUL_WALLET_ISSUER_PROFILE_FILE": str(file),
        }
    )


def test_reads_clients_providers_and_departments(tmp_path: Path) -> None:
    department = {
        "path": "letters",
        "key_file": str(tmp_path / "key"),
        "database_url": "sqlite:///letters.db",
        "configurations": ["appointment-letter"],
        "names": {"ko-KR": "총무과", "en-US": "General Affairs"},
    }
    levels = {"key_storage": ["iso_18045_high"]}
    profile = {**GOOD, "departments": [department], "key_attestations_required": levels}
    config = configured(tmp_path, profile)
    policy = config.settings.clients
    assert policy.key_attestations is not None
    assert policy.key_attestations.to_json() == levels
    assert policy.clients[0].redirect_uris == ("https://wallet.example/cb",)
    assert policy.attestation_required
    assert policy.dpop_required
    assert policy.providers
    assert config.nym_epoch == "2027"
    (found,) = config.departments
    assert found.configurations == {"appointment-letter"}
    assert [label.name for label in found.display] == ["총무과", "General Affairs"]
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        b"[]",
        {**GOOD, "unknown": 1},
        {**GOOD, "clients": [{}]},
        {**GOOD, "clients": [{"client_id": "w", "redirect_uris": ["http://wallet.example"]}]},
        {**GOOD, "clients": 5},
        {**GOOD, "wallet_providers": {"p": {"kty": "oct"}}},
        {**GOOD, "wallet_provider_anchors": "/nowhere"},
        {**GOOD, "attestation_required": "yes"},
        {**GOOD, "key_attestations_required": True},
        {**GOOD, "key_attestations_required": {"key_storage": []}},
        {**GOOD, "departments": [{"path": "operator"}]},
        {**GOOD, "nym_epoch": 2027},
    ],
)
def test_refuses_a_profile_at_start(tmp_path: Path, profile: Any) -> None:
    with pytest.raises(ConfigurationInvalid):
        configured(tmp_path, profile)
