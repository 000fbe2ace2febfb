"""One election for the whole session, its record, and a way to verify any set of files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mvote_verify.checks import Verification
from mvote_verify.plan import Options
from mvote_verify.pool import Resume
from tests.support.mvote.elections import Election, whole_election
from tests.support.mvote.records import Files, publish

Verify = Callable[..., Verification]


@pytest.fixture(scope="session")
def election() -> Election:
    return whole_election()


@pytest.fixture(scope="session")
def honest(election: Election) -> Files:
    return publish(election)


@pytest.fixture(scope="session")
def resume(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resume]:
    """Proofs that were verified once in this session are not verified again."""
    resume = Resume(tmp_path_factory.mktemp("resume") / "chunks")
    yield resume
    resume.close()


@pytest.fixture
def verify(tmp_path: Path, resume: Resume) -> Verify:
    """Writes files into a folder and runs all checks over it."""

    def run(files: Files, options: Options | None = None) -> Verification:
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        verification = Verification(tmp_path, options or Options(resume=resume))
        verification.run()
        return verification

    return run
