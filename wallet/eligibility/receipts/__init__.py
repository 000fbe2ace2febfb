"""Decision receipts: what an agency signs about a decision, and what its holder signs back. Pure.

`statement` is the receipt, `holder` what the holder's pairwise key signs, `entry` what else the
agency signs into its log, `log` the log's signed heads, `file` all of it in one file for later.
The verifier issues them, the wallet checks and countersigns, the command line checks the file. May
import `wallet.eligibility`, `wallet.trust`, `wallet.verification` and below.
"""
