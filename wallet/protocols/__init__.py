"""OpenID4VCI, OpenID4VP and DCQL: messages and session states. No HTTP, no clock.

May import `verification` and below. Issuer, verifier and holder speak through these.
"""
