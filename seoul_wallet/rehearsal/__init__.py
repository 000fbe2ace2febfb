"""`seoul-wallet rehearsal`: a whole election from a `.pb` file, in real time on this machine.

An anvil chain, an issuer of voting credentials, a ballot box in a process of its own, trustees as
separate processes through `seoul-wallet trustee`, synthetic voters in worker processes and through
wallets, then the tally, the published record and `mvote-verify` over it. Keys are throw-away.
"""
