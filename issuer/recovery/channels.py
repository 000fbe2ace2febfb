"""Contact channels: the log, and a folder from which a gateway for messages takes its work."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from issuer.recovery.ports import ContactUnavailable, Notice
from wallet.encoding.json import to_json

_LOG: Final = logging.getLogger(__name__)


class LogChannel:
    """Says in the log that there is something to tell, and not whom."""

    def tell(self, notice: Notice) -> None:
        """See `ContactChannel.tell`."""
        _LOG.warning("notice %s: %s", notice.notice_id, notice.kind.value)


class SpoolChannel:
    """Writes a file for each notice, which appears complete or not at all.

    A gateway that knows people's numbers sends the text of the template and deletes the file. In
    it are the notice's id, the register's opaque id of the person, the template and the time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def tell(self, notice: Notice) -> None:
        """See `ContactChannel.tell`."""
        value = {
            "notice_id": notice.notice_id,
            "recipient": notice.holder_id,
            "template": notice.kind.value,
            "at": notice.at,
        }
        target = self._folder / f"{notice.notice_id}.json"
        unfinished = target.with_suffix(".unfinished")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(to_json(value))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise ContactUnavailable("the spool takes no notice just now") from error
