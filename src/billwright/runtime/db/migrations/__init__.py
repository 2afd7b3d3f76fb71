"""Which steps made the schema what it is? Alembic revisions, each one file of plain SQL."""
