"""Every bound of the hub, each with its reason. Nothing outside this file invents a limit of its own."""

from __future__ import annotations

from typing import Final

MAX_CONTENT_LENGTH: Final = 32 * 1024 * 1024
"""Octets of a decoded request body (TAXII 2.1 §4.2.1). A Python tree needs about ten times its JSON text:
320 MiB is what a 1 GB machine can spare for one request."""

SYNC_CONTENT_LENGTH: Final = 2 * 1024 * 1024
"""Larger envelopes are answered `pending` and processed by the worker: 2 MiB is about 2,000 signed indicators,
half a second of verification, well inside the 30 s a client waits."""

MAX_OBJECTS: Final = 20_000
"""Objects in one envelope: status lists are never truncated (taxii2-client compares them), so they must be bounded."""

MAX_OBJECT_BYTES: Final = 4 * 1024 * 1024
"""JCS octets of one object: an artifact with a sizeable payload passes, a page of them still fits in memory."""

MAX_TIMESTAMP_LENGTH: Final = 51
"""Characters of `created` and `modified`, 30 digits of a second: the version is a key in PostgreSQL's index, which
takes 2,700 octets; published objects have at most nine digits."""

MAX_DEPTH: Final = 64
"""Levels of JSON nesting: real STIX stays below 12; deeper trees only serve to exhaust the stack."""

PAGE_OBJECTS_DEFAULT: Final = 1_000
"""Objects on a page without `limit`: stix2's TAXIICollectionSource reads only the first page."""

PAGE_OBJECTS_MAX: Final = 5_000
"""Objects on a page whatever `limit` says."""

PAGE_BYTES_MAX: Final = 16 * 1024 * 1024
"""Octets of objects on a page; one object is always served. On a 4 Mbit/s line it arrives in 30 s, and gzipped in 6."""

MAX_QUERY_VALUES: Final = 1_000
"""Values in one `match[...]` filter: each is one SQL parameter, SQLite's limit is 32,766."""

MAX_QUERY_PARAMETERS: Final = 100
"""Parameters in one query string: TAXII knows seven, proxies and cache busters add a few."""

CURSOR_FILTER_BYTES: Final = 1_024
"""Octets of filters that ``next`` carries itself; longer ones are carried as a digest and must be sent again with it,
so that a request with 1,000 ids and its cursor still fits in a URL."""

MAX_URL_LENGTH: Final = 64 * 1024
"""Octets of a request target; match[id] with 1,000 ids is about 50,000."""

MAX_PATTERN_LENGTH: Final = 64 * 1024
"""Characters of a STIX pattern: published ones stay below 10,000."""

MAX_PATTERN_DEPTH: Final = 64
"""Nested parentheses in a STIX pattern."""

MAX_SIGNATURES: Final = 16
"""Signatures on one object: each costs a verification."""

MAX_COUNTERSIGNATURES: Final = 8
"""Countersignatures nested in one signature: author, relay, hub and a notary are four; each costs a verification."""

MAX_PUBLIC_KEY_TEXT: Final = 2_632
"""Characters of a public key in base64: a SubjectPublicKeyInfo of ML-DSA-65 has 1,974 octets, and none is longer."""

MAX_SIGNATURE_TEXT: Final = 4_412
"""Characters of a signature's `value`: an ML-DSA-65 signature has 3,309 octets; nothing here is longer."""

LISTED_SIGNATURES: Final = 500
"""Detached signatures, and versions, of one object that are listed: each is verified anew, and 500 take 0.2 s."""

SIGNATURE_FUTURE_SECONDS: Final = 300
"""How far ahead of the hub's clock a signing time may be: peers without good NTP drift by minutes, not hours."""

STATUS_RETENTION_SECONDS: Final = 30 * 24 * 3600
"""How long a status is kept after processing; TAXII 2.1 §4.3 asks for 24 h, thin links are down for longer."""

COMMIT_CHUNK_OBJECTS: Final = 500
"""Objects the worker commits in one transaction: one large envelope must not hold the write lock for seconds."""

LOGIN_FAILURES: Final = 20
"""Failures for one user name from one address before further tries are refused unseen: scripts with a stale password
behind a NAT reach ten quickly."""

LOGIN_FAILURE_WINDOW_US: Final = 60 * 1_000_000
"""How long those failures count: a person who mends the password waits a minute at most."""

