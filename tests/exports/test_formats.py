"""Each format as a whole: against a file that was looked at, and with the strictest reader of that format there is."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from pathlib import Path

import pytest
import xmlschema
from jsonschema import Draft4Validator
from pymisp import MISPEvent
from suricataparser import parse_rules

from hub.domain.stix_validation import StixValidator
from hub.exports.csv_table import COLUMNS
from hub.exports.formats import FORMATS
from hub.services.schema_files import read_schemas
from tests.exports.world import NOW, PAP, SAMPLE, YARA, export, incident, indicator, shared, values
from tests.exports.zone_reader import read_zone

GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = Path(__file__).parents[2] / "schemas" / "iodef"


@pytest.mark.parametrize("name", FORMATS)
def test_the_sample_becomes_what_the_golden_file_says(name: str) -> None:
    made, account = export(name, SAMPLE)
    assert made == (GOLDEN / f"{name}.{FORMATS[name].extension}").read_bytes()
    left_out = json.loads((GOLDEN / "left_out.json").read_bytes())
    assert [account.entries, dict(account.left_out)] == left_out[name]


@pytest.mark.parametrize("name", FORMATS)
def test_only_the_first_piece_depends_on_the_time_of_making(name: str) -> None:
    first, later = export(name, SAMPLE)[0], export(name, SAMPLE, now=NOW + 5_000_000)[0]
    ends = min(len(first), len(later))
    same = next((count for count in range(ends) if first[-count - 1] != later[-count - 1]), ends)
    rest = first[len(first) - same :]
    assert b"5.6.7.8" not in first[: len(first) - same] or name == "stix"
    assert len(rest) > len(first) // 2 or not rest


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_of_nothing_is_whole(name: str) -> None:
    made, account = export(name, [])
    assert account.entries == 0
    assert account.next_change is None
    if name == "stix":
        assert json.loads(made).keys() == {"type", "id"}
    elif name in ("misp", "iodef-json"):
        json.loads(made)
    elif FORMATS[name].media_type.startswith("text/plain") and name not in ("suricata-domains", "suricata-hashes"):
        assert made.decode().splitlines()[-1].endswith("end of list, 0 entries")


def test_a_bundle_is_the_stored_bytes_joined() -> None:
    objects = shared(SAMPLE)
    made, account = export("stix", objects)
    assert b",".join(one.body for one in objects) in made
    assert account.entries == len(SAMPLE)
    bundle = json.loads(made)
    assert [one["id"] for one in bundle["objects"]] == [one["id"] for one in SAMPLE]
    validator = StixValidator(read_schemas())
    assert not [problem for one in bundle["objects"] for problem in validator.problems(one)]


def test_neighbouring_networks_are_joined_unless_they_shall_not_be() -> None:
    assert values("ip", SAMPLE) == ["5.6.7.8/31", "6.7.8.0/24", "2a01:4f8::1"]
    apart = values("ip", SAMPLE, aggregate=False)
    assert apart == ["5.6.7.8", "5.6.7.9", "6.7.8.0/25", "6.7.8.128/25", "2a01:4f8::1"]


def test_hashes_of_one_algorithm_can_be_asked_for() -> None:
    assert values("hash", SAMPLE, hash_algorithm="md5") == ["cd" * 16]
    assert values("suricata-hashes", SAMPLE) == ["ab" * 32]


def test_a_zone_is_one_that_a_strict_reader_takes() -> None:
    made, _ = export("rpz", SAMPLE, zone="block.cirt.example", ttl=60)
    zone = read_zone(made.decode("ascii"))
    assert zone.origin == "block.cirt.example."
    assert zone.serial == NOW // 1_000_000
    names = {"evil-bücher.com".encode("idna").decode(), "c2.evil.org"}
    assert {name.removesuffix("." + zone.origin) for name in zone.policies} == names | {f"*.{name}" for name in names}
    assert all(target == "." for target in zone.policies.values())
    assert {f"*.{name}" for name in zone.policies if not name.startswith("*.")} <= zone.policies.keys()


@pytest.mark.parametrize(("policy", "target"), [("nxdomain", "."), ("nodata", "*."), ("drop", "rpz-drop.")])
def test_a_policy_is_the_target_of_each_name(policy: str, target: str) -> None:
    zone = read_zone(export("rpz", SAMPLE, rpz_policy=policy)[0].decode("ascii"))
    assert set(zone.policies.values()) == {target}


def test_a_later_zone_has_a_greater_serial() -> None:
    one, other = (read_zone(export("rpz", SAMPLE, now=NOW + step)[0].decode()) for step in (0, 1_000_000))
    assert other.serial == one.serial + 1


def test_every_suricata_rule_is_read_back_with_an_id_of_its_own() -> None:
    made, account = export("suricata", SAMPLE, sid_start=2_000, sid_count=100_000)
    rules = parse_rules(made.decode("ascii"))
    assert len(rules) == account.entries > 8
    sids = [rule.sid for rule in rules]
    assert len(set(sids)) == len(sids)
    assert all(2_000 <= sid < 102_000 for sid in sids)
    assert {rule.action for rule in rules} == {"alert"}
    assert sum("dns.query" in rule.raw for rule in rules) == sum("tls.sni" in rule.raw for rule in rules) == 2


def test_a_signature_id_stays_when_others_come_and_go() -> None:
    def sid(objects: list[dict[str, object]]) -> object:
        rules = parse_rules(export("suricata", objects)[0].decode())
        return next(rule.sid for rule in rules if " 5.6.7.8 " in rule.raw)

    assert sid(SAMPLE) == sid(SAMPLE[:1]) == sid(SAMPLE[::-1])


def test_a_range_that_is_full_leaves_rules_out_and_says_so() -> None:
    many = [indicator(f"[ipv4-addr:value = '5.{n // 250}.{n % 250}.1']") for n in range(20)]
    made, account = export("suricata", many, sid_count=30)
    assert account.left_out["no signature id left in the range"] == 10
    assert len({rule.sid for rule in parse_rules(made.decode())}) == 10


def test_names_for_a_dataset_are_in_base64_and_alone() -> None:
    lines = export("suricata-domains", SAMPLE)[0].decode("ascii").splitlines()
    assert "c2.evil.org" in [base64.b64decode(line).decode() for line in lines]


def test_a_table_informs_of_what_may_not_be_blocked() -> None:
    rows = list(csv.DictReader(io.StringIO(export("csv", SAMPLE)[0].decode())))
    assert tuple(rows[0]) == COLUMNS
    said = {row["value"]: (row["may_block"], row["warning_list"]) for row in rows if row["value"]}
    assert said["5.6.7.8"] == ("yes", "")
    assert said["7.7.7.7"] == said["7.7.7.8"] == ("no", "")
    assert said["google.com"] == ("no", "top-domains")
    assert "gone.net" not in said


def test_pymisp_reads_the_event_and_only_what_may_be_blocked_is_for_ids() -> None:
    event = MISPEvent()
    event.load(export("misp", SAMPLE)[0])
    by_value = {attribute.value: attribute for attribute in event.attributes}
    assert by_value["5.6.7.8"].type == "ip-dst"
    assert by_value["5.6.7.8"].to_ids
    assert not any(by_value[value].to_ids for value in ("7.7.7.7", "7.7.7.8", "google.com", "8.8.8.8"))
    assert {tag.name for tag in by_value["7.7.7.7"].tags} == {"tlp:amber", "PAP:AMBER"}
    assert by_value[YARA].type == "yara"
    assert str(event.distribution) == "0"


@pytest.mark.filterwarnings("ignore::xmlschema.XMLSchemaImportWarning")  # of schemas for extensions we do not use
def test_an_iodef_document_is_valid_in_xml() -> None:
    schema = xmlschema.XMLSchema(str(SCHEMAS / "iodef-2.0.xsd"), allow="local", validation="lax")
    made = export("iodef", [*SAMPLE, incident("strict", description="\u0007bell")])[0].decode()
    problems = [error.reason for error in schema.iter_errors(made)]
    assert problems == []
    assert made.count("<Incident ") > 10


def test_an_iodef_document_is_valid_in_json() -> None:
    validator = Draft4Validator(json.loads((SCHEMAS / "iodef.schema.json").read_bytes()))
    made = json.loads(export("iodef-json", SAMPLE)[0])
    assert [error.message for error in validator.iter_errors(made)] == []
    validator.validate(json.loads(export("iodef-json", [])[0]))
    strict = json.loads(export("iodef-json", shared([incident("x")], "amber+strict"))[0])["Incident"][0]
    assert (strict["restriction"], strict["ext-restriction"]) == ("ext-value", "amber+strict")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ip", {"5.6.7.8/31", "6.7.8.0/24", "2a01:4f8::1"}),
        ("suricata", {"5.6.7.8", "5.6.7.9", "7.7.7.7"}),
    ],
)
def test_pap_decides_between_watching_and_blocking(name: str, expected: set[str]) -> None:
    """AMBER permits a check that the target does not notice, such as an alert; RED only a look at one's own logs."""
    text = export(name, SAMPLE)[0].decode()
    assert all(value in text for value in expected)
    assert "7.7.7.8" not in text
    assert ("7.7.7.7" in text) == (name == "suricata")
    assert "7.7.7.7" not in export("suricata", SAMPLE, action="drop")[0].decode()


