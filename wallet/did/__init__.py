"""DID syntax and documents; did:key and did:jwk resolve here, did:web is only parsed.

May import `crypto`, `encoding`, `errors`; opens no socket. `credentials`, `verification` and the
adapters that resolve call it.
"""
