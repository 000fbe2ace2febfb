"""`seoul-wallet trustee`: what a trustee of an election does, on the trustee's own computer.

A key folder for each trustee and election (`folder`), the ballot box over HTTP (`box`), the steps
of docs/voting.md sections 8, 10 and 11 (`office`), the closed board checked before anything is
decrypted (`closed_board`), and the command line in Korean and English. Everything is written down
before it is sent, and sent again as it was written: the tool may end at any moment.
"""
