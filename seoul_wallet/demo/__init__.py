"""`seoul-wallet demo`: the main job end to end on a local stack, and what must be refused.

`citizens` are the devices, `agency` the client of the verifier, `lines` what is shown and what is
expected, `run` the order of it and the table at the end.
"""
