"""The classes of IODEF v2, in one table for both forms: RFC 7970 §3 in the order of its XML Schema, RFC 8727 §6.

A document is held as RFC 8727 writes it. A line of the table is ``Class | attributes | children``. An attribute is
``name``, ``name=enumeration``, ``name#`` for an integer, ``+`` when ``ext-name`` goes with it and ``!`` when it must be
there; ``R`` stands for ``restriction+``, ``@key~kind`` for the text of the XML element. A child is ``Name~kind`` with
``?``, ``*`` or ``+`` as usual; ``<Wrapper`` names an XML class around it that RFC 8727 leaves out (§3.2), ``/Name``
its name in XML. ``kind`` is a class, or one of `SIMPLE`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SIMPLE: Final = frozenset({"text", "ml", "time", "int", "real", "url", "portlist", "timezone", "base64", "lines"})

_TABLE: Final = """
IODEF-Document | version! lang format-id private-enum-name private-enum-id | Incident+ AdditionalData~Extension*
Incident | purpose=purpose+! status=status+ lang R observable-id | IncidentID! AlternativeID? RelatedActivity* \
DetectTime~time? StartTime~time? EndTime~time? RecoveryTime~time? ReportTime~time? GenerationTime~time! \
Description~ml* Discovery* Assessment* Method* Contact+ EventData* Indicator<IndicatorData* History? \
AdditionalData~Extension*
IncidentID | name! instance R @id~text |
AlternativeID | R | IncidentID+
RelatedActivity | R | IncidentID* URL~url* ThreatActor* Campaign* IndicatorID* Confidence? Description~ml* \
AdditionalData~Extension*
ThreatActor | R | ThreatActorID~text* URL~url* Description~ml* AdditionalData~Extension*
Campaign | R | CampaignID~text* URL~url* Description~ml* AdditionalData~Extension*
Contact | role=role+! type=contact-type+! R | ContactName~ml* ContactTitle~ml* Description~ml* RegistryHandle* \
PostalAddress* Email* Telephone* Timezone~timezone? Contact* AdditionalData~Extension*
RegistryHandle | registry=registry+ @handle~text |
PostalAddress | type=postal+ | PAddress~ml! Description~ml*
Telephone | type=telephone+ | TelephoneNumber~text! Description~ml*
Email | type=email+ | EmailTo~text! Description~ml*
History | R | HistoryItem+
HistoryItem | action=action+! R observable-id | DateTime~time! IncidentID? Contact? Description~ml* DefinedCOA~text* \
AdditionalData~Extension*
Expectation | action=action+ severity=severity R observable-id | Description~ml* DefinedCOA~text* StartTime~time? \
EndTime~time? Contact?
Discovery | source=source+ R | Description~ml* Contact* DetectionPattern*
DetectionPattern | R observable-id | Application~Software! Description~ml* DetectionConfiguration~text*
Method | R | Reference* Description~ml* AttackPattern~Structured* Vulnerability~Structured* Weakness~Structured* \
AdditionalData~Extension*
Structured | SpecID! ext-SpecID ContentID | RawData~base64* Reference* Platform* Scoring*
Platform | SpecID! ext-SpecID ContentID | RawData~base64* Reference*
Scoring | SpecID! ext-SpecID ContentID | RawData~base64* Reference*
Reference | observable-id | ReferenceName? URL~url* Description~ml*
ReferenceName | specIndex#! | ID~text!
Assessment | occurrence=occurrence R observable-id | IncidentCategory~ml* Impact* Counter* MitigatingFactor~ml* \
Cause~ml* Confidence? AdditionalData~Extension*
SystemImpact | severity=severity completion=completion type=system-impact+ | Description~ml*
BusinessImpact | severity=business-severity+ type=business-impact+ | Description~ml*
TimeImpact | severity=severity metric=metric+! duration=duration+ @value~real |
MonetaryImpact | severity=severity currency @value~real |
Confidence | rating=rating+! @value~real |
EventData | R observable-id | Description~ml* DetectTime~time? StartTime~time? EndTime~time? RecoveryTime~time? \
ReportTime~time? Contact* Discovery* Assessment? Method* System<Flow* Expectation* RecordData<Record* EventData* \
AdditionalData~Extension*
System | category=category+ interface spoofed=tristate virtual=tristate ownership=ownership+ R observable-id | \
Node! NodeRole* Service* OperatingSystem~Software* Counter* AssetID~text* Description~ml* AdditionalData~Extension*
Node | | DomainData* Address* PostalAddress? Location~ml* Counter*
Address | category=address+ vlan-name vlan-num# observable-id @value~text |
NodeRole | category=node-role+! | Description~ml*
Service | ip-protocol# observable-id | ServiceName? Port~int? Portlist~portlist? ProtoType~int? ProtoCode~int? \
ProtoField~int? ApplicationHeaderField~Extension<ApplicationHeader* EmailData? Application~Software?
ServiceName | | IANAService~text? URL~url* Description~ml*
Counter | type=counter+! unit=unit+! meaning duration=duration+ @value~real |
EmailData | observable-id | EmailTo~text* EmailFrom~text? EmailSubject~text? EmailX-Mailer~text? \
EmailHeaderField~Extension* EmailHeaders~text? EmailBody~text? EmailMessage~text? HashData*
DomainData | system-status=system-status+ domain-status=domain-status+ observable-id | Name~text! \
DateDomainWasChecked~time? RegistrationDate~time? ExpirationDate~time? RelatedDNS~Extension* NameServers/Nameservers* \
DomainContacts?
NameServers | | Server~text! Address+
DomainContacts | | SameDomainContact~text? Contact*
RecordData | R observable-id | DateTime~time? Description~ml* Application~Software? RecordPattern* \
RecordItem~Extension* URL~url* FileData* WindowsRegistryKeysModified* CertificateData* AdditionalData~Extension*
RecordPattern | type=record-pattern+! offset# offsetunit=offset-unit+ instance# @value~text |
WindowsRegistryKeysModified | observable-id | Key+
Key | registryaction=registry-action+ observable-id | KeyName~text! KeyValue~text/Value?
FileData | R observable-id | File+
File | observable-id | FileName~text? FileSize~int? FileType~text? URL~url* HashData? AssociatedSoftware~Software? \
FileProperties~Extension*
HashData | scope=scope+! | HashTargetID~text? Hash* FuzzyHash*
Hash | | DigestMethod~text! DigestValue~text! CanonicalizationMethod~text? Application~Software?
FuzzyHash | | FuzzyHashValue~Extension+ Application~Software? AdditionalData~Extension*
CertificateData | R observable-id | Certificate+
Certificate | observable-id | X509Data~base64! Description~ml*
Indicator | R | IndicatorID! AlternativeIndicatorID* Description~ml* StartTime~time? EndTime~time? Confidence? \
Contact* Observable? uid-ref~text? IndicatorExpression? IndicatorReference? NodeRole* AttackPhase* Reference* \
AdditionalData~Extension*
IndicatorID | name! version! @id~text |
AlternativeIndicatorID | R | IndicatorID+
Observable | R | System? Address? DomainData? Service? EmailData? WindowsRegistryKeysModified? FileData? \
CertificateData? RegistryHandle? RecordData? EventData? Incident? Expectation? Reference? Assessment? \
DetectionPattern? HistoryItem? BulkObservable? AdditionalData~Extension*
BulkObservable | type=bulk+ | BulkObservableFormat? BulkObservableList~lines! AdditionalData~Extension*
BulkObservableFormat | | Hash? AdditionalData~Extension*
IndicatorExpression | operator=operator+ | IndicatorExpression* Observable* uid-ref~text* IndicatorReference* \
Confidence? AdditionalData~Extension*
IndicatorReference | uid-ref euid-ref version |
AttackPhase | | AttackPhaseID~text* URL~url* Description~ml* AdditionalData~Extension*
Software | | SoftwareReference? URL~url* Description~ml*
SoftwareReference | spec-name=spec+! dtype=spec-dtype+ @value~text |
Extension | name dtype=dtype+! meaning formatid R observable-id @value~text |
"""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute in XML, a member in JSON. :param values: the name of its enumeration, or empty."""

    name: str
    values: str = ""
    integer: bool = False
    extensible: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class Child:
    """A class or simple element inside another. :param many: it may stand several times; JSON has a list then."""

    name: str
    kind: str
    xml_name: str
    wrapper: str
    many: bool
    required: bool


