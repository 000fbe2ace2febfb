"""Who the person in the browser is: the port of the city's login, and one for development."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from wallet.errors import RejectedError

MAX_FIELD_CHARACTERS: Final = 64


class LoginRefused(RejectedError):
    """The person could not be recognised by what they entered."""

    code = "login_refused"
    status = 403


@dataclass(frozen=True, slots=True)
class LoginField:
    """Something to enter, with its names in Korean and English."""

    name: str
    label_ko: str
    label_en: str


@dataclass(frozen=True, slots=True)
class AuthenticatedHolder:
    """A person of the register, and the subject (family, appointment) they came about."""

    subject_id: str
    holder_id: str


class HolderLogin(Protocol):
    """The city's login. Either it asks `fields` on our page, or sends the browser elsewhere."""

    @property
    def fields(self) -> tuple[LoginField, ...]:
        """What our page asks; empty when `redirect` is used."""

    def redirect(self, return_to: str) -> str | None:
        """Return where to send the browser, which comes back to `return_to`; None for our page."""

    def authenticate(self, answers: Mapping[str, str]) -> AuthenticatedHolder:
        """Return who that is, by the fields of our page or the parameters of the return.

        Raises `LoginRefused`, and when it could not be asked an `UnavailableError`.
        """


class DevelopmentLogin:
    """Believes what is entered: ids of a synthetic register. Never in production."""

    fields = (
        LoginField("subject_id", "가족·위촉 번호 (가상)", "Family or appointment (synthetic)"),
        LoginField("holder_id", "본인 번호 (가상)", "Person (synthetic)"),
    )

    def redirect(self, return_to: str) -> str | None:
        """See `HolderLogin.redirect`."""
        return None

    def authenticate(self, answers: Mapping[str, str]) -> AuthenticatedHolder:
        """See `HolderLogin.authenticate`."""
        entered = [answers.get(field.name, "").strip() for field in self.fields]
        if not all(0 < len(text) <= MAX_FIELD_CHARACTERS for text in entered):
            raise LoginRefused("enter both numbers")
        return AuthenticatedHolder(*entered)
