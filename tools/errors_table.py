"""Writes docs/errors.md from the error classes and docs/errors_ko.toml.

    python -m tools.errors_table            rewrite docs/errors.md
    python -m tools.errors_table --check    say what is missing or out of date; exit 1 if anything

The English sentence is the first paragraph of the class docstring. The Korean one comes from the
table `[ko]` of docs/errors_ko.toml; what to do next from `[next]` and `[next_ko]` there, by code,
else by family.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from wallet.errors import (
    ConflictError,
    MalformedError,
    RejectedError,
    SeoulWalletError,
    UnavailableError,
    UnsupportedError,
)

ErrorClass = type[SeoulWalletError]
Texts = Mapping[str, Mapping[str, str]]

ROOT: Final = Path(__file__).resolve().parents[1]
TABLE: Final = ROOT / "docs" / "errors.md"
TEXTS: Final = ROOT / "docs" / "errors_ko.toml"
PACKAGES: Final = ("wallet", "issuer", "verifier", "ballotbox", "seoul_wallet")
FAMILIES: Final[tuple[ErrorClass, ...]] = (
    MalformedError,
    UnsupportedError,
    RejectedError,
    ConflictError,
    UnavailableError,
)
# The statuses that a leaf of a family may answer with; the first is the family's own.
STATUSES: Final[Mapping[ErrorClass, tuple[int, ...]]] = {
    MalformedError: (400, 413),
    UnsupportedError: (400, 415),
    RejectedError: (422, 401, 403),
    ConflictError: (409, 404, 410),
    UnavailableError: (503, 507),
}
RENEW: Final = "run `python -m tools.errors_table` and commit docs/errors.md"

HEAD: Final = """# Errors

<!-- Written by `python -m tools.errors_table` from docstrings and docs/errors_ko.toml. -->

