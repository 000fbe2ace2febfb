"""Showing cards where there is no network: the request and the answer are rows of QR codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wallet.holder.consent import ConsentRequest
from wallet.holder.present import Presenter
from wallet.protocols.frames import make_frames, read_frames


class Offline:
    """Reads requests off a verifier's screen and answers on one's own.

    Same queries, same consent and same log as with a network; only the way is another. `spend`
    notes that the cards of a request were shown.
    """

    def __init__(self, presenter: Presenter, spend: Callable[[ConsentRequest], None]) -> None:
        self._presenter = presenter
        self._spend = spend

    def review(self, frames: Iterable[str], *, language: str = "en") -> ConsentRequest:
        """Return who asks for what, and what would answer.

        `frames` are the texts of the codes, in any order, as often as they were read. A request is
        good for `oid4vp_offline.MAX_AGE_S`. Whether the verifier is registered is asked only of a
        registry at hand; `ConsentRequest.registration` says how it stands and how old that is.
        Raises `FrameMalformed`, `FramesOfAnotherMessage`, `FramesMissing`, what
        `verify_offline_request` raises, and `DidUnresolvable` for a client that is a DID whose
        document is not at hand.
        """
        return self._presenter.review_offline(read_frames(frames), language=language)

    def answer(self, request: ConsentRequest) -> tuple[str, ...]:
        """Return the frames that answer, to be shown in a loop until the verifier has read them.

        Handing in a reviewed request *is* the consent. Encrypted for this request's own key, so
        whoever else reads the codes learns how long the answer is. Whether the verifier took it is
        not known here, and the log says so. Raises `NoMatchingCredential`, `RequestExpired`,
        `AlreadyPresented`.
        """
        message = self._presenter.answer_offline(request)
        self._spend(request)
        return make_frames(message)
