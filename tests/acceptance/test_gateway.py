"""An unmodified TAXII client that signs nothing posts through `cybex gateway` into a group that requires signatures."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import requests
from taxii2client.v21 import Collection

from hub.bootstrap import open_hub_at
from hub.client import keyfile
from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.services import collections, credentials, groups, keys, members, peers, relay_rights
from hub.services.actor import LOCAL_OPERATOR
from tests.acceptance.processes import BIN, RunningHub, clean_environment, free_port, running_hub, start


def make_group(running: RunningHub, folder: Path) -> dict[str, str]:
    """Make alpha, where signatures are required, with AA that signs nothing, its gateway GW, and the reader BB."""
    hub = open_hub_at(running.data_dir)
    pair = keyfile.generate()
    keyfile.write(folder / "gw.pem", pair)
    made: dict[str, str] = {}
    groups.add(hub, LOCAL_OPERATOR, slug="alpha", title="Alpha", signature_required=True)
    for handle in ("aa", "gw", "bb"):
        made[handle] = peers.add(hub, LOCAL_OPERATOR, handle=handle, name=handle, kind=PeerKind.NATIONAL).identity
        members.put(hub, LOCAL_OPERATOR, "alpha", handle, {Right.READ, Right.WRITE})
        issued = credentials.add(
            hub, LOCAL_OPERATOR, handle, kind=CredentialKind.BEARER, role=Role.ANALYST, label="test"
        )
        (folder / f"{handle}.token").write_text(str(issued.secret))
    keys.enrol(hub, LOCAL_OPERATOR, "gw", public_key=pair.public.text)
    relay_rights.grant(hub, LOCAL_OPERATOR, "alpha", "gw", made["aa"])
    keyfile.write_public(folder / "gw.pem", pair, made["gw"])
    rows = collections.listed(hub, LOCAL_OPERATOR, "alpha")[1]
    made["collection"] = next(row.uuid for row, _ in rows if row.alias == "indicators")
    hub.db.close()
    return made


def indicator(author: str) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid4()}",
        "created_by_ref": author,
        "created": "2026-03-01T10:00:00.000Z",
        "modified": "2026-03-01T10:00:00.000Z",
        "name": "beacon",
        "pattern": "[domain-name:value = 'update.example.com']",
        "pattern_type": "stix",
        "valid_from": "2026-03-01T10:00:00Z",
    }


def test_a_client_that_cannot_sign_is_vouched_for_and_its_readers_see_by_whom(tmp_path: Path) -> None:
    with running_hub(tmp_path) as running:
        made = make_group(running, tmp_path)
        port = free_port()
        gateway = start(
            [BIN / "cybex", "gateway", "--listen", f"127.0.0.1:{port}", "--url", f"{running.base_url}alpha/",
             "--token-file", tmp_path / "gw.token", "--key", tmp_path / "gw.pem", "--for", made["aa"]],
            clean_environment(),
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}/alpha/collections/{made['collection']}/"
            gateway.wait_until(lambda: _answers(url))
            collection = Collection(url)
            sent = indicator(made["aa"])
            direct = requests.post(
                f"{running.base_url}alpha/collections/{made['collection']}/objects/",
                data=json.dumps({"objects": [sent]}),
                headers=_headers(tmp_path / "gw.token"),
                timeout=30,
            ).json()
            assert direct["failure_count"] == 1

            status = collection.add_objects({"objects": [sent]})
            assert (status.status, status.failure_count, status.success_count) == ("complete", 0, 2)
            again = collection.add_objects({"objects": [sent]})
            assert again.success_count == 2
            by_somebody_else = collection.add_objects({"objects": [indicator(made["bb"])]})
            assert by_somebody_else.success_count == 0
            assert sent in collection.get_objects(id=sent["id"])["objects"]

            listed = requests.get(
                f"{running.base_url}api/v1/objects/{sent['id']}/signatures",
                headers={"Authorization": _headers(tmp_path / "bb.token")["Authorization"]},
                timeout=30,
            ).json()["signatures"]
            assert [(one["handle"], one["role"], one["standing"], one["counts"]) for one in listed] == [
                ("gw", "vouched", "valid", True)
            ]
            assert "vouched by" in running.cybex("signatures", sent["id"])
            asked = requests.get(f"http://127.0.0.1:{port}/api/v1/peers", timeout=30)
            assert asked.status_code == 404
            rebound = requests.get(url, headers={"Host": "evil.example"}, timeout=30)
            assert rebound.status_code == 421
        finally:
            gateway.stop()


def _headers(token: Path) -> dict[str, str]:
    taxii = "application/taxii+json;version=2.1"
    return {"Authorization": f"Bearer {token.read_text()}", "Content-Type": taxii, "Accept": taxii}


def _answers(url: str) -> bool:
    try:
        return requests.get(url, headers={"Accept": "application/taxii+json;version=2.1"}, timeout=5).ok
    except requests.RequestException:
        return False
