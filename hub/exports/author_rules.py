"""YARA, Sigma and Snort indicators as their authors wrote them, joined as text.

Each is looked at only as far as to be sure that it ends where it ends: one that could swallow, hide or switch off what
comes after it, or that reads files of the reader's machine, is left out. Whether it is a good rule is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from hub.domain import limits, tlp
from hub.domain.permitted_use import Use
from hub.exports import remarks
from hub.exports.indicators import Indicator
from hub.exports.request import Request, Write
from hub.exports.shared import PAP

UNSAFE: Final = "rule that cannot stand among others"
OVER_LONG: Final = "over-long rule"

_BLOCKING: Final = frozenset({"drop", "sdrop", "reject", "block"})
_NETWORK_RULE: Final = re.compile(
    r"(alert|drop|sdrop|reject|block) [a-z0-9_-]{1,32}( [^\s();\"]{1,2000} [^\s();\"]{1,2000} (->|<>)"
    r" [^\s();\"]{1,2000} [^\s();\"]{1,2000})? \((?:[^\"\\()]|\\.|\((?:[^\"\\()]|\\.)*\)|\"(?:[^\"\\]|\\.)*\")*\)",
    re.ASCII,
)
_TOUCHES_FILES: Final = re.compile(r"[(;\s](lua|luajit|dataset|datarep|filemd5|filesha1|filesha256|include)\s*:")
_STRINGS: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"")
_YARA: Final = re.compile(
    r"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
  | (?P<string> "(?:[^"\\\n]|\\[^\n])*" )
  | (?P<regex> /(?:[^/\\\n*]|\\[^\n])(?:[^/\\\n]|\\[^\n])*/[is]* )
  | (?P<open> \{ ) | (?P<close> \} )
  | (?P<bad> ["/] )
  | (?P<word> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_YARA_NAME: Final = re.compile(r"\brule\s+([A-Za-z_][A-Za-z0-9_]{0,127})\b")


def _written(
    mark: str, language: str, need: Use, takes: Callable[[str, set[str]], bool], between: str, request: Request
) -> Iterator[bytes]:
    account = request.account
    yield remarks.head(mark, language, request.source)
    names: set[str] = set()
    for indicator in request.chosen(need, language):
        text = _text(indicator)
        reason = _refusal(text, indicator, takes, names)
        if reason is not None:
            account.leave_out(reason)
            continue
        account.entries += 1
        account.give(indicator.shared)
        level = tlp.label(indicator.shared.level)
        yield f"{between}{mark} {indicator.stix['id']} {level}\n{text}\n".encode()
    yield (between + "").encode() + remarks.summary(mark, account) + remarks.tail(mark, account)


def _text(indicator: Indicator) -> str:
    text = indicator.stix.get("pattern")
    return text.replace("\r\n", "\n").strip("\n") if isinstance(text, str) else ""


def _refusal(text: str, indicator: Indicator, takes: Callable[[str, set[str]], bool], names: set[str]) -> str | None:
    if len(text) > limits.EXPORT_PATTERN_LENGTH:
        return OVER_LONG
    if not text.strip() or any(not mark.isprintable() and mark not in "\n\t" for mark in text):
        return UNSAFE
    if text.split(" ", 1)[0] in _BLOCKING and indicator.use < Use.BLOCK:
        return PAP
    return None if takes(text, names) else UNSAFE


def _is_network_rules(text: str, names: set[str]) -> bool:
    """Say whether each line is a rule that alerts or blocks, or empty; one that lets pass would switch others off."""
    del names
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return len(lines) == 1 and _is_network_rule(lines[0])


def _is_network_rule(line: str) -> bool:
    if _NETWORK_RULE.fullmatch(line) is None:
        return False
    return _TOUCHES_FILES.search(_STRINGS.sub('""', line)) is None


def _is_sigma(text: str, names: set[str]) -> bool:
    """Say whether the text can be one document of a YAML stream: nothing in it begins or ends a document."""
    del names
    lines = text.split("\n")
    apart = any(line.startswith(("---", "...", "%")) for line in lines)
    tabs = any(line[: len(line) - len(line.lstrip())].count("\t") for line in lines)
    return not apart and not tabs and any(line.startswith("detection:") for line in lines)


def _is_yara(text: str, names: set[str]) -> bool:
    """Say whether every comment, string and brace is closed, no file is included, and no name is taken already."""
    depth, bare = 0, []
    for match in _YARA.finditer(text):
        kind = match.lastgroup
        if kind == "bad" or (kind == "word" and match[0] == "include"):
            return False
        depth += (kind == "open") - (kind == "close")
        if depth < 0:
            return False
        if depth == 0:
            bare.append(" " if kind in ("comment", "string", "regex") else match[0])
    found = _YARA_NAME.findall("".join(bare))
    if depth or not found or len(set(found)) < len(found) or names & set(found):
        return False
    names.update(found)
    return True


yara: Final[Write] = partial(_written, "//", "yara", Use.WATCH, _is_yara, "")
sigma: Final[Write] = partial(_written, "#", "sigma", Use.SEARCH, _is_sigma, "---\n")
snort: Final[Write] = partial(_written, "#", "snort", Use.WATCH, _is_network_rules, "")
suricata: Final[Write] = partial(_written, "#", "suricata", Use.WATCH, _is_network_rules, "")
