"""One town for all tests of a module: they change nothing that another one looks at."""

from collections.abc import Iterator

import pytest

from tests.support.family_town import WELFARE, FamilyTown


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FamilyTown]:
    built = FamilyTown.build(tmp_path_factory.mktemp("town"), rows=WELFARE)
    yield built
    built.close()
