"""The issuer's profile: departments, wallets and their providers, from one JSON file.

`clients`: `client_id`, `redirect_uris`, `name`. `wallet_providers`: public JWKs by `iss`;
`wallet_provider_anchors`: a PEM file. `departments`: `path`, `key_file`, `database_url`,
`configurations`, `names` by language. `attestation_required`, `dpop_required`: booleans (HAIP).
`key_attestations_required`: perhaps `key_storage` and `user_authentication`, as in the metadata.
`nym_epoch`: a text. `recovery`: see
`parse_recovery_policy`. Every member may be missing; one that is not known is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from issuer.authorization.clients import Client, ClientPolicy
from issuer.recovery.policy import RecoveryPolicy, parse_recovery_policy
from wallet.crypto.certificates import TrustAnchors
from wallet.crypto.keys import Es256SigningKey, parse_jwk
from wallet.encoding.json import parse_json_object
from wallet.errors import MalformedError, UnsupportedError
from wallet.protocols.oid4vci.client_attestation import TrustedProviders
from wallet.protocols.oid4vci.configuration import Label
from wallet.protocols.oid4vci.key_attestation import parse_key_attestations_required

_MEMBERS: Final = frozenset(
    (
        "clients",
        "wallet_providers",
        "wallet_provider_anchors",
        "departments",
        "attestation_required",
        "dpop_required",
        "key_attestations_required",
        "nym_epoch",
        "recovery",
    )
)


class ProfileMalformed(MalformedError):
    """The profile file cannot be read, or has a member that is not known or of another form."""

    code = "profile_malformed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Department:
    """Another issuer on the same server, below `/{path}` of its base URL.

    It has its own key, its own database and its own accreditation, and issues only the types of
    `configurations` (None: all of them).
    """

    path: str
    signing_key: Es256SigningKey
    database_url: str
    configurations: frozenset[str] | None
    display: tuple[Label, ...] = ()

    def __repr__(self) -> str:
        return f"Department({self.path!r})"


@dataclass(frozen=True, slots=True)
class Profile:
    """What the file says."""

    policy: ClientPolicy
    departments: tuple[Department, ...] = ()
    nym_epoch: str | None = None
    recovery: RecoveryPolicy = field(default_factory=RecoveryPolicy)


def read_profile(path: Path, read_key: Callable[[Path], Es256SigningKey]) -> Profile:
    """Return the profile of a file; paths in it are as given. Raises `ProfileMalformed`.

    `read_key` reads a department's signing key, and raises what it does.
    """
    try:
        value = parse_json_object(path.read_bytes())
        unknown = value.keys() - _MEMBERS
        if unknown:
            raise ProfileMalformed("unknown: " + ", ".join(sorted(unknown)))
        policy = ClientPolicy(
            clients=tuple(_client(item) for item in value.get("clients", [])),
            providers=_providers(value),
            attestation_required=_flag(value, "attestation_required"),
            dpop_required=_flag(value, "dpop_required"),
            key_attestations=parse_key_attestations_required(
                value.get("key_attestations_required")
            ),
        )
        departments = tuple(_department(item, read_key) for item in value.get("departments", []))
        epoch = value.get("nym_epoch")
        return Profile(
            policy,
            departments,
            None if epoch is None else _text(epoch),
            parse_recovery_policy(value.get("recovery", {})),
        )
    except (OSError, KeyError, TypeError, UnsupportedError) as error:
        raise ProfileMalformed(f"the profile cannot be used: {type(error).__name__}") from error


def _text(value: object) -> str:
    if type(value) is not str or not 0 < len(value) <= 2048:
        raise ProfileMalformed("expected a text of limited length")
    return value


def _flag(value: Mapping[str, Any], name: str) -> bool:
    flag = value.get(name, False)
    if type(flag) is not bool:
        raise ProfileMalformed(f"{name} is true or false")
    return flag


def _client(value: Mapping[str, Any]) -> Client:
    uris = tuple(_text(uri) for uri in value["redirect_uris"])
    return Client(_text(value["client_id"]), uris, _text(value.get("name", value["client_id"])))


def _providers(value: Mapping[str, Any]) -> TrustedProviders:
    keys = {_text(name): parse_jwk(jwk) for name, jwk in value.get("wallet_providers", {}).items()}
    anchors = TrustAnchors()
    if "wallet_provider_anchors" in value:
        anchors = TrustAnchors.from_pem(Path(_text(value["wallet_provider_anchors"])).read_bytes())
    return TrustedProviders(keys, anchors)


def _department(
    value: Mapping[str, Any], read_key: Callable[[Path], Es256SigningKey]
) -> Department:
    configurations = value.get("configurations")
    return Department(
        path=_text(value["path"]),
        signing_key=read_key(Path(_text(value["key_file"]))),
        database_url=_text(value["database_url"]),
        configurations=None
        if configurations is None
        else frozenset(_text(item) for item in configurations),
        display=tuple(
            Label(_text(name), _text(locale)) for locale, name in value.get("names", {}).items()
        ),
    )
