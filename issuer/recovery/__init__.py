"""Re-issue by recovery keys: what a wallet registers, gets anew on another device, and reports.

`ports` is what is kept and who is told, `policy` which types wait and how often is too often,
`service` the use cases, `channels` the ways to tell a person. The messages are those of
`wallet.protocols.oid4vci.recovery`; `issuer.issuing` and `issuer.offers` call this.
"""