LOGIN_FAILURE_PAIRS: Final = 10_000
"""Pairs of address and user name remembered per process: about 3 MB at the longest names."""

LAST_USED_RESOLUTION_US: Final = 60 * 1_000_000
"""How exactly a credential's last use is known: a feed that polls each second must not cost a write each second."""

CREDENTIAL_LIFETIME_SECONDS: Final = 400 * 24 * 3600
"""How long a credential lives when nobody says otherwise: a year and the month in which renewal is forgotten."""

CREDENTIALS_PER_PEER: Final = 1_000
"""Rows of credentials of one peer, revoked ones included: daily rotation for years, but no filling of the database."""

KEYS_PER_PEER: Final = 1_000
"""Signing keys of one peer, revoked ones included: the key ring is held in memory."""

KEY_STATEMENT_AGE_SECONDS: Final = 7 * 24 * 3600
"""How old a signed statement about a key may be when it arrives: it may travel on a stick, not lie about for months."""

KEY_OVERLAP_SECONDS: Final = 90 * 24 * 3600
"""How long a replaced key may go on signing: a quarter, in which every machine of a CIRT is visited once."""

SHOWN_KEYS_REMEMBERED: Final = 100_000
"""Combinations of group, key and audience a process remembers to be stored: about 15 MB, and one more INSERT each when
they are forgotten."""

PROPOSAL_LIFETIME_SECONDS: Final = 7 * 24 * 3600
"""How long a moderator's proposal waits for a second one: over a week of holidays, but not until it is forgotten."""

PROPOSALS_PER_GROUP: Final = 100
"""Open proposals of one group: more than its moderators can look at, and no filling of the database."""

API_BODY_BYTES: Final = 64 * 1024
"""Octets of a request body on /api/v1: the longest valid one, a group with its description, is below 20 KiB."""

API_PAGE_DEFAULT: Final = 100
"""Entries of a list on /api/v1 without `limit`."""

API_PAGE_MAX: Final = 1_000
"""Entries of a list on /api/v1 whatever `limit` says."""

MAX_MARKING_DEPTH: Final = 4
"""Marking definitions that mark marking definitions: nobody needs more than two, and each level is a look-up."""

MAX_RELEASABILITY_REFS: Final = 1_000
"""Identities named in one releasability marking: the ITU has 194 member states; each is a row of an audience."""

CLOCK_DOUBT_US: Final = 5 * 1_000_000
"""What happened within so many microseconds of a reading may have been before or after it: clocks of machines with NTP
differ by less, and dates run ahead of the clock by a microsecond per object of an envelope."""

SERVED_WINDOW_US: Final = 3600 * 1_000_000
"""How long a reader's pages are added up in one row of the delivery ledger: its times are exact to the hour, and a feed
that polls each second makes at most 24 rows a day."""

SERVED_OLD_WINDOW_US: Final = 24 * 3600 * 1_000_000
"""The same for rows older than `SERVED_OLD_AFTER_US`: a row a day for each reader and collection, for years."""

SERVED_OLD_AFTER_US: Final = 7 * 24 * 3600 * 1_000_000
"""When to the day is exact enough for who was given what: nobody asks for the hour after a week."""

SERVED_LOOK_BACK_US: Final = 30 * 24 * 3600 * 1_000_000
"""How far back from there rows are made fewer: what is older has been, unless the worker rested for a month."""

SERVED_TYPES_LENGTH: Final = 256
"""Characters of a type filter in a row of the delivery ledger; what was served through a longer one is noted one by
one."""

DELIVERIES_BUFFERED: Final = 100_000
"""Answers that wait to be noted in the delivery ledger while the database cannot be written: some 20 MB. The oldest go
first; whoever may still read is told of a retraction anyway."""

DELIVERY_FLUSH_SECONDS: Final = 1.0
"""How long an answer waits to be noted: what a crash may lose, and one small transaction each second at the most."""

MAX_RETRACTION_TARGETS: Final = 1_000
"""Objects, or versions of one, that one retraction notice names: about 100 KB of note, which every client can take;
the hub writes several notices where there are more."""

MAX_REASON_LENGTH: Final = 500
"""Characters of the reason that somebody gives for a withdrawal or a hold: a few sentences."""

NOTE_BYTES: Final = 256 * 1024
"""Octets of a signed note: C2SP signed-note wants 16 signatures to pass, and post-quantum ones have 7 KB in base64."""

