"""What is kept in a database: sessions, the replica of the anchor contracts, copies of facts.

SQLAlchemy Core over SQLite (embedded) or PostgreSQL. `engine` opens and migrates a database and
is what a service's own storage builds on as well; the other modules implement one port each.
Composition roots (and tests) call them; no error of a driver leaves this package.
"""
