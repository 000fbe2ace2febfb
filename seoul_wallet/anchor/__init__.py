"""`seoul-wallet anchor`: the tools of those who run the contracts.

`command` is the group; each other module has the commands of one kind of work. They compose
adapters and print; what they say about the chain comes from `wallet` and `seoul_wallet.audit`.
"""
