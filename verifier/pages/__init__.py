"""A verifier's own pages: choose what to show, by QR code or on this device, and see the outcome.

Rendered on the server, in Korean and English; one script that waits and reloads, nothing inline.
A session belongs to the browser that opened it, by a secret cookie. May import `wallet.web`, the
service and the configuration; no adapters. `verifier.api.application` mounts it.
"""
