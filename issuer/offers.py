"""Offering credentials, and the token endpoint's work (OpenID4VCI §4, §6, §7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from issuer.calendar import seoul_day
from issuer.catalogue import Catalogue
from issuer.grants import TX_CODE_DIGITS, Grants
from issuer.identity import IssuerIdentity
from issuer.nonces import Nonces
from issuer.recovery.service import Recoveries
from issuer.sessions import Entitlement, Offered, Terms
from issuer.tokens import Lifetimes, NewTokens, Tokens
from wallet.errors import MalformedError, RejectedError, SeoulWalletError, UnavailableError
from wallet.ports.clock import Clock
from wallet.protocols.oid4vci.offer import (
    AuthorizationCodeGrant,
    CredentialOffer,
    CredentialOfferReference,
    TxCodePrompt,
    build_offer_link,
)
from wallet.protocols.oid4vci.token import (
    AnyTokenRequest,
    CodeTokenRequest,
    RecoveryTokenRequest,
    TokenRequest,
    TokenResponse,
)

TX_CODE_DESCRIPTION = "담당자에게 받은 여섯 자리 숫자 · the six digits the clerk gave you"


class TooManyOffers(MalformedError):
    """No offers at all, or more at once than the limit."""

    code = "too_many_offers"


@dataclass(frozen=True, slots=True)
class RefusedOffer:
    """Which of several offers was refused, counted from 0, and the code of the error."""

    index: int
    code: str


class OffersRefused(RejectedError):
    """Some of several offers were refused, so none was made. `refused` says which."""

    code = "offers_refused"

    def __init__(self, refused: tuple[RefusedOffer, ...]) -> None:
        super().__init__(f"{len(refused)} of the offers were refused; none was made")
        self.refused = refused


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferLimits:
    """How long offers, tokens and nonces last (seconds), and how many offers come at once.

    `held_token_ttl_s` is for what a second person approves. Refresh tokens are only given to
    clients that use DPoP, and renew copies of the credential until `refresh_ttl_s`.
    """

    offer_ttl_s: int = 24 * 3600
    token_ttl_s: int = 600
    held_token_ttl_s: int = 14 * 24 * 3600
    refresh_ttl_s: int = 180 * 24 * 3600
    nonce_ttl_s: int = 300
    max_bulk_offers: int = 1000


@dataclass(frozen=True, slots=True)
class IssuedOffer:
    """A new offer: `link` goes into a QR code, `tx_code` reaches the holder another way."""

    link: str
    tx_code: str | None
    expires_at: int


class Offers:
    """Makes offers and exchanges their codes."""

    def __init__(
        self,
        *,
        identity: IssuerIdentity,
        catalogue: Catalogue,
        grants: Grants,
        tokens: Tokens,
        nonces: Nonces,
        recoveries: Recoveries,
        clock: Clock,
        limits: OfferLimits,
    ) -> None:
        self._identity = identity
        self._catalogue = catalogue
        self._grants = grants
        self._tokens = tokens
        self._nonces = nonces
        self._recoveries = recoveries
        self._clock = clock
        self._limits = limits

    def offer(
        self,
        entitlements: Sequence[Entitlement],
        *,
        with_tx_code: bool,
        by_authorization: bool = False,
    ) -> tuple[IssuedOffer, ...]:
        """Offer credentials to those entitled now: all of them in one transaction, or none.

        `by_authorization` sends the holder to the login and the consent page instead of giving
        them a code.

        The rule is applied to the register here, and again when the credential is issued. Raises
        `TooManyOffers`, `OffersRefused` (several), and for a single one `NotEntitled`,
        `RegisterIncomplete`, `NotACardHolder`, `SubjectUnknown`; `RegisterUnavailable`.
        """
        if not 0 < len(entitlements) <= self._limits.max_bulk_offers:
            raise TooManyOffers(f"1 to {self._limits.max_bulk_offers} offers at once")
        now = self._clock.now()
        self._check_entitled(entitlements, seoul_day(now))
        expires_at = now + self._limits.offer_ttl_s
        opened = self._grants.open(
            entitlements,
            with_tx_code=with_tx_code,
            expires_at=expires_at,
            by_authorization=by_authorization,
        )
        return tuple(
            IssuedOffer(
                build_offer_link(
                    CredentialOfferReference(f"{self._identity.base_url}/offers/{new.offer_id}")
                ),
                new.tx_code,
                expires_at,
            )
            for new in opened
        )

    def _check_entitled(self, entitlements: Sequence[Entitlement], on: date) -> None:
        refused = []
        for index, entitlement in enumerate(entitlements):
            try:
                kind = self._catalogue.type_of(entitlement.configuration_id)
                kind.content(entitlement, on)
            except UnavailableError:
                raise
            except SeoulWalletError as error:
                if len(entitlements) == 1:
                    raise
                refused.append(RefusedOffer(index, error.code))
        if refused:
            raise OffersRefused(tuple(refused))

    def credential_offer(self, offer_id: str) -> CredentialOffer:
        """Return the offer object behind a `credential_offer_uri`. Raises `OfferUnknown`."""
        found = self._grants.offer(offer_id, now=self._clock.now())
        configuration_ids = (found.state.entitlement.configuration_id,)
        base = self._identity.base_url
        if not isinstance(found.state, Offered):
            return CredentialOffer(
                base, configuration_ids, authorization_code=AuthorizationCodeGrant(found.code)
            )
        prompt = None
        if found.state.tx_code_digest is not None:
            prompt = TxCodePrompt("numeric", TX_CODE_DIGITS, TX_CODE_DESCRIPTION)
        return CredentialOffer(base, configuration_ids, found.code, prompt)

    def exchange(
        self, request: AnyTokenRequest, *, client_id: str | None = None, jkt: str | None = None
    ) -> TokenResponse:
        """Exchange a code, a refresh token or a recovery proof for an access token.

        `client_id` is the client as it was authenticated, `jkt` the thumbprint of the key of its
        DPoP proof. Raises `GrantInvalid`, `TxCodeMissing`, `TxCodeUnexpected`,
        `AuthorizationDetailsInvalid`, and for a recovery proof what `Recoveries.entitlement`
        raises.
        """
        now = self._clock.now()
        if isinstance(request, RecoveryTokenRequest):
            terms = Terms(client_id, jkt)
            entitlement = self._recoveries.entitlement(request.recovery_proof)
            made = self._grants.grant(entitlement, terms, lifetimes=self._lifetimes)
        elif isinstance(request, TokenRequest):
            made = self._grants.exchange(
                request.pre_authorized_code,
                request.tx_code,
                now=now,
                terms=Terms(client_id, jkt),
                configuration_ids=request.configuration_ids,
                lifetimes=self._lifetimes,
            )
        elif isinstance(request, CodeTokenRequest):
            made = self._grants.exchange_code(
                request, now=now, client_id=client_id, jkt=jkt, lifetimes=self._lifetimes
            )
        else:
            made = self._tokens.refresh(
                request.refresh_token,
                now=now,
                client_id=client_id,
                jkt=jkt,
                configuration_ids=request.configuration_ids,
                lifetimes=self._lifetimes,
            )
        return self._response(made)

    def _lifetimes(self, entitlement: Entitlement, terms: Terms) -> Lifetimes:
        now, held = self._clock.now(), entitlement.held_by is not None
        token_ttl_s = self._limits.held_token_ttl_s if held else self._limits.token_ttl_s
        refresh_until = None if terms.jkt is None else now + self._limits.refresh_ttl_s
        return Lifetimes(now + token_ttl_s, refresh_until)

    def _response(self, made: NewTokens) -> TokenResponse:
        terms, entitlement = made.grant.state.terms, made.grant.state.entitlement
        identifiers = {}
        if terms.identified:
            identifiers[entitlement.configuration_id] = (made.grant.credential_identifier,)
        return TokenResponse(
            made.access_token,
            self._lifetimes(entitlement, terms).token_until - self._clock.now(),
            "Bearer" if terms.jkt is None else "DPoP",
            made.refresh_token,
            identifiers,
        )

    def new_nonce(self) -> str:
        """Return a new c_nonce, good once."""
        return self._nonces.new(expires_at=self._clock.now() + self._limits.nonce_ttl_s)

    def purge(self) -> int:
        """Forget expired offers, tokens and nonces; return how many."""
        return self._grants.purge(now=self._clock.now())
