"""The programme files of this verifier: read, refused or served. Keeps the last good catalogue."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Final

from verifier.config import VerifierConfig
from wallet.crypto.keys import SigningKey
from wallet.eligibility.catalogue import MAX_PROGRAMMES, Catalogue, parse_catalogue
from wallet.eligibility.days import seoul_day
from wallet.eligibility.document import Problem, ProgrammeInvalid
from wallet.eligibility.marked_yaml import MAX_FILE_BYTES
from wallet.eligibility.signed_catalogue import RegisterKey, publish_catalogue
from wallet.errors import UnavailableError
from wallet.ports.clock import Clock

PUBLISHED_EVERY_S: Final = 3600
PUBLISHED_FOR_S: Final = 7 * 86400
_LOG: Final = logging.getLogger(__name__)


class CatalogueUnavailable(UnavailableError):
    """There is no catalogue: the folder cannot be read, or none of its states was good."""

    code = "catalogue_unavailable"


def read_programme_files(folder: Path) -> dict[str, bytes]:
    """Return the YAML files of a folder by name. Raises `CatalogueUnavailable`."""
    found: dict[str, bytes] = {}
    if not folder.is_dir():
        raise CatalogueUnavailable("the folder of programme files is not there")
    try:
        for path in sorted(folder.glob("*.yaml"))[: MAX_PROGRAMMES + 1]:
            with path.open("rb") as file:
                found[path.name] = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "input/output error"
        raise CatalogueUnavailable(f"the programme files cannot be read: {reason}") from None
    return found


def example_programme_files() -> dict[str, bytes]:
    """Return the example programmes that come with this package."""
    folder = files("verifier") / "programmes"
    return {
        item.name: item.read_bytes() for item in folder.iterdir() if item.name.endswith(".yaml")
    }


class ProgrammeShelf:
    """Serves the catalogue of files that `read` returns; replaced as a whole, or not at all."""

    def __init__(self, read: Callable[[], Mapping[str, bytes]]) -> None:
        self._read = read
        self._loading = Lock()
        self._files: Mapping[str, bytes] | None = None
        self._catalogue: Catalogue | None = None
        self._problems: tuple[Problem, ...] = ()

    def load(self) -> Catalogue:
        """Read the files and serve them from now on.

        Raises `ProgrammeInvalid` with file and line of every problem, and `CatalogueUnavailable`;
        what was served before is served on.
        """
        with self._loading:
            found = self._read()
            try:
                catalogue = parse_catalogue(found)
            except ProgrammeInvalid as error:
                self._files, self._problems = found, error.problems
                raise
            self._files, self._catalogue, self._problems = found, catalogue, ()
            return catalogue

    def reload(self) -> None:
        """Load again if a file changed; what is refused is logged once, with file and line."""
        try:
            if self._read() == self._files:
                return
            self.load()
        except ProgrammeInvalid as error:
            for problem in error.problems:
                _LOG.warning("programme file refused: %s", problem)

    @property
    def current(self) -> Catalogue:
        """The last good catalogue. Raises `CatalogueUnavailable` if there never was one."""
        if self._catalogue is None:
            raise CatalogueUnavailable("no programme files were loaded")
        return self._catalogue

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the newest files, empty when they are served."""
        return self._problems


class CataloguePublisher:
    """Signs the catalogue of a shelf for wallets, with this verifier's key."""

    def __init__(
        self, shelf: ProgrammeShelf, key: SigningKey, config: VerifierConfig, clock: Clock
    ) -> None:
        self._shelf = shelf
        self._key = key
        self._config = config
        self._clock = clock

    def now(self) -> int:
        """Return the time, unix seconds."""
        return self._clock.now()

    def today(self) -> date:
        """Return the day that it is in Seoul."""
        return seoul_day(self._clock.now())

    def published(self) -> bytes:
        """Return the catalogue, dated with the last whole hour. Raises `CatalogueUnavailable`."""
        now = self._clock.now()
        issued_at = now - now % PUBLISHED_EVERY_S
        catalogue, config = self._shelf.current, self._config
        return publish_catalogue(
            catalogue,
            self._key,
            publisher=config.did,
            verification_method=f"{config.did}#key-1",
            apply_to={
                name: config.programme_agencies.get(name, config.base_url)
                for name in catalogue.versions
            },
            issued_at=issued_at,
            expires_at=issued_at + PUBLISHED_FOR_S,
            register=None
            if config.exclusion_register is None
            else RegisterKey(config.exclusion_register.did, config.exclusion_register.key),
        )