Every error that this library and its services raise on purpose is a class with a stable `code`.
Five families say what the caller should do. Over HTTP an error is an
[RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem document with `type`
(`urn:seoul-wallet:problem:<code>`), `status`, `code`, `detail` and `request_id`; `detail` is for
people and carries no personal data. OpenID4VCI and OpenID4VP endpoints answer with the names of
their specifications instead: see `issuer/api/errors.py` and `verifier/api/errors.py`, which also
list where an endpoint answers another status than the class.

이 라이브러리와 서비스가 의도적으로 내는 오류는 모두 고정된 `code`를 가진 클래스입니다. 다섯 계열이
호출한 쪽에서 할 일을 나타냅니다.

| family | HTTP | meaning | 뜻 | what to do | 할 일 |
|---|---|---|---|---|---|
"""


def error_classes() -> list[ErrorClass]:
    """Return every error class of the packages but the root, after importing all modules."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith(".__main__"):  # running it is not loading it
                importlib.import_module(module.name)
    found = {kind for kind in _subclasses(SeoulWalletError) if _is_ours(kind)}
    return sorted(found, key=lambda kind: (kind.code, kind.__module__, kind.__name__))


def _subclasses(kind: ErrorClass) -> Iterator[ErrorClass]:
    for below in kind.__subclasses__():
        yield below
        yield from _subclasses(below)


def _is_ours(kind: ErrorClass) -> bool:
    return kind.__module__.partition(".")[0] in PACKAGES


def family_of(kind: ErrorClass) -> ErrorClass | None:
    """Return the one family that the class belongs to, None if it is in none or in several."""
    families = [family for family in FAMILIES if issubclass(kind, family)]
    return families[0] if len(families) == 1 else None


def name_of(kind: ErrorClass) -> str:
    """Return the class with its module, as one imports it."""
    return f"{kind.__module__}.{kind.__name__}"


def sentence(kind: ErrorClass) -> str:
    """Return the first paragraph of the class's own docstring, on one line."""
    paragraph = (kind.__dict__.get("__doc__") or "").strip().partition("\n\n")[0]
    return " ".join(paragraph.split())


def load_texts(path: Path = TEXTS) -> Texts:
    """Return the tables `ko`, `next` and `next_ko`."""
    tables = tomllib.loads(path.read_text("utf-8"))
    return {name: tables.get(name, {}) for name in ("ko", "next", "next_ko")}


def faults_of_classes(classes: Sequence[ErrorClass]) -> list[str]:
    """Return what is wrong with the classes themselves, one line each."""
    faults = []
    counts = Counter(kind.code for kind in classes)
    for kind in classes:
        family, name = family_of(kind), name_of(kind)
        if family is None:
            faults.append(f"{name} must belong to exactly one of the five families")
        elif kind.status not in STATUSES[family]:
            faults.append(f"{name}: status {kind.status} is not one of {family.__name__}")
        if "code" not in kind.__dict__:
            faults.append(f"{name} has no `code` of its own")
        elif counts[kind.code] > 1:
            faults.append(f"{name} shares the code `{kind.code}` with another class")
        if not sentence(kind):
            faults.append(f"{name} has no docstring, from which the English sentence is taken")
    return faults


def faults_of_texts(classes: Sequence[ErrorClass], texts: Texts) -> list[str]:
    """Return which codes lack a text, and which texts have no code, one line each."""
    codes = {kind.code: kind for kind in classes}
    faults = [
        f'`{code}` ({name_of(kind)}) has no Korean sentence: add `{code} = "…"` under [ko] '
        "in docs/errors_ko.toml"
        for code, kind in codes.items()
        if not texts["ko"].get(code)
    ]
    for table, entries in texts.items():
        faults += [
            f"docs/errors_ko.toml has `{code}` under [{table}], but no class has that code"
            for code in entries
            if code not in codes
        ]
    for code in sorted(texts["next"].keys() ^ texts["next_ko"].keys()):
        faults.append(f"`{code}` needs both [next] and [next_ko] in docs/errors_ko.toml")
    return faults


def render(classes: Sequence[ErrorClass], texts: Texts) -> str:
    """Return docs/errors.md. A missing Korean sentence is left empty; the check names it."""
    parts = [HEAD]
    for family in FAMILIES:
        cells = [f"`{family.code}` {family.__name__}", str(family.status), sentence(family)]
        cells += [texts["ko"].get(family.code, ""), *_advice(family, family, texts)]
        parts.append(_row(cells))
    for family in FAMILIES:
        leaves = [kind for kind in classes if kind is not family and family_of(kind) is family]
        parts.append(f"\n## {family.__name__}\n\n")
        parts.append("| code and class | HTTP | meaning / 뜻 | what to do / 할 일 |\n")
        parts.append("|---|---|---|---|\n")
        parts += [_leaf_row(kind, family, texts) for kind in leaves]
    return "".join(parts)


def _leaf_row(kind: ErrorClass, family: ErrorClass, texts: Texts) -> str:
    advice, advice_ko = _advice(kind, family, texts)
    return _row(
        [
            f"`{kind.code}`<br>{name_of(kind)}",
            str(kind.status),
            f"{sentence(kind)}<br>{texts['ko'].get(kind.code, '')}",
            f"{advice}<br>{advice_ko}",
        ]
    )


def _advice(kind: ErrorClass, family: ErrorClass, texts: Texts) -> tuple[str, str]:
    code = kind.code if kind.code in texts["next"] else family.code
    return texts["next"].get(code, ""), texts["next_ko"].get(code, "")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def main() -> int:
    """Write the table, or with `--check` compare; return the exit status."""
    parser = argparse.ArgumentParser(description="Write docs/errors.md.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 on a fault")
    arguments = parser.parse_args()
    classes, texts = error_classes(), load_texts()
    faults = faults_of_classes(classes) + faults_of_texts(classes, texts)
    text = render(classes, texts)
    if not arguments.check:
        TABLE.write_text(text, "utf-8", newline="\n")
        print(f"docs/errors.md: {len(classes)} codes")
    elif not TABLE.is_file() or TABLE.read_text("utf-8") != text:
        faults.append(f"docs/errors.md is out of date: {RENEW}")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
