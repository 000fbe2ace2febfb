"""Receipts of decisions at the agency: signed, logged, anchored, withdrawn, deleted.

`records` is the port to what is kept, `basis` what a receipt is made from, `desk` issues them and
serves holders, `rounds` signs heads of the log and anchors. No Flask types and no adapters;
`verifier.app` composes it.
"""
