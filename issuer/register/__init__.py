"""The department's register: who is family, who lives where, who is appointed.

`model`, `card_rule`, `electoral_roll` and `text` are pure; `port` says what a register must
answer; `csv_register` and `csv_evidence` answer from files, the only I/O in the room. `evidence`
turns what registers know into the claims that `wallet.eligibility` describes. The issuer's
services call it; `seoul_wallet` writes synthetic registers for it.
"""
