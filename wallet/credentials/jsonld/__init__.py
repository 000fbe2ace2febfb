"""JSON-LD documents to canonical N-Quads, offline and without loss.

Contexts are pinned data beside this package; nothing is ever fetched. What a signature over the
RDF would not cover is refused. May import `encoding`, `crypto`, `errors`; cryptosuites call it.
"""
