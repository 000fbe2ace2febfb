"""The numbered verification steps: what is needed, then the decision. Pure.

`requirements()` says which outside facts a presentation needs, `check_presentation()` decides on
them and reports every step, `verify_presentation()` raises from that report. May import `trust`
and below. `evidence` fetches in between; services call both.
"""
