"""What misp-stix made, made ready to be delivered: ids that stay, tags, distribution, and what was kept aside."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.misp.mapping import details
from connectors.misp.mapping.bundles import FROM_MISP, Prepared
from connectors.misp.mapping.restraint import Restraint
from connectors.misp.mapping.shape import UUID
from connectors.misp.mapping.tags import pap_tag, tlp_tag
from connectors.sdk.exchange import StixObject
from connectors.sdk.report import Report
from hub.domain import tlp
from hub.domain.stix import instant_us, is_sco

_NAMESPACE: Final = uuid.UUID("e6d5f1a4-7d0a-4c8e-a0a5-2f8f0f6d7b21")
_INHERIT: Final = "5"
_OWN_LABELS: Final = frozenset({"Threat-Report", FROM_MISP})
_MAX_TAG: Final = 255  # characters; the width of MISP's column
_MAX_INFO: Final = 1_000
_UNDEFINED, _COMPLETED = "4", "2"


@dataclass(frozen=True, slots=True)
class Whole:
    """What holds for the event as a whole.

    :param own: what its title and description may do. :param strictest: what everything in it may do together.
    """

    uuid: str
    prepared: Prepared
    own: Restraint
    strictest: Restraint
    origin_tag: str


def sources(members: Iterable[StixObject]) -> dict[str, StixObject]:
    """Return by uuid what an attribute or object of MISP was made of; what kept details goes before what did not."""
    found: dict[str, StixObject] = {}
    for one in members:
        before = found.get(one["id"][-36:])
        if before is None or is_sco(before) or (details.ATTRIBUTES in one and details.ATTRIBUTES not in before):
            found[one["id"][-36:]] = one
    return found


def finish(
    event: dict[str, Any],
    whole: Whole,
    made_of: Mapping[str, StixObject],
    allowed: Mapping[str, Restraint],
    report: Report,
) -> int:
    """Finish an event in place; return how many objects did not get all their details back."""
    work = _Finishing(event, whole, made_of, allowed, report)
    work.head()
    for attribute in event.get("Attribute", []):
        work.attribute(attribute)
    lost = sum(0 if work.object(thing) else 1 for thing in event.get("Object", []))
    work.references()
    return lost


class _Finishing:
    """The finishing of one event."""

    def __init__(
        self,
        event: dict[str, Any],
        whole: Whole,
        made_of: Mapping[str, StixObject],
        allowed: Mapping[str, Restraint],
        report: Report,
    ) -> None:
        self.event, self.whole, self.made_of, self.allowed, self.report = event, whole, made_of, allowed, report
        self.known = {one["id"][-36:] for one in whole.prepared.objects}
        self.renamed: dict[str, str] = {}
        self.used: set[str] = set()

    def head(self) -> None:
        event, source = self.event, self.whole.prepared.report
        event["uuid"] = self.whole.uuid
        event["info"] = (str(source.get("name", "")).strip() or "Without a name")[:_MAX_INFO]
        for name, kept in details.EVENT_FIELDS.items():
            value = source.get(kept)
            if self.whole.prepared.internal and isinstance(value, str):
                event[name] = value
        if "date" not in event or not self.whole.prepared.internal:
            event["date"] = source["created"][:10]
        for name, value in (("threat_level_id", _UNDEFINED), ("analysis", _COMPLETED)):
            if name not in event:
                event[name] = value
                self.report.guessed("(not stated)", f"Event.{name}", "MISP wants one: undefined, and completed")
        event["extends_uuid"] = event.get("extends_uuid", "")
        if event["extends_uuid"] and not UUID.fullmatch(event["extends_uuid"]):
            event["extends_uuid"] = ""
        instants = [one["modified"] for one in (source, *self.made_of.values()) if isinstance(one.get("modified"), str)]
        event["timestamp"] = str(max(instant_us(one) for one in instants) // 1_000_000)
        event["distribution"] = str(self.whole.own.distribution)
        event["published"] = False
        for name in ("publish_timestamp", "Galaxy", "sharing_group_id"):
            event.pop(name, None)
        found = [*_names(event), *_labels(source)]
        if self.whole.prepared.internal:
            found = [name for name in found if not name.startswith("misp-galaxy:producer=")]
        event["Tag"] = _tags([*found, self.whole.origin_tag, *_handling(self.whole.own)])
        author = self.whole.prepared.objects[0]
        if author.get("type") == "identity" and isinstance(author.get("name"), str):
            event["Orgc"] = {"uuid": author["id"][-36:], "name": author["name"]}
        for one in event.get("EventReport", []):
            one["distribution"] = self._distribution(self._restraint(one.get("uuid")))

    def attribute(self, attribute: dict[str, Any]) -> None:
        source = self._source(attribute.get("uuid"))
        restraint = self._restraint(attribute.get("uuid"))
        if source is not None and self.whole.prepared.internal:
            details.restore_attribute(attribute, source)
        attribute.pop("object_relation", None)  # of an object only
        self._settle(attribute, restraint, _labels(source), f"{self.whole.uuid} attribute")

    def object(self, thing: dict[str, Any]) -> bool:
        source = self._source(thing.get("uuid"))
        restraint = self._restraint(thing.get("uuid"))
        complete = True
        if source is not None and self.whole.prepared.internal and details.ATTRIBUTES in source:
            complete = details.restore_object(thing, source)
        self._name(thing, f"{self.whole.uuid} object {thing.get('name')}")
        thing["distribution"] = self._distribution(restraint)
        for attribute in thing.get("Attribute", []):
            labels = _labels(source)
            if source is not None and self.whole.prepared.internal and details.ATTRIBUTES in source:
                # The object's labels are those of all its attributes together; each gets back its own.
                own = attribute.pop(details.TAGS, [])
                labels = [str(one) for one in own] if isinstance(own, list) else []
                attribute.pop("Tag", None)
            self._settle(attribute, restraint, labels, f"{thing['uuid']} {attribute.get('object_relation')}")
        return complete

    def references(self) -> None:
        """Give references between objects ids that stay, and let them follow what was renamed."""
        for thing in self.event.get("Object", []):
            for one in thing.get("ObjectReference", []):
                one["object_uuid"] = thing["uuid"]
                one["referenced_uuid"] = self.renamed.get(one["referenced_uuid"], one["referenced_uuid"])
                text = f"{thing['uuid']} {one.get('relationship_type')} {one['referenced_uuid']}"
                one["uuid"] = str(uuid.uuid5(_NAMESPACE, text))
            for one in thing.get("ObjectReference", []):
                one.pop("timestamp", None)

    def _settle(self, attribute: dict[str, Any], restraint: Restraint, labels: Sequence[str], text: str) -> None:
        self._name(attribute, f"{text} {attribute.get('type')} {attribute.get('value')}")
        if isinstance(attribute.get("comment"), str):
            attribute["comment"] = attribute["comment"].split("Observed Data ID: ")[0].removesuffix(" - ")
        if attribute.get("to_ids") and not restraint.may_act:
            attribute["to_ids"] = False
            self.report.merged("PAP", "Attribute.to_ids", "what may only be looked for makes no rule that acts")
        attribute["distribution"] = self._distribution(restraint)
        stricter = restraint.tlp != self.whole.own.tlp and tlp.stricter(restraint.tlp, self.whole.own.tlp)
        handling = _handling(restraint) if stricter or restraint.pap != self.whole.own.pap else []
        tags = _tags([*_names(attribute), *labels, *handling])
        attribute["Tag"] = tags
        if not tags:
            del attribute["Tag"]
        for name in ("Galaxy", "event_id", "sharing_group_id"):
            attribute.pop(name, None)

    def _distribution(self, restraint: Restraint) -> str:
        """Return `inherit`, or less where the part may not go as far as the event."""
        if restraint.distribution >= self.whole.own.distribution:
            return _INHERIT
        return str(restraint.distribution)

    def _restraint(self, name: Any) -> Restraint:
        source = self._source(name)
        return self.allowed.get(source["id"], self.whole.strictest) if source is not None else self.whole.strictest

    def _source(self, name: Any) -> StixObject | None:
        return self.made_of.get(name) if isinstance(name, str) else None

    def _name(self, thing: dict[str, Any], text: str) -> None:
        """Replace a random uuid, and one that is there already, by one of the content."""
        name = str(thing.get("uuid", ""))
        random = not UUID.fullmatch(name) or (uuid.UUID(name).version == 4 and name not in self.known)
        if (random and not self.whole.prepared.internal) or not UUID.fullmatch(name) or name in self.used:
            count = 0
            while (fresh := str(uuid.uuid5(_NAMESPACE, f"{text} {count}"))) in self.used:
                count += 1
            self.renamed.setdefault(name, fresh)
            thing["uuid"] = name = fresh
        self.used.add(name)


def _handling(restraint: Restraint) -> list[str]:
    found = [tlp_tag(restraint.tlp)]
    return found if restraint.pap is None else [*found, pap_tag(restraint.pap)]


def _names(thing: Mapping[str, Any]) -> list[str]:
    """Return the tags misp-stix set, but those that say how something is handled: `_handling` does, once."""
    return [one["name"] for one in thing.get("Tag", []) if not _is_handling(one.get("name", "tlp:"))]


def _labels(source: StixObject | None) -> list[str]:
    if source is None or is_sco(source):
        return []
    labels = source.get("labels", [])
    return [
        one
        for one in labels
        if one not in _OWN_LABELS
        and not one.startswith("misp:")
        and not _is_handling(one)
        and len(one) <= _MAX_TAG
        and one.isprintable()
    ]


def _is_handling(name: str) -> bool:
    return name.strip().casefold().startswith(("tlp:", "pap:"))


def _tags(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"name": name} for name in dict.fromkeys(names) if name not in _OWN_LABELS]
