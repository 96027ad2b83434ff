"""Who may call which operation, as one table: every operation of the document against every way to be somebody.

The parts are those of `tests.services.cast`. bb is the peer, alpha the group, that the requests are about.
"""

from __future__ import annotations

from typing import Any, Final

from hub.domain.signed_note import COSIGNATURE, verifier_key
from hub.web.api.document import document
from tests.services.cast import VENDOR, Cast, new_key

PARTS: Final = (
    "operator",
    "moderator",
    "moderating-analyst",
    "hub-admin",
    "admin",
    "analyst",
    "feed",
    "foreign",
    "suspended-member",
    "suspended-peer",
    "expired",
    "revoked",
    "anonymous",
)

_OUT: Final = (401, 401, 401, 401)  # suspended-peer, expired, revoked, anonymous


def _row(operator: int, moderator: int, analysts: int, admin: int, feed: int, foreign: int) -> tuple[int, ...]:
    """One line of the table. An administrator of the hub's own peer is a stranger to alpha, as `foreign` is.

    :param analysts: of bb, and of aa, whose right to moderate an analyst does not exercise.
    :param foreign: an administrator of a peer outside alpha, and of a peer whose membership is suspended.
    """
    return (operator, moderator, analysts, foreign, admin, analysts, feed, foreign, foreign, *_OUT)


