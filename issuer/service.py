"""The issuing service: its use cases over its ports, grouped by who needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from issuer.authorization.clients import Clients
from issuer.authorization.server import AuthorizationServer
from issuer.bitstring import BitstringLists
from issuer.card_types import CardTypes
from issuer.catalogue import (
    FAMILY_CARD,
    AppointmentLetterType,
    Catalogue,
    ConfigurationUnknown,
    FamilyCardType,
)
from issuer.contracts import Contracts
from issuer.deferral import Deferrals
from issuer.dpop import DpopGuard
from issuer.grants import Grants
from issuer.guardianship import GUARDIANSHIP
from issuer.holder_revocation import HolderRevocations
from issuer.identity import IssuerIdentity
from issuer.issuing import (
    IssuanceStep,
    Issuing,
)
from issuer.key_attestations import KeyAttestations
from issuer.letters import Letters
from issuer.nonces import Nonces
from issuer.notifications import Notifications
from issuer.nym import NymIssuing
from issuer.offers import IssuedOffer, Offers
from issuer.parts import IssuerKeys, IssuerPorts, ServiceSettings, WorkRound
from issuer.person_types import person_types
from issuer.recovery.service import Recoveries
from issuer.sessions import Entitlement
from issuer.status import Statuses
from issuer.tokens import Tokens
from issuer.voting import VOTING_CREDENTIAL, VotingCredentialType, VotingRoll
from wallet.anchoring import Anchoring
from wallet.credentials.account import ACCOUNT
from wallet.eligibility.benefit_key import BENEFIT_KEY
from wallet.eligibility.evidence_types import evidence_types
from wallet.encoding.json import JsonObject
from wallet.ports.facts import ChainUnavailable
from wallet.protocols.oid4vci.authorization import CHALLENGE_METHOD
from wallet.protocols.oid4vci.configuration import JWT_PROOF, CredentialConfiguration
from wallet.protocols.oid4vci.dpop import DPOP_ALGORITHMS
from wallet.protocols.oid4vci.encryption import RequestEncryptionOffer, ResponseEncryptionOffer
from wallet.protocols.oid4vci.metadata import IssuerMetadata, sign_issuer_metadata
from wallet.protocols.oid4vci.offer import AUTHORIZATION_CODE_GRANT, PRE_AUTHORIZED_CODE_GRANT
from wallet.protocols.oid4vci.server_metadata import (
    ATTESTED_CLIENT,
    PUBLIC_CLIENT,
    AuthorizationServerMetadata,
)
from wallet.protocols.oid4vci.token import RECOVERY_GRANT, REFRESH_TOKEN_GRANT


class IssuerService:
    """The use cases of the issuer. Each member is one group of them; none knows HTTP."""

    def __init__(
        self,
        *,
        identity: IssuerIdentity,
        ports: IssuerPorts,
        settings: ServiceSettings,
        keys: IssuerKeys,
        configurations: frozenset[str] | None = None,
        after_step: Callable[[IssuanceStep], None] | None = None,
    ) -> None:
        """`configurations` names the types that this department issues, None all of them."""
        self.identity = identity
        self.keys = keys
        self._settings = settings
        self.together = ports.together
        self._clock = clock = ports.clock
        self._ledger = ports.ledger
        mine = configurations is None or VOTING_CREDENTIAL in configurations
        self.voting = _voting_roll(ports, keys) if mine else None
        self.catalogue = catalogue = _catalogue(ports, keys, self.voting, configurations)
        self.card_types = CardTypes(identity.base_url, catalogue, settings.display)
        self.statuses = _statuses(identity, ports, settings)
        self.bitstrings = _bitstrings(identity, ports, settings)
        self.anchoring = _anchoring(identity, ports, settings)
        nonces = Nonces(ports.sessions, keys.nonces)
        self.recoveries = _recoveries(identity, ports, settings, catalogue, nonces, self.statuses)
        self.holder_revocations = HolderRevocations(
            identity=identity, records=ports.issuances, statuses=self.statuses, nonces=nonces,
            clock=clock,
        )  # fmt: skip
        self.dpop = DpopGuard(ports.sessions, clock, keys.nonces)
        self.clients = Clients(identity, ports.sessions, clock, settings.clients)
        self.deferrals = Deferrals(
            store=ports.sessions, records=ports.approvals, clock=clock, times=settings.deferral
        )
        self.notifications = Notifications(ports.sessions, clock, settings.notification_ttl_s)
        tokens = Tokens(ports.sessions)
        grants = Grants(ports.sessions, tokens)
        self.offers = Offers(
            identity=identity, catalogue=catalogue, grants=grants, tokens=tokens, nonces=nonces,
            recoveries=self.recoveries, clock=clock, limits=settings.offers,
        )  # fmt: skip
        self.issuing = Issuing(
            identity=identity, catalogue=catalogue, nonces=nonces, tokens=tokens,
            records=ports.issuances, deferrals=self.deferrals, notifications=self.notifications,
            nyms=None if keys.nym is None else NymIssuing(keys.nym, ports.nyms),
            recoveries=self.recoveries, statuses=self.statuses, clock=clock,
            attestations=KeyAttestations(
                settings.clients.providers, settings.clients.key_attestations
            ),
            batch_size=settings.batch_size, renewal_years=settings.renewal_years,
            **({} if after_step is None else {"after_step": after_step}),
        )  # fmt: skip
        # Without a way to know who is in the browser there is no authorization code.
        self.authorization = (
            None
            if ports.login is None
            else AuthorizationServer(
                identity=identity, catalogue=catalogue, grants=grants, store=ports.sessions,
                clients=self.clients, login=ports.login, clock=clock,
                times=settings.authorization,
            )
        )  # fmt: skip
        self.letters = Letters(
            records=ports.letters, catalogue=catalogue, offers=self.offers, clock=clock
        )
        self.contracts = Contracts(
            identity=identity, records=ports.contracts, accounts=ports.accounts,
            issuances=ports.issuances, offers=self.offers, clock=clock,
        )  # fmt: skip

    @property
    def status_max_age_s(self) -> int:
        """How long others may keep a status list before they ask again."""
        return self._settings.status.reuse_s

    def offer_family_card(
        self, family_id: str, holder_id: str, *, with_tx_code: bool = True
    ) -> IssuedOffer:
        """Offer the family's card to one of its parents or guardians.

        Raises what `Offers.offer` raises.
        """
        entitlement = Entitlement(FAMILY_CARD, family_id, holder_id)
        (offer,) = self.offers.offer([entitlement], with_tx_code=with_tx_code)
        return offer

    def offer_evidence(
        self,
        kind: str,
        subject_id: str,
        holder_id: str,
        *,
        with_tx_code: bool = True,
        guardian: tuple[str, str] | None = None,
    ) -> IssuedOffer:
        """Offer one piece of evidence about a person to that person, or to its guardian.

        `kind` is a name of `wallet.eligibility.evidence_types`, or the id of the configuration of
        the account or the benefit key; `guardian` are the family and who of it takes the evidence
        for a child. Raises `ConfigurationUnknown` and what `Offers.offer` raises.
        """
        if kind not in evidence_types().by_name and kind not in (ACCOUNT, BENEFIT_KEY):
            raise ConfigurationUnknown("no kind of evidence has this name")
        entitlement = Entitlement(kind, subject_id, holder_id, guardian=guardian)
        (offer,) = self.offers.offer([entitlement], with_tx_code=with_tx_code)
        return offer

    def offer_guardianship(
        self, family_id: str, guardian_id: str, child_id: str, *, with_tx_code: bool = True
    ) -> IssuedOffer:
        """Offer the guardianship certificate for one child to one of its guardians.

        Raises what `Offers.offer` raises, and `ConfigurationUnknown` where none is issued.
        """
        entitlement = Entitlement(GUARDIANSHIP, family_id, guardian_id, ward_id=child_id)
        (offer,) = self.offers.offer([entitlement], with_tx_code=with_tx_code)
        return offer

    def issuer_metadata(self) -> IssuerMetadata:
        """Return the credential issuer metadata."""
        base = self.identity.base_url
        return IssuerMetadata(
            base,
            f"{base}/credential",
            f"{base}/nonce",
            self._configurations(),
            self._settings.display,
            batch_size=self._settings.batch_size,
            deferred_credential_endpoint=f"{base}/deferred-credential",
            notification_endpoint=f"{base}/notification",
            request_encryption=RequestEncryptionOffer((self.keys.encryption.public,)),
            response_encryption=ResponseEncryptionOffer(),
            recovery=self.recoveries.offer,
        )

    def _configurations(self) -> dict[str, CredentialConfiguration]:
        required = self.clients.policy.key_attestations
        return {
            name: replace(
                item, key_attestations=required if item.proof_type == JWT_PROOF else None
            )
            for name, item in self.card_types.configurations.items()
        }

    @cached_property
    def issuer_metadata_document(self) -> JsonObject:
        """The credential issuer metadata as it travels: the same as long as this service lives."""
        return self.issuer_metadata().to_json()

    def signed_issuer_metadata(self) -> str:
        """Return the credential issuer metadata as a signed JWT (§12.2.3)."""
        return sign_issuer_metadata(
            self.issuer_metadata_document,
            self.identity.key,
            verification_method=self.identity.verification_method,
            issued_at=self._clock.now(),
        )

    def authorization_server_metadata(self) -> AuthorizationServerMetadata:
        """Return the metadata of the issuer as its own authorization server."""
        base = self.identity.base_url
        policy = self.clients.policy
        by_code = self.authorization is not None
        methods = () if policy.attestation_required and by_code else (PUBLIC_CLIENT,)
        return AuthorizationServerMetadata(
            base,
            f"{base}/token",
            (
                PRE_AUTHORIZED_CODE_GRANT,
                *((AUTHORIZATION_CODE_GRANT,) if by_code else ()),
                REFRESH_TOKEN_GRANT,
                RECOVERY_GRANT,
            ),
            authorization_endpoint=f"{base}/authorize" if by_code else None,
            pushed_authorization_request_endpoint=f"{base}/par" if by_code else None,
            require_pushed=by_code,
            iss_in_answer=by_code,
            code_challenge_methods=(CHALLENGE_METHOD,),
            dpop_algorithms=DPOP_ALGORITHMS,
            client_authentication=(*methods, *((ATTESTED_CLIENT,) if policy.providers else ())),
            scopes=tuple(
                item.scope for item in self.catalogue.configurations.values() if item.scope
            ),
        )

    def work(self) -> WorkRound:
        """Do what is due: anchor, follow finality, publish statuses, tell people, forget.

        Waits for no block. What could not be done is tried again next time. Raises
        `StorageUnavailable`.
        """
        now = self._clock.now()
        failures: list[str] = []
        ledger = None
        try:
            ledger = self._ledger.advance()
        except ChainUnavailable as error:
            failures.append(error.code)
        failures += self.anchoring.anchor_due(now).failures
        self.anchoring.refresh_finality()
        failures += self.statuses.publish_due(now)
        failures += self.recoveries.tell_due()
        self.offers.purge()
        return WorkRound(tuple(failures), ledger)


def _voting_roll(ports: IssuerPorts, keys: IssuerKeys) -> VotingRoll | None:
    """Return what voting credentials are issued from: a roll, and a key to issue them with."""
    if ports.roll is None or keys.nym is None:
        return None
    return VotingRoll(ports.roll, keys.nym.epoch, keys.nym.key.public_key, keys.nym.census_salt)


def _catalogue(
    ports: IssuerPorts,
    keys: IssuerKeys,
    voting: VotingRoll | None,
    configurations: frozenset[str] | None,
) -> Catalogue:
    nyms = keys.nym is not None
    return Catalogue(
        FamilyCardType(ports.families),
        AppointmentLetterType(ports.appointments),
        *(() if voting is None else (VotingCredentialType(voting.roll),)),
        *person_types(ports.evidence, ports.families, ports.accounts, ports.contracts, nyms=nyms),
        only=configurations,
        nyms=nyms,
    )


def _statuses(identity: IssuerIdentity, ports: IssuerPorts, settings: ServiceSettings) -> Statuses:
    return Statuses(
        identity=identity,
        records=ports.issuances,
        publications=ports.publications,
        ledger=ports.ledger,
        replica=ports.replica,
        clock=ports.clock,
        times=settings.status,
    )


def _bitstrings(
    identity: IssuerIdentity, ports: IssuerPorts, settings: ServiceSettings
) -> BitstringLists:
    return BitstringLists(
        identity=identity,
        records=ports.issuances,
        clock=ports.clock,
        reuse_s=settings.status.reuse_s,
        validity_s=settings.status.validity_s,
    )


def _anchoring(
    identity: IssuerIdentity, ports: IssuerPorts, settings: ServiceSettings
) -> Anchoring:
    return Anchoring(
        identity=identity,
        records=ports.batches,
        ledger=ports.ledger,
        replica=ports.replica,
        clock=ports.clock,
        times=settings.anchoring,
    )


def _recoveries(
    identity: IssuerIdentity,
    ports: IssuerPorts,
    settings: ServiceSettings,
    catalogue: Catalogue,
    nonces: Nonces,
    statuses: Statuses,
) -> Recoveries:
    return Recoveries(
        identity=identity,
        catalogue=catalogue,
        records=ports.recoveries,
        nonces=nonces,
        statuses=statuses,
        channel=ports.contact,
        clock=ports.clock,
        policy=settings.recovery,
    )
