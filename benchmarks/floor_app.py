"""The plain prototype: stored bytes in SQLite, one range query, joined into an envelope. No checks at all.

It is the physical limit of the hub's read path with the same tools (Flask, granian, SQLite) on the same machine.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

from flask import Flask, Response, abort, request

from benchmarks.target import TAXII

app = Flask(__name__)
_local = threading.local()


def _connection(collection: str) -> sqlite3.Connection:
    """Return this thread's connection to the collection's database file."""
    if not collection.isidentifier():
        abort(404)
    opened: dict[str, sqlite3.Connection] = _local.__dict__
    if collection not in opened:
        opened[collection] = sqlite3.connect(Path(os.environ["FLOOR_FOLDER"]) / f"{collection}.db")
    return opened[collection]


@app.get("/<collection>/objects/")
def objects(collection: str) -> Response:
    """Answer one page; ``next`` is the bare position."""
    position, limit = int(request.args.get("next", 0)), int(request.args.get("limit", 1000))
    question = "SELECT added, body FROM entry WHERE added > ? ORDER BY added LIMIT ?"
    rows = _connection(collection).execute(question, (position, limit + 1)).fetchall()
    more = len(rows) > limit
    bodies = b",".join(row[1] for row in rows[:limit])
    head = b'{"more":true,"next":"%d","objects":[' % rows[limit - 1][0] if more else b'{"more":false,"objects":['
    return Response(head + bodies + b"]}", content_type=TAXII)


@app.get("/<collection>/objects/<stix_id>/")
def one(collection: str, stix_id: str) -> Response:
    """Answer one object by its id."""
    row = _connection(collection).execute("SELECT body FROM entry WHERE stix_id = ?", (stix_id,)).fetchone()
    return Response(b'{"more":false,"objects":[' + row[0] + b"]}", content_type=TAXII)