def test_the_strictest_marking_of_what_is_in_it_stands_at_the_top() -> None:
    objects = [*shared(SAMPLE[:1], "green"), *shared(SAMPLE[1:2], "amber+strict"), *shared(SAMPLE[13:14], "red")]
    made, account = export("ip", objects)
    assert account.level == "amber+strict"
    assert b"# TLP:AMBER+STRICT is the strictest marking" in made


def test_an_export_says_when_it_will_change_by_itself() -> None:
    later = indicator("[domain-name:value = 'x.net']", valid_from="2026-11-23T00:00:00Z")
    ending = indicator("[domain-name:value = 'y.net']", valid_until="2026-11-24T00:00:00Z")
    account = export("domain", [ending, later])[1]
    assert account.next_change == NOW + 12 * 3600 * 1_000_000
    assert values("domain", [ending, later], now=account.next_change) == ["x.net", "y.net"]
    assert values("domain", [ending], now=NOW + 36 * 3600 * 1_000_000) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, ["a.net", "b.net"]), ({"min_confidence": 50}, ["a.net"]), ({"anomalous": True}, ["a.net", "b.net", "c.net"])],
    ids=["none", "confidence", "anomalous"],
)
def test_options_choose_among_indicators(options: dict[str, object], expected: list[str]) -> None:
    objects = [
        indicator("[domain-name:value = 'a.net']", confidence=50),
        indicator("[domain-name:value = 'b.net']", indicator_types=["anonymization", "malicious-activity"]),
        indicator("[domain-name:value = 'c.net']", indicator_types=["anonymization"]),
    ]
    assert values("domain", objects, **options) == expected


