"""Headers that keep browsers and caches from doing more with an answer than the hub meant."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What an answer carries unless the view that made it says otherwise."""


def register(app: Flask, public_url: str | None) -> None:
    """Make every answer of the app carry `HEADERS`, and HSTS where the hub is known to be reached over TLS only."""
    defaults = dict(HEADERS)
    if public_url is not None and public_url.startswith("https://"):
        defaults["Strict-Transport-Security"] = "max-age=31536000"

    def protect(response: Response) -> Response:
        for name, value in defaults.items():
            response.headers.setdefault(name, value)
        return response

    app.after_request(protect)
