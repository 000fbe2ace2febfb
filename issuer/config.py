"""The issuer's configuration: the only place that reads the environment.

Bad values raise `ConfigurationInvalid` at start, naming the variable and never its value. There
are no defaults for secrets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from issuer.authorization.clients import ClientPolicy
from issuer.identity import IssuerIdentity
from issuer.offers import OfferLimits
from issuer.parts import ServiceSettings
from issuer.profile import Department, Profile, read_profile
from issuer.status import StatusTimes
from wallet.anchoring import AnchorTimes
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url
from wallet.errors import MalformedError
from wallet.protocols.oid4vci.authorization import check_redirect_uri
from wallet.protocols.oid4vci.url import check_url

PREFIX: Final = "SEOUL_WALLET_ISSUER_"
_DEPARTMENT: Final = re.compile(
    r"(?!(?:operator|status-lists|offers|receipts|batches|authorize|revocations|recovery)\Z)"
    r"[a-z][a-z0-9-]{1,40}\Z"
)
_OPERATOR: Final = re.compile(r"([a-z0-9][a-z0-9._-]{0,63}):([0-9a-f]{64})\Z")


class ConfigurationInvalid(MalformedError):
    """A setting is missing or cannot be used."""

    code = "configuration_invalid"


@dataclass(frozen=True, slots=True)
class Operator:
    """A clerk who may use the operators' API, and the SHA-256 digest of their token."""

    name: str
    token_digest: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuerConfig:
    """Everything that differs between two installations of the issuer.

    `base_url` is the public URL; with `development` it may be http on localhost.
    `worker_interval_s` is the pause between two rounds of the worker. `vc_api` opens endpoints
    that sign what they are given, with throw-away keys; refused without `development`.
    `nym_epoch` names the epoch of pseudonym secrets; None issues none. `contact_spool` is the
    folder from which a gateway takes notices for people; None leaves it at a line in the log.
    """

    base_url: str
    signing_key: Es256SigningKey = field(repr=False)
    database_url: str = field(repr=False)
    operators: tuple[Operator, ...]
    development: bool = False
    vc_api: bool = False
    worker_interval_s: float = 5.0
    status_list_size: int = 131_072
    settings: ServiceSettings = field(default_factory=ServiceSettings)
    departments: tuple[Department, ...] = ()
    nym_epoch: str | None = None
    contact_spool: Path | None = None

    def __post_init__(self) -> None:
        try:
            check_url(self.base_url, development=self.development, query=False)
            IssuerIdentity(self.base_url, self.signing_key).did_document()
        except MalformedError as error:
            raise ConfigurationInvalid(f"base_url: {error}") from error
        if self.vc_api and not self.development:
            raise ConfigurationInvalid("vc_api signs anything: only with development")
        if self.base_url.endswith("/"):
            raise ConfigurationInvalid("base_url has no trailing slash")
        names = [operator.name for operator in self.operators]
        digests = [operator.token_digest for operator in self.operators]
        if len(set(names)) != len(names) or len(set(digests)) != len(digests):
            raise ConfigurationInvalid("every operator has a name and a token of their own")
        paths = [department.path for department in self.departments]
        if len(set(paths)) != len(paths) or not all(map(_DEPARTMENT.match, paths)):
            raise ConfigurationInvalid("every department has a path segment of its own")
        for client in self.settings.clients.clients:
            for uri in client.redirect_uris:
                try:
                    check_redirect_uri(uri, development=self.development)
                except MalformedError as error:
                    raise ConfigurationInvalid(f"redirect URI: {error}") from error
        if self.worker_interval_s <= 0 or self.status_list_size < 2:
            raise ConfigurationInvalid("intervals and sizes are positive")

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> IssuerConfig:
        """Read the configuration from the environment. Raises `ConfigurationInvalid`.

        `SEOUL_WALLET_ISSUER_KEY_FILE` names a file with a P-256 scalar, 32 bytes in base64url;
        `…_OPERATORS` is `name:sha256-of-token-in-hex`, separated by commas. `…_PROFILE_FILE` names
        the JSON file of `issuer.profile`, if there is one; `…_CONTACT_SPOOL` a folder.
        """
        values = _Values(os.environ if environment is None else environment)
        offers = OfferLimits()
        status = StatusTimes()
        anchoring = AnchorTimes()
        profile = _read_profile(values)
        return cls(
            base_url=values.text("BASE_URL"),
            signing_key=_read_key(Path(values.text("KEY_FILE"))),
            database_url=values.text("DATABASE_URL"),
            operators=_parse_operators(values.text("OPERATORS", "")),
            development=values.flag("DEVELOPMENT"),
            vc_api=values.flag("VC_API"),
            worker_interval_s=values.number("WORKER_INTERVAL_S", 5),
            status_list_size=values.number("STATUS_LIST_SIZE", 131_072),
            departments=profile.departments,
            nym_epoch=profile.nym_epoch,
            contact_spool=values.path("CONTACT_SPOOL"),
            settings=ServiceSettings(
                clients=profile.policy,
                recovery=profile.recovery,
                offers=OfferLimits(
                    offer_ttl_s=values.number("OFFER_TTL_S", offers.offer_ttl_s),
                    token_ttl_s=values.number("TOKEN_TTL_S", offers.token_ttl_s),
                    nonce_ttl_s=values.number("NONCE_TTL_S", offers.nonce_ttl_s),
                ),
                status=StatusTimes(
                    reuse_s=values.number("STATUS_REUSE_S", status.reuse_s),
                    ttl_s=values.number("STATUS_TTL_S", status.ttl_s),
                    validity_s=values.number("STATUS_VALIDITY_S", status.validity_s),
                ),
                anchoring=AnchorTimes(
                    interval_s=values.number("ANCHOR_INTERVAL_S", anchoring.interval_s),
                    max_leaves=values.number("ANCHOR_MAX_LEAVES", anchoring.max_leaves),
                ),
            ),
        )


