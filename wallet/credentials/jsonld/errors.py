"""What the JSON-LD room raises."""

from wallet.errors import MalformedError, RejectedError, UnsupportedError


class JsonLdMalformed(MalformedError):
    """Not a JSON-LD document of the profile that is signed here."""

    code = "json_ld_malformed"


class UnsupportedContext(UnsupportedError):
    """A context outside the pinned set, or one given inline."""

    code = "unsupported_context"


class StatementsLost(RejectedError):
    """Part of the document has no RDF form, so that a signature would not cover it.

    An undefined term or type, a relative or invalid IRI, a null, an empty or repeating list, a
    member that is not named by a term.
    """

    code = "statements_lost"


class GraphTooComplex(RejectedError):
    """The graph is too large, or its blank nodes too alike, to canonicalize within bounds."""

    code = "graph_too_complex"
