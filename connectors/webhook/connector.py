"""Posts alerts to one address, signed; repeats until the receiver has them, and never follows it elsewhere."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
import requests

from connectors.sdk.alert_feed import AlertFeed, AlertSettings
from connectors.sdk.exchange import Delivered, Outgoing, Tools
from connectors.sdk.kind import ConnectorError, Kind
from connectors.webhook.mapping import BadSecret, Secret, body, headers, secret, webhook_id
from hub.client.remote import RemoteError
from hub.domain.alert import Alert
from hub.errors import ConfigError

ATTEMPTS: Final = 3
"""Tries of one alert in one run: what a restart of the receiver takes. The next run goes on, hours later if need be."""
LONGEST_WAIT: Final = 30.0
"""Seconds between two tries; a receiver that wants more is asked again by the next run."""
SECRET_FILE_BYTES: Final = 4_096
GONE: Final = 410


class WebhookSettings(AlertSettings, frozen=True, kw_only=True):
    """Where to post, and with which secrets.

    :param url: of the receiver; https unless the network table allows plain http.
    :param secret_files: each holds one secret; with several, every alert bears several signatures.
    """

    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]{1,2000}$")]
    secret_files: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=4)]


class WebhookTarget:
    """The direction hub -> receiver."""

    def __init__(self, settings: WebhookSettings, tools: Tools, sleep: Callable[[float], None] = time.sleep) -> None:
        """Raises ConfigError."""
        self._url, self._tools, self._sleep = settings.url, tools, sleep
        self._secrets = [_read(tools, file) for file in settings.secret_files]
        self._session = tools.session(settings.url)
        self._feed = AlertFeed(settings, tools, self._send)

    def deliver(self, batch: Outgoing) -> Delivered:
        """Post what the subscription asks for. Raises ConnectorError when the receiver does not take it."""
        return self._feed.deliver(batch)

    def _send(self, alert: Alert) -> None:
        name = webhook_id(alert)
        octets = body(alert, self._tools.clock())
        for attempt in range(1, ATTEMPTS + 1):
            problem = self._attempt(name, octets)
            if problem is None:
                return
            if attempt < ATTEMPTS:
                wait = min(LONGEST_WAIT, 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
                self._tools.progress(f"{problem}; trying again in {wait:.0f} s")
                self._sleep(wait)
        raise ConnectorError(f"{problem}; the alerts wait for the next run")

    def _attempt(self, name: str, octets: bytes) -> str | None:
        """Post once; return what went wrong, None when it arrived."""
        signed = headers(name, self._tools.clock() // 1_000_000, octets, self._secrets)  # the attempt's own time
        try:
            answer = self._session.post(
                self._url,
                data=octets,
                headers={"Content-Type": "application/json", **signed},
                allow_redirects=False,
                timeout=30,  # 15 to 30 s are what the specification recommends
            )
        except (RemoteError, requests.RequestException) as error:
            detail = error.detail if isinstance(error, RemoteError) else type(error).__name__
            return f"the receiver was not reached: {detail}"
        if answer.status_code == GONE:
            raise ConnectorError("the receiver answers 410: it wants no more webhooks; end this connector, or ask it")
        if not 200 <= answer.status_code < 300:
            return f"the receiver answers {answer.status_code}"
        return None


def _read(tools: Tools, file: str) -> Secret:
    path = tools.path(file)
    try:
        with path.open("rb") as opened:
            text = opened.read(SECRET_FILE_BYTES).decode("ascii").strip()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", field="secret_files") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a secret: it is not ASCII", field="secret_files") from None
    try:
        return secret(text)
    except BadSecret as error:
        raise ConfigError(f"{path}: {error}", field="secret_files") from None


KIND: Final = Kind(
    name="webhook",
    summary="alerts by signed webhooks (Standard Webhooks) for what a subscription asks for",
    settings=WebhookSettings,
    target=WebhookTarget,
)
