"""What the library needs from outside: one small Protocol each, with the errors it may raise.

May import the core; holds no implementation. Adapters implement these, services and `evidence`
use them, and one behaviour class in tests/ports runs on every implementation.
"""
