"""The wallet itself: receive, keep, choose, ask for consent, present.

Takes its ports as arguments; imports no adapter. `wallet.app.open_wallet` composes the default
one; services never import this package.
"""