NOTE_SIGNATURES: Final = 64
"""Signature lines of a note: a line by an unknown key costs nothing but its reading."""

NOTE_NAME_LENGTH: Final = 255
"""Characters of a key's name in a note: a host name and a path; C2SP tlog-cosignature counts it in one octet."""

COSIGNATURE_BYTES: Final = 16 * 1024
"""Octets of a checkpoint that a witness hands in, unauthenticated: three lines and a few signatures are below 2 KB."""

WITNESSES: Final = 256
"""Witnesses of a log, removed ones included: each is tried on every cosignature that is handed in."""

CHECKPOINT_LEAVES: Final = 20_000
"""Leaves that one checkpoint adds: several seconds of the fastest ingest, a fifth of a second to hash and store."""

CHECKPOINT_SECONDS: Final = 1.0
"""How often the worker looks whether there are leaves without a checkpoint: one small query, and at most one signed
checkpoint a second. What is promised is ten."""

ACKNOWLEDGEMENTS_PER_POST: Final = 40
"""Acknowledgements in one request: about 1 KB each, and up to 2 KB of reason, below the size of a body of the API. How
many a peer can make in all is bounded by what it was given: one per version and outcome."""

ACKNOWLEDGEMENTS_COUNTED: Final = 2_000
"""Acknowledgements that one tally counts: five outcomes of 194 member states are half of it; about 2 MB of answer."""

FEEDBACK_TARGETS: Final = 1_000
"""Objects that one note or opinion is noted as feedback about: each is a row, and reports
of a campaign name some hundred."""

FEEDBACK_COUNTED: Final = 10_000
"""Sightings, opinions and notes about one object that are counted: 50 from each of 194 member states; about 5 MB."""

FEEDBACK_LISTED: Final = 100
"""How many of them are listed with their ids: who wants all reads them over TAXII."""

FEEDBACK_STRETCH: Final = 5_000
"""Rows of feedback one page of an inbox looks at: each is a look-up of an author, some 50 ms together."""

RETENTION_CHUNK_OBJECTS: Final = 500
"""Versions that retention removes in one transaction: it must not hold the write lock for seconds."""

RETENTION_CHUNKS: Final = 100
"""Transactions of one run of retention: some seconds in which the worker does nothing else; the rest goes an hour
later."""

RETENTION_EXAMINED: Final = 2_000
"""Stored versions in which one step of retention looks for ``valid_until`` and ``revoked``: some 20 MB of bodies."""

RETENTION_MIN_SECONDS: Final = 24 * 3600
"""The shortest retention: a reader on a thin link is away for a day, and must not miss what was there meanwhile."""

RETENTION_MAX_SECONDS: Final = 100 * 365 * 24 * 3600
"""The longest retention that is not for ever: a century still fits into the microseconds of every date."""

STATUS_RETENTION_MIN_SECONDS: Final = 24 * 3600
"""The shortest time a status may be kept (TAXII 2.1 §4.3)."""

HELD_VERSIONS: Final = 200_000
"""Objects whose newest version a pull remembers: 40 MB of memory at most, more than a thin link carries in a day."""

PREVIEW_BODY_BYTES: Final = SYNC_CONTENT_LENGTH
"""Octets of a request to preview: what a POST would decide on at once. A preview costs the same, and is never left to
the worker."""

PREVIEW_PATIENCE_MS: Final = 5_000
"""How long a preview waits for whoever is writing: it can be asked for again, and must not queue up before posts."""

OUTGOING_ANSWER_BYTES: Final = 64 * 1024 * 1024
"""Octets of one decoded answer from another host: four pages of the largest size a hub serves."""

OUTGOING_HEADER_BYTES: Final = 64 * 1024
"""Octets of all header fields of an answer together: real ones stay below 8 KiB, and Python counts them up to 100."""

OUTGOING_ADDRESSES: Final = 32
"""Addresses of one name that are looked at and tried: the largest services have half as many."""

OUTGOING_CONNECT_SECONDS: Final = 20.0
"""How long a connection may take to be made: satellite lines need two or three, lost packets double it a few times."""

OUTGOING_READ_SECONDS: Final = 60.0
"""How long another host may be silent: medallion needs half a minute for a page of a large collection."""

OUTGOING_TOTAL_SECONDS: Final = 900.0
"""How long one answer may take in all: the largest page of a hub, gzipped, at 32 kbit/s."""

