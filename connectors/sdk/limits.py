"""Bounds of the runner, each with its reason."""

from __future__ import annotations

from typing import Final

RUN_SECONDS: Final = 15 * 60
"""How long one run may take unless the configuration says otherwise: a first fetch of 100,000 objects takes ten
minutes on a slow link, and what is left is fetched by the next run."""

RUN_SECONDS_MAX: Final = 24 * 3600
"""The longest time a configuration may give a run: a hang must show within a day."""

EVERY_SECONDS_MIN: Final = 10
"""The shortest interval: each run starts a process, which takes half a second of one core."""

EVERY_SECONDS_MAX: Final = 30 * 24 * 3600
"""The longest interval; what runs more rarely is started by hand."""

BACKOFF_SECONDS: Final = 30
"""Wait after the first failure: a system that restarts is back by then."""

BACKOFF_SECONDS_MAX: Final = 3600
"""The longest wait between attempts: after a weekend of outage it works again within the hour, unasked."""

PAUSED_AFTER: Final = 5
"""Failures in a row after which the circuit is open and a person should look; half an hour of trying."""

BATCH_OBJECTS: Final = 500
"""Objects posted together: between two of these the run may stop and go on later."""

OBJECT_BYTES: Final = 16 * 1024 * 1024
"""Octets of one object that a connector may bring; the hub takes no longer envelope."""

INCOMING_OBJECTS: Final = 100_000
"""Objects in one batch of a source, which are signed and kept on disk before any is posted: about 300 MB."""

PAGE_OBJECTS: Final = 500
"""Objects that are handed to a target at once unless the configuration says otherwise."""

RUNS_KEPT: Final = 50
"""Runs whose report stays in the connector's folder: some days of a quarter-hourly feed."""

REFUSED_KEPT: Final = 10_000
"""Refused objects that are kept to be looked at and tried again; the oldest go first. About 30 MB."""

REFUSALS_NAMED: Final = 100
"""Refused objects that a run's record names; all of them are counted, and kept in the connector's memory."""

ERROR_LENGTH: Final = 500
"""Characters of an error that go to the hub."""

SETTINGS_FILE_BYTES: Final = 1024 * 1024
"""Octets of a configuration file."""

CONNECTORS: Final = 100
"""Connectors in one file: each due one is a process."""

PARALLEL_RUNS: Final = 4
"""Runs that a worker has going at once, so that ten connectors of one hour do not take all its memory together."""
