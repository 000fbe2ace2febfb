"""Status list codecs: the bits and their compression, unsigned and unfetched.

May import `encoding`, `crypto`, `errors`. `verification` reads lists, the issuer writes them.
"""
