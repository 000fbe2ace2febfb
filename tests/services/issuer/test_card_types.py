"""What the issuer publishes of its card types, and the pictures of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from issuer.card_pictures import (
    BANDS,
    BLACK,
    INK,
    LABEL_INK,
    PAPER,
    PicturedClaim,
    PicturedType,
    high_contrast_template,
    plain_template,
)
from tests.support.issuing import IssuerWorld, issuer_world
from wallet.credentials.svg_template import parse_svg_template
from wallet.credentials.type_metadata import check_integrity, parse_type_metadata
from wallet.protocols.oid4vci.metadata import parse_issuer_metadata


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IssuerWorld]:
    built = issuer_world(tmp_path_factory.mktemp("issuer"))
    yield built
    built.close()


def test_every_type_is_described_with_pictures_that_a_wallet_shows(world: IssuerWorld) -> None:
    document = world.client.get("/.well-known/openid-credential-issuer").get_json()
    metadata = parse_issuer_metadata(document, credential_issuer=world.base_url)
    assert "multi-child-family-card" in metadata.configurations
    pictures = 0
    for configuration in metadata.configurations.values():
        link = configuration.type_metadata
        assert link is not None
        described = world.client.get(link.uri.removeprefix(world.base_url))
        assert described.mimetype == "application/json"
        check_integrity(described.data, link.integrity)
        vct = described.get_json()["vct"]
        assert configuration.vct in (vct, "")
        parsed = parse_type_metadata(described.data, vct)
        assert [display.locale for display in parsed.display] == ["ko-KR", "en-US"]
        places = {rule.svg_id for rule in parsed.claims}
        for display in parsed.display:
            contrasts = [template.contrast for template in display.svg_templates]
            assert contrasts == ["normal", "high"]
            for template in display.svg_templates:
                answer = world.client.get(template.uri.removeprefix(world.base_url))
                assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                assert template.integrity is not None
                check_integrity(answer.data, template.integrity)
                admitted = parse_svg_template(answer.data)
                assert admitted.placeholders <= places
                assert [child.name for child in admitted.root.children[:2]  # type: ignore[union-attr]
                        ] == ["title", "desc"]  # fmt: skip
                pictures += 1
    assert pictures >= 4


@pytest.mark.parametrize(
    "path",
    ["/types/nothing", "/types/multi-child-family-card/fr-FR-normal.svg", "/types/nothing/x.svg"],
)
def test_what_is_not_described_is_not_found(world: IssuerWorld, path: str) -> None:
    answer = world.client.get(path)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "card_type_unknown")


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_letters_can_be_told_from_what_is_behind_them() -> None:
    assert contrast("#777777", PAPER) < 4.5
    assert all(contrast(ink, PAPER) >= 4.5 for ink in (INK, LABEL_INK, *BANDS))
    assert contrast(BLACK, PAPER) >= 7


def test_names_with_signs_are_text_and_high_contrast_is_larger_and_black_on_white() -> None:
    claims = [PicturedClaim(f"<b>{n}&", f"c{n}") for n in range(9)]
    told = PicturedType("card", '<b title="x">', "A&B", claims)
    for draw in (plain_template, high_contrast_template):
        admitted = parse_svg_template(draw(told).encode())
        assert admitted.placeholders == {f"c{n}" for n in range(9)}
    large, plain = high_contrast_template(told), plain_template(told)
    assert set(re.findall("#[0-9a-f]{6}", large)) == {BLACK, PAPER}
    smallest = [min(map(int, re.findall(r'font-size="(\d+)"', text))) for text in (plain, large)]
    assert smallest[1] >= 1.3 * smallest[0]
