"""HTTP towards strangers, guarded: limits, deadlines, checked addresses, no redirects.

`fetch.py` is the only code that opens connections; resolvers and sources stand on it and keep
copies in a fact cache, so that an outage leaves them with facts of a stated age.
"""