class _Values:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str | None = None) -> str:
        value = self._environment.get(PREFIX + name, default)
        if value is None:
            raise ConfigurationInvalid(f"{PREFIX}{name} is not set")
        return value

    def path(self, name: str) -> Path | None:
        text = self.text(name, "")
        return Path(text) if text else None

    def number(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdecimal() and 0 < int(value[:12]) < 10**10):
            raise ConfigurationInvalid(f"{PREFIX}{name} is not a positive whole number")
        return int(value)

    def flag(self, name: str) -> bool:
        value = self.text(name, "0")
        if value not in ("0", "1"):
            raise ConfigurationInvalid(f"{PREFIX}{name} is 0 or 1")
        return value == "1"


def _read_key(path: Path) -> Es256SigningKey:
    try:
        secret = base64url.decode(path.read_bytes().strip())
        if len(secret) != 32:
            raise ConfigurationInvalid(f"{PREFIX}KEY_FILE does not hold 32 bytes")
        return Es256SigningKey.from_secret(secret)
    except OSError:
        raise ConfigurationInvalid(f"{PREFIX}KEY_FILE cannot be read") from None
    except MalformedError:
        raise ConfigurationInvalid(f"{PREFIX}KEY_FILE does not hold a P-256 key") from None


def _read_profile(values: _Values) -> Profile:
    file = values.text("PROFILE_FILE", "")
    if not file:
        return Profile(ClientPolicy())
    try:
        return read_profile(Path(file), _read_key)
    except ConfigurationInvalid:
        raise
    except MalformedError as error:
        raise ConfigurationInvalid(f"{PREFIX}PROFILE_FILE: {error}") from error


def _parse_operators(text: str) -> tuple[Operator, ...]:
    operators = []
    for item in filter(None, text.split(",")):
        match = _OPERATOR.match(item.strip())
        if match is None:
            raise ConfigurationInvalid(f"{PREFIX}OPERATORS is name:sha256-hex, comma separated")
        operators.append(Operator(match[1], bytes.fromhex(match[2])))
    return tuple(operators)
