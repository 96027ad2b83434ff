"""OpenTAXII 0.9.3 as gunicorn serves it here, with one fault mended while it runs.

Its own SQL backend gives UUID objects, which its JSON writer refuses: every POST is stored and then answered 500, and
so is /collections/. Mended upstream, not released. Without this nothing could be measured; nothing else is changed.
This file runs in OpenTAXII's environment, not in the hub's.
"""

import functools
import json
import types

import opentaxii.taxii2.http

opentaxii.taxii2.http.json = types.SimpleNamespace(dumps=functools.partial(json.dumps, default=str))

from opentaxii.http import app, logconfig_dict  # noqa: E402  the writer must be mended before the server imports it

__all__ = ["app", "logconfig_dict"]
