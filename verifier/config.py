"""The verifier's configuration, read once from the environment. Bad values end the process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from verifier.client import DID, PREFIXES
from verifier.exclusions.config import (
    ExclusionConfigurationError,
    RegisterAtHand,
    read_register_at_hand,
)
from verifier.oidc.settings import OidcConfigurationError, OidcSettings, read_oidc_settings
from verifier.queries import (
    DEFAULT_QUERIES,
    LOGIN_PREFIX,
    QUERY_PREFIX,
    NamedQuery,
    parse_named_queries,
)
from verifier.recheck.endpoints import WebhookEndpoint, read_webhook_endpoints
from wallet.crypto.certificates import CertificateMalformed, TrustAnchors
from wallet.eligibility.evidence_types import Text
from wallet.encoding.json import parse_json, parse_json_object
from wallet.errors import SeoulWalletError
from wallet.protocols.client_id import check_url
from wallet.protocols.registration import Registration, parse_registration
from wallet.protocols.retention import MAX_RETENTION_DAYS
from wallet.verification.issuer_key import NO_ANCHORS
from wallet.verification.policy import (
    DEFAULT_MAX_ISSUER_KEYS_AGE_S,
    DEFAULT_MAX_REPLICA_AGE_S,
    DEFAULT_MAX_STATUS_AGE_S,
    TrustPolicy,
)

PREFIX = "SEOUL_WALLET_VERIFIER_"
DIGEST_BYTES = 32
# An assumption of this project, not a statement of law: operators name their own ground.
DEFAULT_GROUND = Text(
    "결정을 나중에 확인하고 다툴 수 있도록 보관합니다 (예시).",
    "Kept so that the decision can be checked and contested later (example).",
)
_POSITIVE = (
    "link_ttl_s",
    "answer_ttl_s",
    "result_ttl_s",
    "follow_interval_s",
    "refresh_after_s",
    "bulk_ttl_s",
    "max_bulk_applications",
    "receipt_keep_s",
    "anchor_interval_s",
    "recheck_interval_s",
)


class ConfigurationError(ValueError):
    """A setting is missing or makes no sense. Names the setting, never a secret."""


@dataclass(frozen=True, kw_only=True)
class VerifierConfig:
    """Everything that may differ between two verifiers.

    `agency_token_digests` maps an agency's name to SHA-256 of its bearer token; none given, no
    agency may ask. `signing_key_file` holds the 32-byte P-256 secret in base64url. With
    `development` the host `localhost` may be http, and `vc_api` may open plain checks. Times are
    in seconds; a fetched DID document or status list is fetched anew after `refresh_after_s`.
    Without `trust_anchors` no credential is accepted by its certificates.
    `certificate_file` (PEM, leaf first, without the trust anchor) is for the signing key and opens
    the `x509_…` prefixes; `client_id_prefix` is the one used where a request names none.
    `retention_days` is for how long wallets are told that what they show is kept, unless a query
    says otherwise; None says nothing. `registrations` are sent to wallets, which compare them with
    the chain. `page_queries` names the queries that anyone may start from the verifier's own
    pages: none, unless named.
    `programmes_folder` has the programme files, the examples that come with this package if None;
    `programme_agencies` the base URL of another agency that decides on a programme, by its id.
    A batch of applications is kept for `bulk_ttl_s`; it is decided on by `bulk_workers` processes
    (0: as many as there are processors), or on the Dask cluster of `dask_scheduler`
    (`tls://host:port`), which must be this verifier's own. `exclusion_register` counts people over
    programmes that exclude each other; it is somebody else's. With `oidc` people log in here at
    relying parties, with their wallets. Receipts of decisions are kept for `receipt_keep_s`, on
    the ground that `receipt_ground` tells holders; the log of decisions is
    signed, and anchored if there is a chain to write to, every `anchor_interval_s`. Evidence of
    grants whose programme asks for it is looked at every `recheck_interval_s`, and changes go to
    `webhooks`.
    """

    base_url: str
    database_url: str
    signing_key_file: Path
    agency_token_digests: Mapping[str, bytes]
    display_name: str = "Seoul Wallet verifier"
    queries: Mapping[str, NamedQuery] = field(default_factory=lambda: DEFAULT_QUERIES)
    trust: TrustPolicy = field(default_factory=TrustPolicy)
    max_binding_age_s: int = 300
    link_ttl_s: int = 60
    answer_ttl_s: int = 300
    result_ttl_s: int = 600
    follow_interval_s: int = 5
    refresh_after_s: int = 60
    development: bool = False
    trust_anchors: TrustAnchors = NO_ANCHORS
    certificate_file: Path | None = None
    client_id_prefix: str = DID
    registrations: tuple[Registration, ...] = ()
    retention_days: int | None = None
    page_queries: frozenset[str] = frozenset()
    vc_api: bool = False
    programmes_folder: Path | None = None
    programme_agencies: Mapping[str, str] = field(default_factory=dict)
    bulk_ttl_s: int = 7 * 86400
    max_bulk_applications: int = 100_000
    bulk_workers: int = 0
    dask_scheduler: str | None = None
    exclusion_register: RegisterAtHand | None = None
    oidc: OidcSettings | None = None
    receipt_keep_s: int = 5 * 365 * 86400
    receipt_ground: Text = DEFAULT_GROUND
    anchor_interval_s: int = 3600
    webhooks: tuple[WebhookEndpoint, ...] = ()
    recheck_interval_s: int = 3600

    def __post_init__(self) -> None:
        if self.vc_api and not self.development:
            raise ConfigurationError("vc_api fetches what strangers name: only with development")
        try:
            check_url(self.base_url, development=self.development)
        except SeoulWalletError as error:
            raise ConfigurationError("base_url is not a URL to serve at") from error
        parts = urlsplit(self.base_url)
        if parts.path or parts.query or self.base_url.endswith("/"):
            raise ConfigurationError("base_url has no path: did:web is of the whole host")
        if any(len(digest) != DIGEST_BYTES for digest in self.agency_token_digests.values()):
            raise ConfigurationError("an agency token is given by its SHA-256 digest")
        if self.client_id_prefix not in PREFIXES:
            raise ConfigurationError("client_id_prefix is one of " + ", ".join(PREFIXES))
        if not self.page_queries <= self.queries.keys():
            raise ConfigurationError("page_queries names a query that is not configured")
        if any(name.startswith((QUERY_PREFIX, LOGIN_PREFIX)) for name in self.queries):
            raise ConfigurationError(
                f"names of queries do not begin with {QUERY_PREFIX} or {LOGIN_PREFIX}"
            )
        if self.exclusion_register is not None and self.exclusion_register.did == self.did:
            raise ConfigurationError("exclusion_register is not this verifier")
        if not 0 <= (self.retention_days or 0) <= MAX_RETENTION_DAYS:
            raise ConfigurationError("retention_days is 0 or more, within a century")
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise ConfigurationError(f"{name} is positive")

    @property
    def did(self) -> str:
        """The did:web of this verifier's host."""
        return "did:web:" + quote(urlsplit(self.base_url).netloc, safe="")

    @property
    def accepted_types(self) -> frozenset[str]:
        """The types that the configured queries name, as issuers are accredited for them."""
        return frozenset(
            vct
            for named in self.queries.values()
            for item in named.query.credentials.values()
            for vct in item.registered_types
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> VerifierConfig:
        """Return the configuration of `SEOUL_WALLET_VERIFIER_*`.

        Required: BASE_URL, DATABASE_URL, SIGNING_KEY_FILE, AGENCY_TOKENS_FILE (a JSON object of
        agency name to hex SHA-256 of its token). Optional: QUERIES_FILE (JSON), DISPLAY_NAME,
        REQUIRE_RECEIPT, MANIFEST_STANDS_IN, DEVELOPMENT, VC_API (0 or 1), ACCEPTED_EPOCHS (of BBS
        credentials, with commas), MAX_REPLICA_AGE_S,
        MAX_STATUS_AGE_S, MAX_ISSUER_KEYS_AGE_S, MAX_BINDING_AGE_S, LINK_TTL_S, ANSWER_TTL_S,
        RESULT_TTL_S, FOLLOW_INTERVAL_S, REFRESH_AFTER_S, TRUST_ANCHORS_FILE (PEM),
        CERTIFICATE_FILE (PEM), CLIENT_ID_PREFIX, REGISTRATIONS_FILE (JSON), PAGE_QUERIES (names,
        with commas), PROGRAMMES_FOLDER, PROGRAMME_AGENCIES_FILE (JSON: base URL by programme id),
        BULK_TTL_S, MAX_BULK_APPLICATIONS, BULK_WORKERS, DASK_SCHEDULER, EXCLUSION_REGISTER_FILE
        (JSON, see `verifier.exclusions.config`), RECEIPT_KEEP_S, RECEIPT_GROUND_FILE (JSON: `ko`
        and `en`), ANCHOR_INTERVAL_S, WEBHOOKS_FILE (JSON), RECHECK_INTERVAL_S,
        OIDC_FILE (JSON, see `verifier.oidc.settings`). Raises
        `ConfigurationError`, and what `parse_named_queries` and `read_webhook_endpoints` raise.
        """
        reader = _Reader(os.environ if environ is None else environ)
        trust = TrustPolicy(
            require_receipt=reader.switch("require_receipt"),
            manifest_stands_in=reader.switch("manifest_stands_in"),
            epochs=reader.names("accepted_epochs"),
            max_replica_age_s=reader.seconds("max_replica_age_s", DEFAULT_MAX_REPLICA_AGE_S),
            max_status_age_s=reader.seconds("max_status_age_s", DEFAULT_MAX_STATUS_AGE_S),
            max_issuer_keys_age_s=reader.seconds(
                "max_issuer_keys_age_s", DEFAULT_MAX_ISSUER_KEYS_AGE_S
            ),
        )
        queries_file = reader.get("queries_file")
        anchors_file = reader.get("trust_anchors_file")
        certificate_file = reader.get("certificate_file")
        registrations_file = reader.get("registrations_file")
        programmes_folder = reader.get("programmes_folder")
        agencies_file = reader.get("programme_agencies_file")
        ground_file = reader.get("receipt_ground_file")
        webhooks_file = reader.get("webhooks_file")
        return cls(
            base_url=reader.require("base_url"),
            database_url=reader.require("database_url"),
            signing_key_file=Path(reader.require("signing_key_file")),
            agency_token_digests=_read_tokens(Path(reader.require("agency_tokens_file"))),
            display_name=reader.get("display_name") or cls.display_name,
            queries=DEFAULT_QUERIES if queries_file is None else _read_queries(Path(queries_file)),
            trust=trust,
            trust_anchors=NO_ANCHORS
            if anchors_file is None
            else _read_anchors(Path(anchors_file)),
            certificate_file=None if certificate_file is None else Path(certificate_file),
            client_id_prefix=reader.get("client_id_prefix") or cls.client_id_prefix,
            registrations=()
            if registrations_file is None
            else _read_registrations(Path(registrations_file)),
            retention_days=None
            if reader.get("retention_days") is None
            else reader.number("retention_days", 0),
            page_queries=reader.names("page_queries"),
            programmes_folder=None if programmes_folder is None else Path(programmes_folder),
            programme_agencies={}
            if agencies_file is None
            else _read_agencies(Path(agencies_file)),
            development=reader.switch("development"),
            vc_api=reader.switch("vc_api"),
            max_binding_age_s=reader.seconds("max_binding_age_s", cls.max_binding_age_s),
            link_ttl_s=reader.seconds("link_ttl_s", cls.link_ttl_s),
            answer_ttl_s=reader.seconds("answer_ttl_s", cls.answer_ttl_s),
            result_ttl_s=reader.seconds("result_ttl_s", cls.result_ttl_s),
            follow_interval_s=reader.seconds("follow_interval_s", cls.follow_interval_s),
            refresh_after_s=reader.seconds("refresh_after_s", cls.refresh_after_s),
            bulk_ttl_s=reader.seconds("bulk_ttl_s", cls.bulk_ttl_s),
            max_bulk_applications=reader.number(
                "max_bulk_applications", cls.max_bulk_applications
            ),
            bulk_workers=reader.number("bulk_workers", cls.bulk_workers),
            dask_scheduler=reader.get("dask_scheduler"),
            exclusion_register=_read_register(
                reader.get("exclusion_register_file"), development=reader.switch("development")
            ),
            oidc=_read_oidc(reader.get("oidc_file"), development=reader.switch("development")),
            receipt_keep_s=reader.seconds("receipt_keep_s", cls.receipt_keep_s),
            receipt_ground=DEFAULT_GROUND
            if ground_file is None
            else _read_ground(Path(ground_file)),
            webhooks=()
            if webhooks_file is None
            else read_webhook_endpoints(
                Path(webhooks_file), development=reader.switch("development")
            ),
            recheck_interval_s=reader.seconds("recheck_interval_s", cls.recheck_interval_s),
            anchor_interval_s=reader.seconds("anchor_interval_s", cls.anchor_interval_s),
        )


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def get(self, name: str) -> str | None:
        return self._environ.get(PREFIX + name.upper()) or None

    def require(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise ConfigurationError(f"{PREFIX}{name.upper()} is not set")
        return value

    def seconds(self, name: str, default: int) -> int:
        value = self.get(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit():
            raise ConfigurationError(f"{PREFIX}{name.upper()} is a whole number of seconds")
        return int(value)

    def number(self, name: str, default: int) -> int:
        value = self.get(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit():
            raise ConfigurationError(f"{PREFIX}{name.upper()} is a whole number")
        return int(value)

    def names(self, name: str) -> frozenset[str]:
        return frozenset(part.strip() for part in (self.get(name) or "").split(",") if part)

    def switch(self, name: str) -> bool:
        value = self.get(name) or "0"
        if value not in ("0", "1"):
            raise ConfigurationError(f"{PREFIX}{name.upper()} is 0 or 1")
        return value == "1"


def _read_anchors(path: Path) -> TrustAnchors:
    try:
        return TrustAnchors.from_pem(path.read_bytes())
    except (OSError, CertificateMalformed) as error:
        raise ConfigurationError("the file of trust anchors cannot be read") from error


def _read_registrations(path: Path) -> tuple[Registration, ...]:
    try:
        listed = parse_json(path.read_bytes())
        return tuple(parse_registration(item) for item in listed)
    except (OSError, TypeError, SeoulWalletError) as error:
        raise ConfigurationError("the registrations file cannot be read") from error


def _read_tokens(path: Path) -> dict[str, bytes]:
    try:
        items = parse_json_object(path.read_bytes()).items()
        return {name: bytes.fromhex(digest) for name, digest in items}
    except (OSError, TypeError, ValueError, SeoulWalletError) as error:
        raise ConfigurationError("the agency tokens file cannot be read") from error


def _read_agencies(path: Path) -> dict[str, str]:
    try:
        items = parse_json_object(path.read_bytes())
        return {name: check_url(url, development=True) for name, url in items.items()}
    except (OSError, TypeError, SeoulWalletError) as error:
        raise ConfigurationError("the file of agencies cannot be read") from error


def _read_register(path: str | None, *, development: bool) -> RegisterAtHand | None:
    try:
        return None if path is None else read_register_at_hand(Path(path), development=development)
    except ExclusionConfigurationError as error:
        raise ConfigurationError(f"exclusion_register_file: {error}") from error


def _read_oidc(path: str | None, *, development: bool) -> OidcSettings | None:
    try:
        return None if path is None else read_oidc_settings(Path(path), development=development)
    except OidcConfigurationError as error:
        raise ConfigurationError(f"oidc_file: {error}") from error


def _read_ground(path: Path) -> Text:
    try:
        return Text(**parse_json_object(path.read_bytes()))
    except (OSError, TypeError, SeoulWalletError) as error:
        raise ConfigurationError("the file of the receipts' ground cannot be read") from error


def _read_queries(path: Path) -> dict[str, NamedQuery]:
    try:
        return parse_named_queries(parse_json(path.read_bytes()))
    except OSError as error:
        raise ConfigurationError("the queries file cannot be read") from error
