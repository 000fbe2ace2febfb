"""Every attack of the catalogue has its tests; a test that bears an attack's id is listed."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE: dict[str, dict[str, list[str]]] = tomllib.loads(
    (Path(__file__).parent / "attacks.toml").read_text("utf-8")
)
NUMBERED = {
    **{"AC": 10, "HOOK": 1, "KO": 7, "LD": 11, "OFF": 3, "ONCE": 4, "OP": 7, "PIC": 2},
    **{"PRG": 1, "RCP": 4, "REG": 3, "SGN": 3},
    **{"SIG": 8, "ST": 9, "VCI": 20, "VO": 9, "VP": 16, "WA": 8, "WEB": 1},
}
JOSE = (
    "alg", "mac", "keys", "crit", "typ", "json", "signature", "base64", "times", "size",
    "disclosures", "sd-alg", "validity", "binding", "chain", "extra",
)  # fmt: skip
_ID_IN_NAME = re.compile(r"test_(ko|ld|sig|st|vci|vo|vp|wa)((?:_[0-9]+)+)_")


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_every_attack_is_in_the_catalogue_and_has_a_test() -> None:
    numbered = {f"{kind}-{n}" for kind, count in NUMBERED.items() for n in range(1, count + 1)}
    assert set(CATALOGUE) == numbered | {f"JOSE-{name}" for name in JOSE}
    for name, entry in CATALOGUE.items():
        assert entry["what"], name
        assert entry["tests"], name


def test_every_test_that_is_named_exists() -> None:
    for name, entry in CATALOGUE.items():
        for test in entry["tests"]:
            file, _, function = test.partition("::")
            assert function in functions_of(file), f"{name}: {test}"


def test_every_test_that_bears_an_id_is_listed_under_it() -> None:
    found = 0
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        file = path.relative_to(ROOT).as_posix()
        for function in functions_of(file):
            match = _ID_IN_NAME.match(function)
            if match is None:
                continue
            for number in match[2].strip("_").split("_"):
                found += 1
                listed = CATALOGUE[f"{match[1].upper()}-{number}"]["tests"]
                assert f"{file}::{function}" in listed
    assert found > 20
