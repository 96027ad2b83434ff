"""``cybex export`` and ``cybex export-token`` against a real hub behind a socket."""

from __future__ import annotations

import json
from pathlib import Path

import requests

from hub.domain.membership import CredentialKind, Role
from hub.services import credentials
from hub.services.actor import LOCAL_OPERATOR
from tests.cli.operation import run, succeed
from tests.client.hub_server import HubServer


def test_an_export_by_hand_and_at_an_address_of_its_own(running: HubServer, tmp_path: Path) -> None:
    where = ("--url", running.api_root, "--token-file", running.token_file("aa", tmp_path))
    assert "role feed" in str(run("export-token", "new", "ip", "--label", "fw", *where).exception)
    analyst = credentials.add(
        running.hub, LOCAL_OPERATOR, "aa", kind=CredentialKind.BEARER, role=Role.ANALYST, label="people"
    )
    (tmp_path / "aa.token").write_text(f"{analyst.secret}\n")
    printed = succeed("export", "ip", *where, "--set", "min_confidence=50")
    assert printed.startswith("# cybex export: ip\n# from: alpha, for: aa\n")
    assert printed.endswith("# end of list, 0 entries\n")
    made = json.loads(succeed("export-token", "new", "domain", "--label", "fw", "--json", *where))
    answer = requests.get(made["url"], timeout=10)
    assert answer.text.startswith("# cybex export: domain\n")
    assert "ETag" in answer.headers
    listed = json.loads(succeed("export-token", "list", "--json", *where))
    assert [(one["id"], one["label"]) for one in listed] == [(made["id"], "fw")]
    assert "url" not in listed[0]
    succeed("export-token", "revoke", made["id"], *where)
    assert requests.get(made["url"], timeout=10).status_code == 404


def test_what_is_missing_or_wrong_is_said(running: HubServer, tmp_path: Path) -> None:
    where = ("--url", running.api_root, "--token-file", running.token_file("aa", tmp_path))
    assert "--as PEER" in run("export", "ip").output
    assert "NAME=VALUE" in run("export", "ip", *where, "--set", "x").output
    assert "there is no such option" in str(run("export", "ip", *where, "--set", "x=1").exception)
    assert run("export", "ip", *where, "--collection", "nothing").exit_code == 1
