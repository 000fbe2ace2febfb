"""Typed errors as the protocols spell them: one table per endpoint (OpenID4VCI §6.3, §8.3.1).

The operator API is not here: it answers problem details from each error's own `code`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from issuer.authorization.clients import RedirectUriRefused
from issuer.authorization.server import ScopeUnknown
from issuer.catalogue import ConfigurationUnknown, NotEntitled, RegisterIncomplete
from issuer.deferral import IssuanceRefused, TransactionUnknown
from issuer.dpop import DpopNonceNeeded
from issuer.issuing import ConfigurationNotGranted, ProofKeyRepeated, TooManyProofs
from issuer.notifications import NotificationUnknown
from issuer.ports import IssuanceAlreadyCompleted, NymKeyRegistered, NymKeyTaken
from issuer.recovery.ports import (
    DeviceLost,
    HoldingReplaced,
    HoldingTaken,
    HoldingUnknown,
    HoldingWithdrawn,
    RecoveryKeyReplaced,
    RecoveryTooOften,
)
from issuer.register.card_rule import NotACardHolder
from issuer.register.port import SubjectUnknown
from issuer.sessions import (
    AccessTokenInvalid,
    GrantInvalid,
    NonceInvalid,
    TxCodeMissing,
    TxCodeUnexpected,
)
from wallet.errors import MalformedError, SeoulWalletError, UnavailableError, UnsupportedError
from wallet.protocols.oid4vci.authorization import UnsupportedResponseType
from wallet.protocols.oid4vci.authorization_details import AuthorizationDetailsInvalid
from wallet.protocols.oid4vci.client_attestation import ClientNotAuthenticated
from wallet.protocols.oid4vci.credential import (
    KeyProofMissing,
    UnknownCredentialIdentifier,
    UnsupportedProofType,
)
from wallet.protocols.oid4vci.dpop import DPOP_ALGORITHMS, DpopProofInvalid
from wallet.protocols.oid4vci.encryption import EncryptionParametersInvalid
from wallet.protocols.oid4vci.key_attestation import KeyAttestationInvalid
from wallet.protocols.oid4vci.proof import (
    KeyProofInvalid,
    KeyProofMalformed,
    KeyProofWithoutNonce,
)
from wallet.protocols.oid4vci.recovery import RecoveryProofInvalid, RecoveryProofMalformed
from wallet.protocols.oid4vci.token import ErrorResponse, UnsupportedGrantType
from wallet.web.application import json_answer
from wallet.web.problems import RETRY_AFTER_S


class AccessTokenMissing(MalformedError):
    """The request carries no access token, or a DPoP token without its proof."""

    code = "access_token_missing"


@dataclass(frozen=True, slots=True)
class WireError:
    """An `error` value of a protocol and its HTTP status."""

    error: str
    status: int = 400


WireTable = Mapping[type[SeoulWalletError], WireError]

_DPOP_ERRORS: Final[WireTable] = {
    DpopProofInvalid: WireError("invalid_dpop_proof"),
    DpopNonceNeeded: WireError("use_dpop_nonce"),
}
# Of this project's own, like the member and the grant that they answer.
RECOVERY_ERRORS: Final[WireTable] = {
    RecoveryProofInvalid: WireError("invalid_recovery_proof"),
    RecoveryProofMalformed: WireError("invalid_recovery_proof"),
    NonceInvalid: WireError("invalid_nonce"),
    HoldingUnknown: WireError("recovery_unknown"),
    HoldingReplaced: WireError("recovery_replaced"),
    HoldingWithdrawn: WireError("recovery_withdrawn"),
    HoldingTaken: WireError("invalid_recovery_proof"),
    DeviceLost: WireError("recovery_device_lost"),
    RecoveryKeyReplaced: WireError("recovery_key_replaced"),
    RecoveryTooOften: WireError("recovery_too_often"),
    MalformedError: WireError("invalid_request"),
    UnsupportedError: WireError("invalid_request"),
}
_DETAILS_ERRORS: Final[WireTable] = {
    AuthorizationDetailsInvalid: WireError("invalid_authorization_details"),
}
PAR_ERRORS: Final[WireTable] = {
    **_DPOP_ERRORS,
    **_DETAILS_ERRORS,
    ClientNotAuthenticated: WireError("invalid_client", 401),
    RedirectUriRefused: WireError("invalid_request"),
    ScopeUnknown: WireError("invalid_scope"),
    UnsupportedResponseType: WireError("unsupported_response_type"),
    MalformedError: WireError("invalid_request"),
    UnsupportedError: WireError("invalid_request"),
}
TOKEN_ERRORS: Final[WireTable] = {
    **RECOVERY_ERRORS,
    **_DPOP_ERRORS,
    **_DETAILS_ERRORS,
    ClientNotAuthenticated: WireError("invalid_client", 401),
    GrantInvalid: WireError("invalid_grant"),
    TxCodeMissing: WireError("invalid_request"),
    TxCodeUnexpected: WireError("invalid_request"),
    UnsupportedGrantType: WireError("unsupported_grant_type"),
    MalformedError: WireError("invalid_request"),
    UnsupportedError: WireError("invalid_request"),
}
# At a resource the DPoP errors belong to the scheme (RFC 9449 §7.1).
_TOKEN_USE_ERRORS: Final[WireTable] = {
    AccessTokenMissing: WireError("invalid_token", 401),
    AccessTokenInvalid: WireError("invalid_token", 401),
    DpopProofInvalid: WireError("invalid_dpop_proof", 401),
    DpopNonceNeeded: WireError("use_dpop_nonce", 401),
}
NOTIFICATION_ERRORS: Final[WireTable] = {
    **_TOKEN_USE_ERRORS,
    NotificationUnknown: WireError("invalid_notification_id"),
    MalformedError: WireError("invalid_notification_request"),
    UnsupportedError: WireError("invalid_notification_request"),
}
CREDENTIAL_ERRORS: Final[WireTable] = {
    **RECOVERY_ERRORS,
    **_TOKEN_USE_ERRORS,
    TransactionUnknown: WireError("invalid_transaction_id"),
    IssuanceRefused: WireError("credential_request_denied"),
    # Of this project, as the format is: the wallet sends its holder to the on-site channel.
    NymKeyRegistered: WireError("nym_key_registered"),
    NymKeyTaken: WireError("invalid_proof"),
    KeyProofMissing: WireError("invalid_proof"),
    KeyProofMalformed: WireError("invalid_proof"),
    KeyProofInvalid: WireError("invalid_proof"),
    KeyProofWithoutNonce: WireError("invalid_proof"),
    KeyAttestationInvalid: WireError("invalid_proof"),
    ProofKeyRepeated: WireError("invalid_proof"),
    UnsupportedProofType: WireError("invalid_proof"),
    NonceInvalid: WireError("invalid_nonce"),
    ConfigurationUnknown: WireError("unknown_credential_configuration"),
    UnknownCredentialIdentifier: WireError("unknown_credential_identifier"),
    EncryptionParametersInvalid: WireError("invalid_encryption_parameters"),
    TooManyProofs: WireError("invalid_credential_request"),
    ConfigurationNotGranted: WireError("credential_request_denied"),
    IssuanceAlreadyCompleted: WireError("credential_request_denied"),
    NotEntitled: WireError("credential_request_denied"),
    RegisterIncomplete: WireError("credential_request_denied"),
    NotACardHolder: WireError("credential_request_denied"),
    SubjectUnknown: WireError("credential_request_denied"),
    MalformedError: WireError("invalid_credential_request"),
    UnsupportedError: WireError("invalid_credential_request"),
}
# Why a credential is denied is between the holder and the department, not for the wire.
_UNEXPLAINED: Final = (NotEntitled, RegisterIncomplete, NotACardHolder, SubjectUnknown)


def answer_errors(blueprint: Blueprint, table: WireTable, *, too_large: str) -> None:
    """Answer the typed errors of a blueprint's views by `table`; a family may stand for its own.

    What could not be checked is 503 `temporarily_unavailable`. A body over the limit is 413 with
    the error `too_large`. Anything else is the application's to answer.
    """

    def typed(error: SeoulWalletError) -> Response:
        if isinstance(error, UnavailableError):
            answer = _answer(WireError("temporarily_unavailable", 503), "try again later")
            answer.headers["Retry-After"] = str(RETRY_AFTER_S)
            return answer
        wire = _lookup(table, error)
        text = "not granted" if isinstance(error, _UNEXPLAINED) else str(error)
        answer = _answer(wire, text)
        if wire.status == 401:
            _challenge(answer, error, wire)
        return answer

    def body_too_large(_: HTTPException) -> Response:
        return _answer(WireError(too_large, 413), "the body is too large")

    blueprint.register_error_handler(SeoulWalletError, typed)
    blueprint.register_error_handler(RequestEntityTooLarge, body_too_large)


def _challenge(answer: Response, error: SeoulWalletError, wire: WireError) -> None:
    algorithms = " ".join(DPOP_ALGORITHMS)
    if isinstance(error, AccessTokenMissing):
        answer.headers["WWW-Authenticate"] = "Bearer"
        answer.headers.add("WWW-Authenticate", f'DPoP algs="{algorithms}"')
    elif isinstance(error, AccessTokenInvalid):
        scheme = "DPoP" if "DPoP" in request.headers else "Bearer"
        answer.headers["WWW-Authenticate"] = f'{scheme} error="{wire.error}"'
    elif isinstance(error, DpopProofInvalid | DpopNonceNeeded):
        answer.headers["WWW-Authenticate"] = f'DPoP error="{wire.error}", algs="{algorithms}"'


def _lookup(table: WireTable, error: SeoulWalletError) -> WireError:
    for kind in type(error).__mro__:
        if kind in table:
            return table[kind]
    # A typed error that no table names is our omission; it is still the protocol's to spell.
    return WireError("server_error", 500)


def _answer(wire: WireError, description: str) -> Response:
    return json_answer(ErrorResponse(wire.error, _printable(description)).to_json(), wire.status)


def _printable(text: str) -> str:
    # RFC 6749 §5.2 allows %x20-21 / %x23-5B / %x5D-7E.
    allowed: Callable[[str], bool] = lambda char: " " <= char <= "~" and char not in '"\\'  # noqa: E731
    return "".join(char if allowed(char) else "'" for char in text)