#                                 operator moderator analyst admin feed foreign
EXPECTED: Final[dict[str, tuple[int, ...]]] = {
    "getOpenApiDocument": (200,) * len(PARTS),
    "getWhoAmI": _row(200, 200, 200, 200, 200, 200),
    "listPeers": _row(200, 200, 200, 200, 403, 200),
    "createPeer": _row(201, 403, 403, 403, 403, 403),
    "getPeer": _row(200, 200, 200, 200, 403, 404),
    "updatePeer": _row(200, 403, 403, 403, 403, 404),
    "getPeerQuota": (200, 403, 403, 404, 200, 200, 200, 404, 404, *_OUT),  # its own, and the operator everybody's
    "listCredentials": _row(200, 403, 403, 200, 403, 404),
    "createCredential": _row(201, 403, 403, 201, 403, 404),
    "getCredential": _row(200, 403, 403, 200, 403, 404),
    "revokeCredential": _row(204, 403, 403, 204, 403, 404),
    "listKeys": _row(200, 200, 200, 200, 403, 404),
    "enrolKey": _row(201, 403, 403, 400, 403, 404),  # an administrator has to prove that he has the key
    "rotateKey": _row(201, 403, 403, 400, 403, 404),
    "getKey": _row(200, 200, 200, 200, 403, 404),
    "revokeKey": _row(200, 403, 403, 200, 403, 404),
    "listGroups": _row(200, 200, 200, 200, 403, 200),
    "createGroup": _row(201, 403, 403, 403, 403, 403),
    "getGroup": _row(200, 200, 200, 200, 403, 404),
    "updateGroup": _row(200, 403, 403, 403, 403, 404),
    "getKeyDirectory": _row(200, 200, 200, 200, 200, 404),
    "getJwkSet": _row(200, 200, 200, 200, 200, 404),
    "listMembers": _row(200, 200, 200, 200, 403, 404),
    "getMember": _row(200, 200, 200, 200, 403, 404),
    "putMember": _row(200, 200, 403, 403, 403, 404),
    "updateMember": _row(200, 200, 403, 403, 403, 404),
    "removeMember": _row(204, 403, 403, 403, 403, 404),
    "listProposals": _row(200, 200, 403, 403, 403, 404),
    "getProposal": _row(404, 404, 403, 403, 403, 404),
    "confirmProposal": _row(404, 404, 403, 403, 403, 404),
    "rejectProposal": _row(404, 404, 403, 403, 403, 404),
    "listCollections": _row(200, 200, 200, 200, 403, 404),
    "createCollection": _row(201, 403, 403, 403, 403, 404),
    "getCollection": _row(200, 200, 200, 200, 403, 404),
    "updateCollection": _row(200, 403, 403, 403, 403, 404),
    "listCollectionRights": _row(200, 200, 403, 403, 403, 404),
    "putCollectionRights": _row(200, 200, 403, 403, 403, 404),
    "deleteCollectionRights": _row(204, 204, 403, 403, 403, 404),
    "listRelayRights": _row(200, 200, 403, 403, 403, 404),
    "grantRelayRight": _row(200, 403, 403, 403, 403, 404),
    "revokeRelayRight": _row(204, 403, 403, 403, 403, 404),
    "explainObject": _row(404, 404, 404, 404, 403, 404),
    "previewObjects": _row(404, 200, 200, 200, 200, 404),
    "getDelivered": _row(404, 404, 404, 404, 403, 404),
    "getObjectPath": _row(404, 404, 404, 404, 403, 404),
    "listSignatures": _row(404, 404, 404, 404, 403, 404),
    "getFeedback": _row(404, 404, 404, 404, 403, 404),
    "listFeedback": _row(200, 200, 200, 200, 403, 200),
    "getPseudonym": _row(404, 404, 404, 404, 403, 404),
    "requestPseudonym": _row(403, 403, 403, 403, 403, 404),
    # At night an analyst of a moderating peer is who is there: he may, as he may by TAXII's DELETE.
    "withdrawObject": (404, 404, 404, 404, 403, 403, 403, 404, 404, *_OUT),
    "liftWithdrawal": (404, 404, 404, 404, 403, 403, 403, 404, 404, *_OUT),
    "listRetractions": _row(200, 200, 200, 200, 403, 200),
    "getRetraction": _row(404, 404, 404, 404, 403, 404),
    "getReceipt": _row(404, 404, 404, 404, 404, 404),
    "postAcknowledgements": _row(200, 200, 200, 200, 200, 200),
    "getAcknowledgements": _row(404, 404, 404, 404, 403, 404),
    "listAgreements": _row(200, 403, 403, 403, 403, 403),
    "offerAgreement": _row(404, 403, 403, 403, 403, 403),
    "getAgreement": _row(404, 403, 403, 403, 403, 403),
    "acceptAgreement": _row(400, 403, 403, 403, 403, 403),
    "endAgreement": _row(404, 403, 403, 403, 403, 403),
    "listLinks": _row(200, 403, 403, 403, 403, 403),
    "getLink": _row(404, 403, 403, 403, 403, 403),
    "putLink": _row(404, 403, 403, 403, 403, 403),
    "updateLink": _row(404, 403, 403, 403, 403, 403),
    "removeLink": _row(404, 403, 403, 403, 403, 403),
    "getRelayLink": _row(404, 404, 404, 404, 404, 404),  # for other hubs: tests/web/api/test_relay_link.py
    "listDeadLetters": _row(200, 403, 403, 403, 403, 403),
    "settleDeadLetters": _row(404, 403, 403, 403, 403, 403),
    "listRefusals": _row(200, 200, 200, 200, 403, 200),
    "listAudit": _row(200, 403, 403, 403, 403, 403),
    "listConnectors": _row(200, 200, 200, 200, 200, 200),
    "getConnector": _row(404, 404, 404, 404, 404, 404),
    "reportConnector": _row(201, 201, 201, 201, 201, 201),  # each its own peer's, of the same name
    "forgetConnector": _row(204, 204, 403, 204, 403, 204),
    "listConnectorRuns": _row(200, 200, 200, 200, 200, 200),
    "reportConnectorRun": _row(201, 201, 201, 201, 201, 201),
    "getConnectorRun": _row(200, 200, 200, 200, 200, 200),
    "getLog": _row(200, 200, 200, 200, 200, 200),
    "getLogInclusion": _row(200, 200, 200, 200, 200, 200),
    "getLogConsistency": _row(200, 200, 200, 200, 200, 200),
    "getLogLeaf": _row(200, 404, 404, 404, 404, 404),
    "listExportTokens": _row(200, 200, 200, 200, 403, 200),
    "createExportToken": _row(404, 201, 201, 201, 403, 404),
    "getExportToken": _row(404, 404, 404, 404, 403, 404),
    "revokeExportToken": _row(404, 404, 404, 404, 403, 404),
    "getExportSummary": _row(404, 200, 200, 200, 200, 404),
    "listWitnesses": _row(200, 200, 200, 200, 403, 200),
    "putWitness": _row(201, 403, 403, 403, 403, 403),
    "removeWitness": _row(204, 403, 403, 403, 403, 403),
}


