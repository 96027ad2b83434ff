"""The metadata that all tables belong to, and the types of their columns.

Identifiers inside the database are integers. Times are microseconds since the epoch. Texts that are matched or ordered
bytewise (STIX ids, versions, UUIDs) carry ``COLLATE "C"`` on PostgreSQL, which is what SQLite does anyway.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, Text
from sqlalchemy.types import TypeEngine

metadata: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
    }
)

# SQLite counts its rows only in a column declared INTEGER, which holds 64 bits there.
Id: Final[TypeEngine[int]] = BigInteger().with_variant(Integer, "sqlite")
Micros: Final[TypeEngine[int]] = BigInteger()
Bytewise: Final[TypeEngine[str]] = Text().with_variant(Text(collation="C"), "postgresql")
Octets: Final[TypeEngine[bytes]] = LargeBinary()


def id_column() -> Column[int]:
    """Return the primary key of a table whose rows are counted."""
    return Column("id", Id, primary_key=True, autoincrement=True)


def peer_column(name: str = "peer_id", *, primary_key: bool = False) -> Column[int]:
    """Return a column that names a peer."""
    return Column(name, Id, ForeignKey("peer.id"), primary_key=primary_key, nullable=False, autoincrement=False)
