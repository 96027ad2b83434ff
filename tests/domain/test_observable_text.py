"""Observables as analysts write them: what is refanged, what a text is, what is found in it; and nothing is slow."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.observable_text import Observable, ObservableType, detect, find_all, is_type, refang

T = ObservableType
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

REFANGED = [
    ("hxxp://evil.example/", "http://evil.example/"),
    ("hxxps://evil.example/", "https://evil.example/"),
    ("hXXpS://evil.example/", "https://evil.example/"),
    ("h**p://evil.example/", "http://evil.example/"),
    ("fxp://evil.example/", "ftp://evil.example/"),
    ("meow://evil.example/", "http://evil.example/"),
    ("http[:]//evil.example/", "http://evil.example/"),
    ("hxxps[://]evil.example/", "https://evil.example/"),
    ("http:[//]evil.example/", "http://evil.example/"),
    ("http(:)//evil.example/", "http://evil.example/"),
    ("http:\\\\evil.example/", "http://evil.example/"),
    ("evil[.]example", "evil.example"),
    ("evil(.)example", "evil.example"),
    ("evil{.}example", "evil.example"),
    ("evil<.>example", "evil.example"),
    ("evil[dot]example", "evil.example"),
    ("evil(DOT)example", "evil.example"),
    ("evil [.] example", "evil.example"),
    ("evil [ dot ] example", "evil.example"),
    ("evil[.example", "evil.example"),
    ("evil.]example", "evil.example"),
    ("evil\\.example", "evil.example"),
    ("192[.]0[.]2[.]1", "192.0.2.1"),
    ("2001[:]db8[:][:]1", "2001:db8::1"),
    ("a[@]evil.example", "a@evil.example"),
    ("a(at)evil[dot]example", "a@evil.example"),
    ("a [at] evil [dot] example", "a@evil.example"),
    ("evil\u200b.example", "evil.example"),
    ("http://evil[.]example[/]x", "http://evil.example/x"),
    ("http://[2001:db8::1]/", "http://[2001:db8::1]/"),
    ("nothing to do here", "nothing to do here"),
]

DETECTED = [
    ("192.0.2.1", T.IPV4, "192.0.2.1", None),
    (" 192.0.2.1\t", T.IPV4, "192.0.2.1", None),
    ("192.0.2.1:8080", T.IPV4, "192.0.2.1", 8080),
    ("192.0.2.0/24", T.IPV4, "192.0.2.0/24", None),
    ("192.0.2.77/24", T.IPV4, "192.0.2.0/24", None),
    ("192.0.2.1/32", T.IPV4, "192.0.2.1", None),
    ("0.0.0.0/0", T.IPV4, "0.0.0.0/0", None),
    ("192[.]0[.]2[.]1", T.IPV4, "192.0.2.1", None),
    ("2001:DB8:0::1", T.IPV6, "2001:db8::1", None),
    ("2001:db8::/32", T.IPV6, "2001:db8::/32", None),
    ("2001:db8::1/128", T.IPV6, "2001:db8::1", None),
    ("[2001:db8::1]", T.IPV6, "2001:db8::1", None),
    ("[2001:db8::1]:443", T.IPV6, "2001:db8::1", 443),
    ("::ffff:c000:201", T.IPV6, "::ffff:192.0.2.1", None),
    ("Evil.Example.", T.DOMAIN, "evil.example", None),
    ("evil.example:8443", T.DOMAIN, "evil.example", 8443),
    ("_dmarc.evil.example", T.DOMAIN, "_dmarc.evil.example", None),
    ("bücher.example", T.DOMAIN, "xn--bcher-kva.example", None),
    ("straße.example", T.DOMAIN, "xn--strae-oqa.example", None),
    ("правда.рф", T.DOMAIN, "xn--80aafi6cg.xn--p1ai", None),
    ("例え。jp", T.DOMAIN, "xn--r8jz45g.jp", None),
    ("xn--bcher-kva.example", T.DOMAIN, "xn--bcher-kva.example", None),
    ("evil[.]zip", T.DOMAIN, "evil.zip", None),
    ("hxxp://Evil[.]Example/Path?Q=[.]", T.URL, "http://evil.example/Path?Q=.", None),
    ("HTTPS://EVIL.example:8443", T.URL, "https://evil.example:8443", None),
    ("ftp://user:word@evil.example/x", T.URL, "ftp://user:word@evil.example/x", None),
    ("http://bücher.example/ä|b%zz", T.URL, "http://xn--bcher-kva.example/%C3%A4%7Cb%25zz", None),
    ("http://192.0.2.1/x", T.URL, "http://192.0.2.1/x", None),
    ("http://[2001:DB8::1]:8080/x", T.URL, "http://[2001:db8::1]:8080/x", None),
    ("http://intranet/x", T.URL, "http://intranet/x", None),
    ("evil.example/gate.php", T.URL, "http://evil.example/gate.php", None),
    ("192.0.2.1/gate.php", T.URL, "http://192.0.2.1/gate.php", None),
    ("Evil.Sender@Evil.Example", T.EMAIL, "Evil.Sender@evil.example", None),
    ("mailto:a@evil.example", T.EMAIL, "a@evil.example", None),
    ("a+b[at]evil(dot)example", T.EMAIL, "a+b@evil.example", None),
    ("D41D8CD98F00B204E9800998ECF8427E", T.MD5, "d41d8cd98f00b204e9800998ecf8427e", None),
    ("da39a3ee5e6b4b0d3255bfef95601890afd80709", T.SHA1, "da39a3ee5e6b4b0d3255bfef95601890afd80709", None),
    (SHA256, T.SHA256, SHA256, None),
    ("0" * 128, T.SHA512, "0" * 128, None),
    ("cve-2026-12345", T.CVE, "CVE-2026-12345", None),
    ("00:11:22:AA:BB:CC", T.MAC, "00:11:22:aa:bb:cc", None),
    ("00-11-22-aa-bb-cc", T.MAC, "00:11:22:aa:bb:cc", None),
    ("0011.22aa.bbcc", T.MAC, "00:11:22:aa:bb:cc", None),
    ("AS64500", T.AS, "AS64500", None),
    ("asn 64500", T.AS, "AS64500", None),
    ("invoice.zip", T.FILE_NAME, "invoice.zip", None),
    ("Meine Rechnung.docm", T.FILE_NAME, "Meine Rechnung.docm", None),
]

NOTHING = [
    "",
    "   ",
    "evil",
    "256.0.2.1",
    "192.0.2",
    "192.0.2.1.5",
    "192.0.2.1/33",
    "192.0.2.1:0",
    "192.0.2.1:65536",
    "192.0.02.1",
    "2001:db8::1/129",
    "2001:db8:::1",
    "fe80::1%eth0",
    "-evil.example",
    "evil-.example",
    "evil..example",
    "evil.example:99999",
    "evil.e",
    "a" * 64 + ".example",
    "a." * 127 + "example",
    "http://",
    "http:///x",
    "http://evil .example/",
    "http://evil.example:x/",
    "http://2001:db8::1/",
    "http://1234/",
    "@evil.example",
    "a@evil",
    "a..b@evil.example",
    "a b@evil.example",
    "d41d8cd98f00b204e9800998ecf8427",
    "g41d8cd98f00b204e9800998ecf8427e",
    "CVE-26-1",
    "AS0",
    "AS4294967296",
    "00:11:22:aa:bb",
    "00:11-22:aa:bb:cc",
    "C:\\Windows\\evil.exe",
    "a" * 5_000,
]


@pytest.mark.parametrize(("written", "plain"), REFANGED, ids=[written for written, _ in REFANGED])
def test_what_was_defanged_is_put_back(written: str, plain: str) -> None:
    assert refang(written) == plain


@pytest.mark.parametrize(("text", "kind", "value", "port"), DETECTED, ids=[row[0] for row in DETECTED])
def test_a_text_is_told_by_its_form(text: str, kind: ObservableType, value: str, port: int | None) -> None:
    found = detect(text)
    assert found is not None
    assert (found.type, found.value, found.port) == (kind, value, port)
    again = detect(value)
    assert again is not None
    if kind is not T.DOMAIN or not value.endswith(".zip"):
        assert (again.type, again.value) == (kind, value), "the normal form is its own normal form"


@pytest.mark.parametrize("text", NOTHING, ids=[text[:30] or "empty" for text in NOTHING])
def test_what_has_no_form_is_nothing(text: str) -> None:
    assert detect(text) is None


def test_only_what_was_supplied_is_a_guess() -> None:
    assert detect("evil.example/x") == Observable(T.URL, "http://evil.example/x", guessed=True)
    assert detect("http://evil.example/x") == Observable(T.URL, "http://evil.example/x")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("evil.zip", T.DOMAIN, "evil.zip"),
        ("evil.zip", T.FILE_NAME, "evil.zip"),
        ("README", T.FILE_NAME, "README"),
        ("64500", T.AS, "AS64500"),
        ("evil.example/x", T.URL, "http://evil.example/x"),
        ("192.0.2.1", T.IPV6, None),
        ("2001:db8::1", T.IPV4, None),
        (SHA256, T.MD5, None),
        ("not a name", T.DOMAIN, None),
        ("..\\evil.exe", T.FILE_NAME, None),
    ],
)
def test_a_known_type_is_taken_at_its_word_and_nothing_else_is(
    text: str, kind: ObservableType, value: str | None
) -> None:
    found = is_type(text, kind)
    assert (None if found is None else (found.type, found.value)) == (None if value is None else (kind, value))


PROSE = [
    ("The host 192.0.2.7.", [("192.0.2.7", "192.0.2.7")]),
    ("(192.0.2.7:8080), [192.0.2.8]", [("192.0.2.7", "192.0.2.7:8080"), ("192.0.2.8", "192.0.2.8")]),
    ("see hxxps://bad[.]example[.]net/x.", [("https://bad.example.net/x", "hxxps://bad[.]example[.]net/x")]),
    ("<https://a.example/>", [("https://a.example/", "https://a.example/")]),
    ("(https://a.example/b_(c))", [("https://a.example/b_(c)", "https://a.example/b_(c)")]),
    ("https://a.example/b,https://c.example/d", [("https://a.example/b",) * 2, ("https://c.example/d",) * 2]),
    ("src=192.0.2.1;dst:192.0.2.2", [("192.0.2.1",) * 2, ("192.0.2.2",) * 2]),
    ("192.0.2.1->192.0.2.2", [("192.0.2.1",) * 2, ("192.0.2.2",) * 2]),
    ("url=http://a.example/x", [("http://a.example/x",) * 2]),
    ("bad [.] example [.] net is bad", [("bad.example.net", "bad [.] example [.] net")]),
    ("write to x[at]bad[.]example!", [("x@bad.example", "x[at]bad[.]example")]),
    ('"evil.top"', [("evil.top", "evil.top")]),
    (f"sha256:{SHA256}", [(SHA256, SHA256)]),
    ("fixed in CVE-2026-1234, AS64500", [("CVE-2026-1234",) * 2, ("AS64500",) * 2]),
    ("run setup.exe now", [("setup.exe",) * 2]),
    ("the end.Next sentence, e.g. this, i.e. that, v1.2.3, 10:30", []),
    ("and/or either.or Node", []),
    ("evil.unknownending is no host, evil[.]unknownending is", [("evil.unknownending", "evil[.]unknownending")]),
]


@pytest.mark.parametrize(("text", "expected"), PROSE, ids=[row[0][:40] for row in PROSE])
def test_observables_are_found_in_prose_with_their_place(text: str, expected: list[tuple[str, str]]) -> None:
    found = find_all(text)
    assert [(one.value, text[slice(*one.span)]) for one in found] == expected


_LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
_DOMAIN = st.builds(
    lambda labels, end: ".".join([*labels, end]), st.lists(_LABEL, min_size=1, max_size=4), st.just("com")
)
_PATH = st.from_regex(r"(/[a-zA-Z0-9_.~-]{0,8}){0,4}(\?[a-z0-9=&]{0,8})?", fullmatch=True)
_VALUE = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda ip: str(ip) if ip.ipv4_mapped is None else f"::ffff:{ip.ipv4_mapped}"),
    st.ip_addresses(v=4).flatmap(
        lambda ip: st.integers(0, 31).map(lambda n: str(ipaddress.ip_network((ip, n), False)))
    ),
    _DOMAIN,
    st.builds(lambda host, path: f"http://{host}{path}", _DOMAIN, _PATH),
    st.builds(lambda name, host: f"{name}@{host}", _LABEL, _DOMAIN),
    st.binary(min_size=32, max_size=32).map(bytes.hex),
    st.integers(1, 2**32 - 1).map(lambda number: f"AS{number}"),
)
_STYLES: list[Callable[[str], str]] = [
    lambda text: text.replace(".", "[.]"),
    lambda text: text.replace(".", "(dot)").replace("@", "[at]"),
    lambda text: text.replace(".", " [dot] ").replace("http", "hxxp"),
    lambda text: text.replace("://", "[:]//").replace(".", "{.}"),
    lambda text: text.replace("http://", "hXXp[://]"),
    lambda text: text.replace("@", "(@)").replace(":", "[:]"),
]


@settings(max_examples=80, deadline=None)
@given(value=_VALUE, style=st.sampled_from(_STYLES))
def test_a_normal_form_is_found_again_however_it_was_defanged(value: str, style: Callable[[str], str]) -> None:
    plain = detect(value)
    assert plain is not None
    assert plain.value == value
    assert detect(style(value)) == plain


@settings(max_examples=120, deadline=None)
@given(st.text(max_size=300) | st.text(alphabet="htp:/.[]()at dot1:", max_size=300))
def test_what_is_found_is_what_stands_there(text: str) -> None:
    found = find_all(text)
    behind = 0
    for one in found:
        start, end = one.span
        assert behind <= start < end <= len(text)
        behind = end
        assert detect(text[start:end]) == one.observable


@pytest.mark.parametrize(
    "piece",
    ["a", ".", "[.]", "a.", "1.", "[", "http://", "a@", "::", "(dot)", " [", "hxxp[:]//", "a,", "x=", "\u200b", "\\"],
)
def test_the_work_grows_with_the_length_and_no_faster(piece: str) -> None:
    """Counted in steps of the interpreter, not in seconds: four times the text is at most some five times the work."""

    def steps(length: int) -> int:
        text, count = (piece * length)[:length], 0

        def tick(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(tick)
        try:
            find_all(text)
            detect(text)
            refang(text)
        finally:
            sys.setprofile(None)
        return count

    assert steps(16_000) <= 6 * steps(4_000) + 200


def test_a_long_text_of_nothing_is_read_at_once() -> None:
    for piece in ("[", "a.", "http[:", "1[.]", "(at", " [.", "a@b.", "h*"):
        find_all((piece * 25_000)[:50_000])  # a quadratic expression would take hours, and the suite has a time limit
