"""Sessions that a browser opened from the verifier's own pages, found by its secret cookie."""

from __future__ import annotations

from verifier.config import VerifierConfig
from verifier.service import NewRequest, VerifierService
from verifier.sessions import PresentationSessions
from wallet.encoding.json import JsonObject
from wallet.ports.clock import Clock
from wallet.protocols.oid4vp_session import Session, told_stage


class BrowserSessions:
    """What each browser has under way. Every method raises what the store raises."""

    def __init__(
        self,
        config: VerifierConfig,
        service: VerifierService,
        sessions: PresentationSessions,
        clock: Clock,
    ) -> None:
        self._lifetime_s = config.answer_ttl_s + config.result_ttl_s
        self._service = service
        self._sessions = sessions
        self._clock = clock

    @property
    def lifetime_s(self) -> int:
        """How long what a browser has under way may take after its link."""
        return self._lifetime_s

    def keep(self, cookie: str, created: NewRequest, *, onward: str = "") -> None:
        """Bind a new request to the browser with this secret cookie.

        `onward` is the page that takes the outcome; without it, it is shown.
        """
        opened = {
            "session_id": created.session_id,
            "result_token": created.result_token,
            "link": created.link or "",
            "onward": onward,
        }
        expires_at = created.expires_at + self._lifetime_s
        self._sessions.keep_browser(cookie, opened, expires_at=expires_at)

    def result(self, cookie: str) -> tuple[str, JsonObject]:
        """Return the link and the result of a browser's request, with its `flow`.

        As `VerifierService.result`: the claims are told once. Raises `SessionUnknown`.
        """
        opened, session = self._load(cookie)
        result = self._service.result(opened["session_id"], opened["result_token"])
        return opened["link"], {**result, "flow": session.asked.flow.value}

    def onward(self, cookie: str) -> str | None:
        """Return the page that takes the outcome, once there is one and if one does.

        Raises `SessionUnknown`.
        """
        opened, session = self._load(cookie)
        return opened["onward"] or None if told_stage(session) == "answered" else None

    def state(self, cookie: str) -> str:
        """Return how a browser's request stands; collects nothing. Raises `SessionUnknown`."""
        return told_stage(self._load(cookie)[1])

    def redeem(self, cookie: str, response_code: str) -> None:
        """Take a response code back from the browser that started.

        Raises `SessionUnknown`, `ResponseCodeUnknown`.
        """
        opened, _ = self._load(cookie)
        self._service.redeem(opened["session_id"], opened["result_token"], response_code)

    def _load(self, cookie: str) -> tuple[dict[str, str], Session]:
        now = self._clock.now()
        opened = self._sessions.of_browser(cookie, now=now)
        session, _ = self._sessions.load_for(opened["session_id"], opened["result_token"], now=now)
        return opened, session