@dataclass(frozen=True, slots=True)
class IodefClass:
    """A class. :param content: the member in JSON that is the text of the element in XML, and its kind; or empty."""

    name: str
    attributes: Mapping[str, Attribute]
    children: Mapping[str, Child]
    content: str = ""
    content_kind: str = ""


_ATTRIBUTE: Final = re.compile(r"([A-Za-z-]+)(?:=([a-z-]+))?(#?)(\+?)(!?)")
_CHILD: Final = re.compile(r"([A-Za-z0-9-]+)(?:~([A-Za-z0-9]+))?(?:<([A-Za-z]+))?(?:/([A-Za-z]+))?([?*+!])")


_SHORT: Final = {"R": "restriction=restriction+"}


def _matched(expression: re.Pattern[str], word: str) -> re.Match[str]:
    match = expression.fullmatch(word)
    if match is None:
        raise ValueError(f"the table of classes is wrong at {word}")
    return match


def _class(line: str) -> IodefClass:
    name, attribute_text, child_text = (part.strip() for part in line.split("|"))
    attributes: dict[str, Attribute] = {}
    content, content_kind = "", ""
    for word in attribute_text.split():
        if word.startswith("@"):
            content, content_kind = word[1:].split("~")
            continue
        match = _matched(_ATTRIBUTE, _SHORT.get(word, word))
        attribute = Attribute(match[1], match[2] or "", bool(match[3]), bool(match[4]), bool(match[5]))
        attributes[attribute.name] = attribute
        if attribute.extensible:
            attributes[f"ext-{attribute.name}"] = Attribute(f"ext-{attribute.name}")
    children: dict[str, Child] = {}
    for word in child_text.split():
        match = _matched(_CHILD, word)
        many = match[5] in "*+"
        children[match[1]] = Child(
            match[1], match[2] or match[1], match[4] or match[1], match[3] or "", many, match[5] in "+!"
        )
    return IodefClass(name, attributes, children, content, content_kind)


