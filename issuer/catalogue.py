"""The credential types that the department issues: what they are called, and what they say.

Each type asks the register anew whenever it is asked: at the offer, and again when it is issued.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, Protocol

from issuer.register.appointment_letter import (
    APPOINTMENT_LETTER_CLAIMS,
    APPOINTMENT_LETTER_TYPE,
    appointment_letter_claims,
)
from issuer.register.card_rule import (
    FAMILY_CARD_CLAIMS,
    FAMILY_CARD_TYPE,
    RefusalReason,
    check_family_card,
    family_card_rule,
)
from issuer.register.port import AppointmentRegister, FamilyRegister
from issuer.sessions import Entitlement
from wallet.credentials.cryptosuites.ecdsa_rdfc_2019 import ECDSA_RDFC_2019
from wallet.credentials.cryptosuites.ecdsa_sd_2023 import ECDSA_SD_2023
from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.formats import BBS_NYM_FORMAT, JWT_VC_FORMAT, LDP_VC_FORMAT
from wallet.credentials.jsonld.pinned import CREDENTIALS_V2
from wallet.credentials.jsonld.seoul import SEOUL_CONTEXT
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError, RejectedError, UnsupportedError
from wallet.protocols.oid4vci.configuration import (
    BBS_NYM_PROOF,
    ClaimDescription,
    CredentialConfiguration,
    Label,
)
from wallet.protocols.oid4vci.nym_proof import BBS_NYM_ALGORITHM

FAMILY_CARD: Final = "multi-child-family-card"
APPOINTMENT_LETTER: Final = "appointment-letter"


class ConfigurationUnknown(UnsupportedError):
    """No credential configuration has this id."""

    code = "configuration_unknown"


class NotEntitled(RejectedError):
    """The rule, applied to the register, grants no credential. `reasons` are stable codes."""

    code = "not_entitled"

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("no credential is granted: " + ", ".join(reasons))
        self.reasons = reasons


class RegisterIncomplete(ConflictError):
    """The register lacks a fact that decides: no verdict, a document is needed first."""

    code = "register_incomplete"


@dataclass(frozen=True, slots=True)
class CredentialContent:
    """What a credential will say. `valid_until` is the last day on which it holds, in Seoul.

    Every claim is disclosable on its own; `members` are the places inside claims that are, too.
    What is in `visible` is not: everyone who is shown the credential sees it.
    `nym_epoch` is that of its pseudonym secret, where it is not the issuer's own.
    """

    claims: JsonObject
    valid_until: date
    members: tuple[ClaimPath, ...] = ()
    visible: JsonObject = field(default_factory=dict)
    nym_epoch: str | None = None


class CredentialType(Protocol):
    """One type of credential."""

    @property
    def configuration(self) -> CredentialConfiguration:
        """How the type appears in the issuer's metadata."""

    def content(self, entitlement: Entitlement, on: date) -> CredentialContent:
        """Return what the credential says if it is issued on that day.

        Raises `NotEntitled`, `RegisterIncomplete`, and what the register raises.
        """


def _claims(
    names: tuple[str, ...], labels: Mapping[str, tuple[str, str]]
) -> tuple[ClaimDescription, ...]:
    return tuple(
        ClaimDescription(
            (name,), (Label(labels[name][0], "ko-KR"), Label(labels[name][1], "en-US")), True
        )
        for name in names
    )


class FamilyCardType:
    """The multi-child family card (다둥이 행복카드) of one parent or guardian."""

    configuration = CredentialConfiguration(
        id=FAMILY_CARD,
        vct=FAMILY_CARD_TYPE,
        scope=FAMILY_CARD,
        display=(
            Label("다둥이 행복카드", "ko-KR", "두 자녀 이상 서울 가정을 위한 카드"),
            Label(
                "Multi-child Family Card", "en-US", "For Seoul families with two or more children"
            ),
        ),
        claims=_claims(
            FAMILY_CARD_CLAIMS,
            {
                "seoul_resident": ("서울 거주", "Resident of Seoul"),
                "child_count": ("자녀 수", "Number of children"),
                "youngest_birth_month": ("막내 출생 연월", "Birth month of the youngest child"),
                "valid_until": ("유효 기한", "Valid until"),
                "holder_role": ("소지자 자격", "Role of the holder"),
                "name": ("성명", "Name"),
            },
        ),
    )

    def __init__(self, register: FamilyRegister) -> None:
        self._register = register

    def content(self, entitlement: Entitlement, on: date) -> CredentialContent:
        family = self._register.family(entitlement.subject_id)
        decision = check_family_card(family, on, family_card_rule(on))
        if decision.reasons == (RefusalReason.REGISTER_INCOMPLETE,):
            raise RegisterIncomplete("the register lacks a registration of this family")
        if not decision.granted:
            raise NotEntitled(tuple(reason.value for reason in decision.reasons))
        card = decision.card_of(entitlement.holder_id)
        return CredentialContent(dict(card.to_json()), card.valid_until)