def test_what_is_given_is_marked_and_what_is_left_out_is_not() -> None:
    objects = shared(SAMPLE)
    export("ip", objects)
    given = {json.loads(one.body).get("name", json.loads(one.body)["pattern"]) for one in objects if one.given}
    assert "C2 server" in given
    assert not given & {"watch only", "logs only", "a third", "everything"}


def test_an_iep_policy_can_forbid_to_act() -> None:
    ref = "marking-definition--1fa9bd2c-1c3a-4f0b-8e0b-000000000001"
    policy = {"id": ref, "extensions": {"extension-definition--762e2e97-ee51-43e5-a9ea-165fbb862c4a": {
        "extension_type": "property-extension", "permitted_actions": "internally-visible-actions"}}}  # fmt: skip
    bound = indicator("[ipv4-addr:value = '5.6.7.8']", object_marking_refs=[ref])
    assert values("ip", [bound], definitions={ref: policy}) == []
    around = {"id": ref, "object_marking_refs": [PAP["red"]]}
    assert values("ip", [bound], definitions={ref: around}) == []
    assert values("ip", [bound], definitions={}) == ["5.6.7.8"]


def test_every_text_format_ends_with_its_count() -> None:
    for name in ("ip", "domain", "url", "hash", "rpz", "suricata", "yara", "sigma", "snort", "suricata-rules"):
        made, account = export(name, SAMPLE)
        last = made.decode().splitlines()[-1]
        assert re.fullmatch(rf"(#|;|//) end of list, {account.entries} entries", last), name
