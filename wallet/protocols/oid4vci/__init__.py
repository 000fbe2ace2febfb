"""The messages of OpenID for Verifiable Credential Issuance 1.0, for issuer and holder alike.

One module per message: `offer`, `metadata`, `token`, `proof`, `credential`; `url` has what they
share. Pure: bytes and JSON in, values out; may import `verification` and below. The names of
errors on the wire are not here but in `issuer.api.errors`.
"""