OUTGOING_ATTEMPTS: Final = 6
"""With their waits about a minute in all: longer outages are what resuming is for."""

OUTGOING_LONGEST_WAIT: Final = 120.0
"""Seconds that `Retry-After` is believed: who asks for more is tried again in the next run."""

RELAY_BATCH_OBJECTS: Final = 500
"""Objects that one hub hands to another at once: a transaction of half a second, and what a broken line loses."""

RELAY_BATCH_BYTES: Final = 4 * 1024 * 1024
"""Octets of objects in such a batch; one object always goes. Over 256 kbit/s, compressed, that is half a minute."""

RELAY_SCAN: Final = 1_000
"""Stored versions that are looked at for one batch, so that a feed of which nothing may cross costs small steps."""

RELAY_HOPS: Final = 16
"""Hops in a path, each with a signature to check: the ITU has six regions, and a chain of five hubs spans two."""

RELAY_INTRODUCTIONS: Final = 2_000
"""Introductions in one batch: an author and a hub for each object, and the signers beside them, at the very most."""

RELAY_REACHES: Final = 500
"""Reports of what became of withdrawals in one batch."""

PACK_PARTS: Final = 10_000
"""Batches in one pack: five million objects; what is more goes into the next file."""

PACK_MANIFEST_BYTES: Final = 8 * 1024 * 1024
"""Octets of the manifest of a pack: 10,000 batches at some 250, and every introduction that they bring."""

PACK_PART_BYTES: Final = 32 * 1024 * 1024
"""Octets of one batch in a pack, or of one answer: what a hub takes over HTTP at once."""

PACK_SEAL_BYTES: Final = 4 * 1024
"""Octets of what stands before an encrypted pack: whose key, and the wrapped one, are below 300."""

WAIT_SECONDS: Final = 50
"""The longest a reader may wait for news: below the minute after which proxies and firewalls take a connection for
dead."""

WAITS_PER_PEER: Final = 16
"""Readers of one peer that wait at once: a CIRT with a handful of machines, each following two or three collections."""

WAIT_REPLACED_SECONDS: Final = 5.0
"""How long a wait is safe from the same request asked again by its peer: a client that lost its connection comes back
after a few seconds and takes its own place, two that ask alike do not chase each other."""

WAITING_READERS: Final = 4_096
"""Waiting readers of one process: 20 for each of 194 member states; a parked request is some 15 KB."""

WAIT_ANSWERERS: Final = 2
"""Threads that answer those who waited: they share the processor with everybody else who asks."""

WAIT_LOOK_SECONDS: Final = 5.0
"""How often those who wait are looked after although nothing was heard: a lost notification costs no more than that."""

EXPORT_OBJECTS: Final = 1_000_000
"""Objects that one export looks at: about a minute of one processor. Who needs more asks by collection."""

EXPORT_BYTES: Final = 512 * 1024 * 1024
"""Octets of one export before compression: they lie in a temporary file until the client has them."""

EXPORT_MEMORY_BYTES: Final = 1024 * 1024
"""Octets of an export that are kept in memory; what is longer goes to a temporary file."""

EXPORTS_AT_ONCE: Final = 2
"""Exports one process makes at a time: each keeps a processor busy for seconds, and TAXII must go on meanwhile."""

EXPORT_PATIENCE_SECONDS: Final = 20.0
"""How long a poll waits for its turn before it is told to come again."""

EXPORTS_REMEMBERED: Final = 1_000
"""Exports of which a process remembers that nothing has changed: some 500 octets each."""

EXPORT_LINE_LENGTH: Final = 2_048
"""Characters of one value in a list, a rule or a table: what proxies and firewalls take as a URL."""

EXPORT_CELL_LENGTH: Final = 32_000
"""Characters of one cell of a table: what spreadsheets take."""

EXPORT_PATTERN_LENGTH: Final = MAX_PATTERN_LENGTH
"""Characters of a YARA, Sigma or Snort rule that is handed on as it is."""

EXPORT_WIDEST_IPV4: Final = 8
"""Bits of the widest IPv4 network that becomes an entry: a shorter one is a mistake, or meant to cut somebody off."""

EXPORT_WIDEST_IPV6: Final = 19
"""The same for IPv6: the largest allocations of the regional registries have 19 bits."""

EXPORT_KEEP_OUT: Final = 200
"""Entries of the reader's own warning list in one export: they stand in a URL or in a row of the database."""