def _example(path: str, method: str) -> Any:
    return document()["paths"][path][method]["requestBody"]["content"]["application/json"]["example"]


def _example(path: str, method: str) -> Any:
    """Return the example of a body that the document gives."""
    return document()["paths"][path][method]["requestBody"]["content"]["application/json"]["example"]


BODIES: Final[dict[str, Any]] = {
    "reportConnector": _example("/connectors/{connector}", "put"),
    "reportConnectorRun": _example("/connectors/{connector}/runs", "post"),
    "withdrawObject": {"reason": "it names a victim"},
    "previewObjects": {"group": "alpha", "collection": "incidents", "objects": [{}]},
    "postAcknowledgements": document()["paths"]["/acknowledgements"]["post"]["requestBody"]["content"][
        "application/json"
    ]["example"],
    "createExportToken": {"group": "alpha", "format": "ip", "label": "border firewall"},
    "offerAgreement": _example("/agreements", "post"),
    "acceptAgreement": _example("/agreements/{agreement}", "put"),
    "putLink": _example("/links/{handle}", "put"),
    "updateLink": {"paused": True},
    "settleDeadLetters": _example("/dead-letters/settlements", "post"),
    "createPeer": {"handle": "zz", "name": "CIRT ZZ", "kind": "national"},
    "updatePeer": {"name": "another name"},
    "createCredential": {"kind": "basic", "role": "feed", "label": "one more"},
    "enrolKey": {"public_key": new_key().text},
    "requestPseudonym": {
        "type": "x-cybex-pseudonym-request",
        "format": "1",
        "id": "6f7f7b1e-0f55-4f9a-93b3-0a4f8a3b8b5d",
        "group": "alpha",
        "by": VENDOR,
        "public_key": new_key().text,
        "created": "2026-11-22T12:00:00.000000Z",
        "signatures": [{}, {}],
    },
    "rotateKey": {"public_key": new_key().text},
    "revokeKey": {"reason": "superseded"},
    "createGroup": {"slug": "zulu", "title": "Zulu"},
    "updateGroup": {"title": "another title"},
    "putMember": {"rights": ["read"]},
    "updateMember": {"suspended": True},
    "updateCollection": {"retention": {"added": 7776000}},
    "createCollection": {"title": "one more"},
    "putCollectionRights": {"can_read": None, "can_write": False},
    "putWitness": {"verifier_key": verifier_key("cirt-bb.example/witness", new_key(), COSIGNATURE).text},
}

QUERIES: Final = {
    "explainObject": "object=indicator--d81f86b9-975b-4c0b-875e-810c5ad45a4f",
    "getLogInclusion": "index=0",
    "getLogConsistency": "old=1",
}


def path_values(cast: Cast) -> dict[str, str]:
    """Return what the requests of the table are about."""
    return {
        "slug": "alpha",
        "handle": "bb",
        "id": str(cast.ids["analyst"]),
        "kid": cast.kids["bb"],
        "ref": "indicators",
        "stix_id": "indicator--d81f86b9-975b-4c0b-875e-810c5ad45a4f",
        "author_identity": VENDOR,
        "name": "9d1f2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6",
        "proposal": "9d1f2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6",
        "agreement": "0b9a5c1e-6c0d-4a53-8f0b-4f1f1f5f6c7a",
        "connector": "misp-in",
        "run": "9d1f2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6",
        "index": "0",
        "witness": "cirt-bb",
        "export_token": "9d1f2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6",
        "format": "ip",
        "submission": "2d086da7-4bdc-4f91-900e-d77486753710",
    }
