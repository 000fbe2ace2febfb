"""Credential formats and their proofs.

SD-JWT VC with key binding (`sd_jwt`, `disclosure`, `jose`), and W3C credentials: their structure
(`vcdm`), Data Integrity (`jsonld`, `data_integrity`, `cryptosuites`), JWS (`vc_jose`), and
presentations of either (`vc_presentation`).

May import `status`, `did`, `crypto`, `encoding`, `errors`. Knows nothing of trust, chains or
services; `verification`, the issuer and the holder call it.
"""
