"""Where the verifier's errors become HTTP answers, beyond the families' own statuses.

Every error answers as RFC 9457 problem details with its stable `code`. The table lists what
differs from the family: a session that is not there is 404, not a conflict. On the wallet's side
the member `error` of whatever is wrong with a response is `invalid_request` (OpenID4VP §8.5,
RFC 6749 §4.1.2.1). Where it depends on the state so is `code`, so that an answer tells nobody
which states exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flask import Flask, Response

from verifier.bulk.records import BulkBatchUnknown
from verifier.claims.records import BenefitClaimUnknown
from wallet.errors import (
    ConflictError,
    MalformedError,
    RejectedError,
    SeoulWalletError,
    UnsupportedError,
)
from wallet.ports.sessions import SessionUnknown
from wallet.protocols.oid4vp_session import SessionExpired
from wallet.web.problems import problem

STATUSES: Final[Mapping[type[SeoulWalletError], int]] = {
    SessionUnknown: 404,
    SessionExpired: 404,
    BulkBatchUnknown: 404,
    BenefitClaimUnknown: 404,
}
WALLET_ERROR: Final = "invalid_request"


def register_verifier_errors(app: Flask) -> None:
    """Answer the errors of the table with their own status."""
    for kind, status in STATUSES.items():
        app.register_error_handler(kind, _answer_with(status))


def _answer_with(status: int) -> Callable[[SeoulWalletError], Response]:
    def answer(error: SeoulWalletError) -> Response:
        if isinstance(error, (BulkBatchUnknown, BenefitClaimUnknown)):
            return problem(status, error.code, str(error))
        return problem(status, SessionUnknown.code, "there is no such session")

    return answer


def response_refused(error: ConflictError | RejectedError) -> Response:
    """Return the one answer to a response that no request waits for, or not in this way."""
    return problem(400, WALLET_ERROR, "no request waits for this response", error=WALLET_ERROR)


def response_unreadable(error: MalformedError | UnsupportedError) -> Response:
    """Return the answer to what is no response, or none that is read here: with what is wrong."""
    return problem(error.status, error.code, str(error), error=WALLET_ERROR)
