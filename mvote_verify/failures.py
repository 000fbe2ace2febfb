"""How a check ends when it does not pass."""


class Malformed(Exception):
    """Bytes or a value that have not the form of the document; the caller knows the code."""


class Refused(Exception):
    """A check failed: `code` is one of section 14 of docs/voting.md."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Skipped(Exception):
    """A check, or a part of it, could not be made here; this is never a pass."""