EXPORT_OWN_LIST: Final = 100_000
"""Entries of the operator's own warning list: some 20 MB of memory."""

EXPORT_RULES: Final = 100_000
"""The fewest signature ids a range of Suricata rules may have."""

EXPORT_SERVED_RUNS: Final = 64
"""Stretches of a collection that one export notes as served exactly; with more gaps the whole counts as presumed."""

EXPORT_TOKENS_PER_PEER: Final = 1_000
"""Export tokens of one peer, revoked ones included: a few for each of its firewalls, and no filling of the database."""

OBSERVABLE_LENGTH: Final = 4_096
"""Characters of one observable in a text or a list: browsers and proxies take no longer URLs, and all else is short."""

FIND_TEXT_LENGTH: Final = 200_000
"""Characters of a text that is searched for observables: 60 pages, a tenth of a second; two when it is made to hurt."""

FEED_BYTES: Final = 128 * 1024 * 1024
"""Octets of one document of a feed, unpacked: two million lines of hashes; a bomb unpacks to no more."""

FEED_FILES: Final = 1_000
"""Files in one folder of a feed: a day of hourly lists for a month; each is read again on every run."""

FEED_ROW_LENGTH: Final = 64 * 1024
"""Characters of one row of a feed: the longest URL and a page of description."""

FEED_ROWS: Final = 500_000
"""Rows of one run of a feed: what is remembered of them takes some 200 MB at the most."""

FEED_BATCH_OBJECTS: Final = 1_000
"""Objects a feed hands to the runner at a time: one envelope below `SYNC_CONTENT_LENGTH`."""

EVENT_BYTES: Final = 256 * 1024
"""Octets of one event of n6 or IntelMQ: `raw`, the original line, is the longest part of it and is left behind."""

WATCHED_VALUES: Final = 100_000
"""Networks, names, hashes and words of one subscription: the address space of a large country; some 20 MB."""

ALERT_NAME_LENGTH: Final = 200
"""Characters of an object's name in an alert: one line on a screen."""

ALERT_MATCHES: Final = 20
"""Matched values named in one alert: the rest is in the object."""

CONNECTORS_PER_PEER: Final = 100
"""Connectors that a peer may report: a CIRT has some ten systems. Each is a row, and a line of the metrics."""

CONNECTOR_RUNS_KEPT: Final = 50
"""Runs of a connector that the hub remembers: some days of a quarter-hourly one; its own machine may keep more."""

CONNECTOR_RUN_BYTES: Final = 256 * 1024
"""Octets of a run's report: the lines below, every character four octets long."""

CONNECTOR_REPORT_LINES: Final = 100
"""Lines of a conversion's report that the hub keeps, the worst first: what an analyst reads."""

AGREEMENT_LONGEST_US: Final = 5 * 366 * 24 * 3600 * 1_000_000
"""The longest agreement between hubs: what nobody has looked at for five years is not what anybody has agreed to."""

AGREEMENT_BYTES: Final = 256 * 1024
"""Octets of a file with an agreement or a hub card: 100 groups with 200 types each are below it."""

DEAD_LETTERS_AT_ONCE: Final = 10_000
"""Dead letters that one command or request settles: one transaction of a second."""

RELAY_BODY_BYTES: Final = 16 * 1024 * 1024
"""Octets of a decoded batch: its objects, the path of each with 16 hops at most, and the introductions."""

QUOTA_OBJECTS: Final = 2_000_000
"""Objects a peer may hand in within an hour when nobody says otherwise: 555 a second, a fifth of what a small machine
takes; the largest feeds known bring as much in a day."""

QUOTA_OCTETS: Final = 4 * 1024 * 1024 * 1024
"""Octets of decoded bodies in the same hour: so many objects with their signatures."""

QUOTA_MOST: Final = 1_000_000_000_000_000
"""The largest quota that can be set: no bound in practice, and still exact in every JSON reader."""

QUOTA_HOURS_KEPT: Final = 24
"""Hours of use that are kept for who asks: a day; what was handed in is in the submissions."""

SPARE_THREADS: Final = 4
"""Threads of a serving process beyond those of the settings: each takes bodies only of peers with nothing else under
way, so that one peer that sends slowly leaves room for readers and for four others."""

TURN_SECONDS: Final = 1.0
"""How long a body waits for one of the same peer to end before it is refused: most take a tenth of that."""
