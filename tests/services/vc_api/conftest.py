"""One world of VC-API per module: it keeps nothing but the places in its status lists."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.vc_api import VcApi, open_vc_api


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VcApi]:
    """Issuer, verifier and holder side, joined without sockets."""
    world, close = open_vc_api(tmp_path_factory.mktemp("vc-api"))
    yield world
    close()
