"""The operators' part of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from issuer.api.openapi_parts import (
    Operation,
    answer,
    body,
    json_answer_of,
    object_schema,
    operation,
    path_parameter,
    query_parameter,
)
from issuer.status import StatusReason
from wallet.encoding.json import JsonObject

_ID: Final = {"type": "string", "pattern": "^[A-Z0-9-]{1,64}$"}
_FLAG: Final = {"type": "boolean"}
_OBJECT: Final = {"type": "object"}
_OFFER: Final = object_schema(
    {"link": {"type": "string"}, "tx_code": {"type": ["string", "null"]},
     "expires_at": {"type": "integer"}},
    ("link", "tx_code", "expires_at"),
)  # fmt: skip
_NOTHING: Final[JsonObject] = {"type": "object", "additionalProperties": False}
_PROBLEMS: Final = ("400", "401", "404", "409", "413", "415", "422", "503")


def _operation(
    summary: str,
    good: Mapping[str, JsonObject],
    schema: JsonObject | None,
    *names: str,
    query: str | None = None,
) -> Operation:
    return operation(
        summary,
        {**good, **{status: answer("problem") for status in _PROBLEMS}},
        parameters=[
            *(path_parameter(name) for name in names),
            *([query_parameter(query, required=False)] if query is not None else []),
        ],
        request=None if schema is None else body(schema, "application/json"),
        security="operator",
    )


def _strict(properties: Mapping[str, JsonObject], required: tuple[str, ...]) -> JsonObject:
    return {**object_schema(properties, required), "additionalProperties": False}


_CARD: Final = _strict(
    {"family_id": _ID, "holder_id": _ID, "tx_code": _FLAG}, ("family_id", "holder_id")
)
_SIDE: Final = {"enum": ["employer", "worker"]}
_WORDS: Final = {"type": "string", "minLength": 1, "maxLength": 200}
_TERMS: Final = _strict(
    {
        **{name: _WORDS for name in ("employer", "worker", "job")},
        **{name: {"type": "string", "format": "date"} for name in ("starts_on", "ends_on")},
        "weekly_hours": {"type": "integer", "minimum": 1, "maximum": 52},
        "monthly_wage_won": {"type": "integer", "minimum": 1, "maximum": 10**10},
        "further": {"type": "array", "items": _WORDS, "maxItems": 10},
    },
    ("employer", "worker", "job", "starts_on", "ends_on", "weekly_hours", "monthly_wage_won"),
)
_SIGNED: Final = _strict(
    {
        "presentation": {"type": "string", "minLength": 1},
        "nonce": {"type": "string", "minLength": 1, "maxLength": 256},
        "transaction_data": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "maxItems": 1,
        },
    },
    ("presentation", "nonce", "transaction_data"),
)
_MADE: Final = {"201": json_answer_of("The offer.", _OFFER)}
_DONE: Final = {"204": {"description": "Done."}}
OPERATOR_PATHS: Final[Mapping[str, Mapping[str, Operation]]] = {
    "/operator/offers": {"post": _operation("Offer a family card.", _MADE, _CARD)},
    "/operator/offers/bulk": {
        "post": _operation(
            "Offer many cards, all or none.",
            {"201": json_answer_of("The offers.", _OBJECT)},
            _strict(
                {
                    "cards": {
                        "type": "array",
                        "items": _strict(
                            {"family_id": _ID, "holder_id": _ID}, ("family_id", "holder_id")
                        ),
                    },
                    "tx_code": _FLAG,
                },
                ("cards",),
            ),
        )
    },
    "/operator/credential-offers": {
        "post": _operation(
            "Offer any credential, held for approval if that is asked for or the rule.",
            _MADE,
            _strict(
                {
                    "configuration_id": {"type": "string"},
                    "subject_id": _ID,
                    "holder_id": _ID,
                    "tx_code": _FLAG,
                    "hold": _FLAG,
                    "by_authorization": _FLAG,
                },
                ("configuration_id", "subject_id", "holder_id"),
            ),
        )
    },
    "/operator/evidence-offers": {
        "post": _operation(
            "Offer one piece of evidence from a register.",
            _MADE,
            _strict(
                {
                    "kind": {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,47}$"},
                    "subject_id": _ID,
                    "holder_id": _ID,
                    "family_id": _ID,
                    "guardian_id": _ID,
                    "tx_code": _FLAG,
                },
                ("kind", "subject_id", "holder_id"),
            ),
        )
    },
    "/operator/guardianship-offers": {
        "post": _operation(
            "Offer the guardianship certificate for one child to one of its guardians.",
            _MADE,
            _strict(
                {"family_id": _ID, "guardian_id": _ID, "child_id": _ID, "tx_code": _FLAG},
                ("family_id", "guardian_id", "child_id"),
            ),
        )
    },
    "/operator/approvals": {
        "get": _operation(
            "The held issuances in a state.",
            {"200": json_answer_of("They.", _OBJECT)},
            None,
            query="state",
        )
    },
    "/operator/recoveries": {
        "get": _operation(
            "The newest events of recovery keys.", {"200": json_answer_of("They.", _OBJECT)}, None
        )
    },
    "/operator/approvals/{approval_id}/{decision}": {
        "post": _operation(
            "Approve or refuse what another operator holds.",
            {"200": json_answer_of("The decision.", _OBJECT)},
            _NOTHING,
            "approval_id",
            "decision",
        )
    },
    "/operator/letters": {
        "get": _operation(
            "The letters in a state.",
            {"200": json_answer_of("They.", _OBJECT)},
            None,
            query="state",
        ),
        "post": _operation(
            "Ask for an appointment letter.",
            {"201": json_answer_of("The request.", _OBJECT)},
            _strict({"appointment_id": _ID}, ("appointment_id",)),
        ),
    },
    "/operator/letters/{letter_id}/approval": {
        "post": _operation(
            "Approve a letter that another operator asked for.",
            {"200": json_answer_of("The letter.", _OBJECT)},
            _NOTHING,
            "letter_id",
        )
    },
    "/operator/letters/{letter_id}/offer": {
        "post": _operation(
            "Offer an approved letter.", _MADE, _strict({"tx_code": _FLAG}, ()), "letter_id"
        )
    },
    "/operator/issuances/search": {
        "post": _operation(
            "The issuances of a subject.",
            {"200": json_answer_of("They.", _OBJECT)},
            _strict({"subject_id": _ID}, ("subject_id",)),
        )
    },
    "/operator/issuances/{issuance_id}/{change}": {
        "post": _operation(
            "Revoke, suspend or reinstate.",
            _DONE,
            _strict({"reason": {"enum": [item.value for item in StatusReason]}}, ("reason",)),
            "issuance_id",
            "change",
        )
    },
    "/operator/batches/{root}/revoke": {
        "post": _operation("Revoke a whole batch.", _DONE, _NOTHING, "root")
    },
    "/operator/contracts": {
        "post": _operation(
            "Enter an employment contract for both parties to sign.",
            {"201": json_answer_of("The contract, and the transaction data to sign.", _OBJECT)},
            _strict(
                {
                    "employer_id": _ID,
                    "worker_id": _ID,
                    "terms": _TERMS,
                    "audience": {"type": "string", "minLength": 1, "maxLength": 512},
                    "sign_within_s": {"type": "integer", "minimum": 1, "maximum": 2592000},
                },
                ("employer_id", "worker_id", "terms", "audience"),
            ),
        )
    },
    "/operator/contracts/{contract_id}": {
        "get": _operation(
            "A contract and its signatures, checked again.",
            {"200": json_answer_of("It.", _OBJECT)},
            None,
            "contract_id",
        )
    },
    "/operator/contracts/{contract_id}/signatures": {
        "post": _operation(
            "Hand in the signature of one side.",
            {"201": json_answer_of("It.", _OBJECT)},
            _strict({"side": _SIDE, "evidence": _SIGNED}, ("side", "evidence")),
            "contract_id",
        )
    },
    "/operator/contracts/{contract_id}/offer": {
        "post": _operation(
            "Offer one party the contract that both have signed.",
            _MADE,
            _strict({"side": _SIDE, "tx_code": _FLAG}, ("side",)),
            "contract_id",
        )
    },
}
# Where there is an electoral roll.
CENSUS_PATHS: Final[Mapping[str, Mapping[str, Operation]]] = {
    "/operator/census": {
        "post": _operation(
            "The members of a manifest about its voters, by the electoral roll.",
            {"200": json_answer_of("They.", _OBJECT)},
            _strict(
                {
                    "min_age": {"type": ["integer", "null"], "enum": [14, None]},
                    "districts": {
                        "type": ["array", "null"],
                        "items": {"type": "string", "pattern": "^[0-9]{5}$"},
                        "minItems": 1,
                        "maxItems": 25,
                    },
                },
                ("min_age", "districts"),
            ),
        )
    },
}
