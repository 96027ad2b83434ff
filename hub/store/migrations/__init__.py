"""Alembic's environment and the steps of the schema; `hub.store.schema` runs them."""
