"""alembic's environment for every schema; `wallet.adapters.sql.migrate` hands in the connection.

The connection is inside a transaction already, which holds the lock and is committed as a whole.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
