"""Places for a holder's private keys.

`software` keeps them as records of the wallet's own encrypted store. A secure element, StrongBox
or PKCS#11 token is another module with the same methods; nothing above sees the difference.
"""