CLASSES: Final[Mapping[str, IodefClass]] = {
    one.name: one for one in (_class(line) for line in _TABLE.strip().splitlines())
}
"""Every class by its name; ``Extension``, ``Software`` and ``Structured`` are the types of RFC 7970 §2.15, §2.16 and
RFC 7203, which have other names where they stand."""

IMPACTS: Final[Mapping[str, str]] = {
    "SystemImpact": "SystemImpact",
    "BusinessImpact": "BusinessImpact",
    "TimeImpact": "TimeImpact",
    "MonetaryImpact": "MonetaryImpact",
    "IntendedImpact": "BusinessImpact",
}
"""The impact classes and their types: a choice in XML, a list ``Impact`` of one-member objects in JSON (RFC 8727)."""

RATINGS: Final = {"low": 15, "medium": 50, "high": 85}
"""The number of a Confidence in words (STIX 2.1 Appendix A, low/medium/high); RFC 8727 §6 wants one always."""

_FILLED: Final[Mapping[str, Mapping[str, Any]]] = {
    "SystemImpact": {"type": "unknown"},
    "BusinessImpact": {"type": "unknown"},
    "Address": {"category": "ipv6-addr"},
    "DomainData": {"system-status": "unknown", "domain-status": "unknown"},
    "RegistryHandle": {"registry": "local"},
    "IndicatorExpression": {"operator": "and"},
}


def completed(value: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return a class as both forms have it: with the defaults of attributes that RFC 8727 requires (RFC 7970 §8), and a
    Confidence in words without its number.
    """
    if kind == "Confidence" and value.get("value") == RATINGS.get(str(value.get("rating"))):
        value.pop("value", None)
    return {**_FILLED.get(kind, {}), **value}