class AppointmentLetterType:
    """The appointment letter (위촉장)."""

    configuration = CredentialConfiguration(
        id=APPOINTMENT_LETTER,
        vct=APPOINTMENT_LETTER_TYPE,
        scope=APPOINTMENT_LETTER,
        display=(
            Label("위촉장", "ko-KR", "위원 위촉을 증명하는 문서"),
            Label("Letter of Appointment", "en-US", "Certifies the appointment to a public post"),
        ),
        claims=_claims(
            APPOINTMENT_LETTER_CLAIMS,
            {
                "name": ("성명", "Name"),
                "post": ("직위", "Post"),
                "organisation": ("기관", "Organisation"),
                "term_from": ("위촉 시작일", "Term from"),
                "valid_until": ("위촉 종료일", "Valid until"),
                "serial": ("문서 번호", "Serial number"),
                "seal_text": ("직인", "Seal"),
                "signer_title": ("위촉권자", "Title of the signer"),
            },
        ),
    )

    def __init__(self, register: AppointmentRegister) -> None:
        self._register = register

    def content(self, entitlement: Entitlement, on: date) -> CredentialContent:
        appointment = self._register.appointment(entitlement.subject_id)
        if on > appointment.term_until:
            raise NotEntitled(("term_ended",))
        return CredentialContent(
            dict(appointment_letter_claims(appointment)), appointment.term_until
        )


# The types that are also issued as W3C credentials, and what they are called there. Each has its
# terms in `wallet.credentials.jsonld.seoul`.
W3C_TYPES: Final[Mapping[str, str]] = {
    FAMILY_CARD: "MultiChildFamilyCard",
    APPOINTMENT_LETTER: "AppointmentLetter",
}
# The types that are also issued with a pseudonym secret.
NYM_TYPES: Final = frozenset((FAMILY_CARD,))
# The types that nobody gets without a second person's approval, whoever asks.
APPROVED_TYPES: Final = frozenset((APPOINTMENT_LETTER,))


@dataclass(frozen=True, slots=True)
class FormattedType:
    """A credential type in one format."""

    kind: CredentialType
    configuration: CredentialConfiguration

    @property
    def vct(self) -> str:
        """The type's own name, under which it is recorded and anchored in every format."""
        return self.kind.configuration.vct

    @property
    def needs_approval(self) -> bool:
        """Whether every issuance is held for a second person's approval."""
        return self.kind.configuration.id in APPROVED_TYPES

    def content(self, entitlement: Entitlement, on: date) -> CredentialContent:
        """See `CredentialType.content`."""
        return self.kind.content(entitlement, on)


def with_nym_secret(configuration: CredentialConfiguration) -> CredentialConfiguration:
    """Return the configuration of the same type, issued with a pseudonym secret."""
    return replace(
        configuration,
        format=BBS_NYM_FORMAT,
        binding_methods=(BBS_NYM_PROOF,),
        signing_algorithms=(BBS_NYM_ALGORITHM,),
        proof_algorithms=(BBS_NYM_ALGORITHM,),
        proof_type=BBS_NYM_PROOF,
    )


def _formats(kind: CredentialType, *, nyms: bool) -> Iterator[FormattedType]:
    base = kind.configuration
    yield FormattedType(kind, base)
    name = W3C_TYPES.get(base.id)
    if name is not None:
        subject = tuple(
            replace(claim, path=("credentialSubject", *claim.path)) for claim in base.claims
        )
        linked = (CREDENTIALS_V2, SEOUL_CONTEXT)
        for suffix, form, contexts, algorithm in (
            ("jwt", JWT_VC_FORMAT, (), "ES256"),
            ("ldp", LDP_VC_FORMAT, linked, ECDSA_RDFC_2019.name),
            # The holder shows parts of it.
            ("ldp-sd", LDP_VC_FORMAT, linked, ECDSA_SD_2023.name),
        ):
            yield FormattedType(
                kind,
                replace(
                    base,
                    id=f"{base.id}-{suffix}",
                    scope=f"{base.scope}-{suffix}",
                    vct="",
                    format=form,
                    types=("VerifiableCredential", name),
                    contexts=contexts,
                    claims=subject,
                    # Wallets that bind W3C credentials do it by DID, some by nothing else.
                    binding_methods=("did:jwk", "did:key", "jwk"),
                    signing_algorithms=(algorithm,),
                ),
            )
    if nyms and base.id in NYM_TYPES:
        renamed = replace(base, id=f"{base.id}-bbs", scope=f"{base.scope}-bbs")
        yield FormattedType(kind, with_nym_secret(renamed))


class Catalogue:
    """The credential types of an issuer, each in every format that it is issued in.

    `only` names the types (by the id of their SD-JWT VC) that this issuer may issue, None all.
    """

    def __init__(
        self, *types: CredentialType, only: frozenset[str] | None = None, nyms: bool = False
    ) -> None:
        self._types = {
            formatted.configuration.id: formatted
            for item in types
            if only is None or item.configuration.id in only
            for formatted in _formats(item, nyms=nyms)
        }

    @property
    def configurations(self) -> dict[str, CredentialConfiguration]:
        """The configurations by id, as the metadata lists them."""
        return {name: item.configuration for name, item in self._types.items()}

    def type_of(self, configuration_id: str) -> FormattedType:
        """Return one type in one format. Raises `ConfigurationUnknown`."""
        if configuration_id not in self._types:
            raise ConfigurationUnknown("no credential configuration has this id")
        return self._types[configuration_id]
