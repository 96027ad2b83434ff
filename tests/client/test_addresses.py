"""Which addresses are somebody else's public ones, in every spelling that leads somewhere else."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.client.addresses import is_loopback, is_public, origin, read_url, system_resolver
from hub.errors import ConfigError


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.3.0",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
        "2002:101:101::1",
    ],
)
def test_an_ordinary_host_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - nothing is bound to it
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:0.0.0.0",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:100.64.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::1",
        "2002:c0a8:1::1",
        "3fff::1",
        "5f00::1",
        "4000::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%lo",
        "fec0::1",
        "ff02::1",
        "",
        "hub.example",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
    ],
)
def test_what_is_special_is_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_in_ipv6_changes_nothing(address: ipaddress.IPv4Address) -> None:
    plain = is_public(str(address))
    for wrapped in (
        int(ipaddress.IPv6Address("::ffff:0:0")) | int(address),
        int(ipaddress.IPv6Address("64:ff9b::")) | int(address),
        int(ipaddress.IPv6Address("2002::")) | int(address) << 80,
    ):
        assert is_public(str(ipaddress.IPv6Address(wrapped))) == plain


@given(st.ip_addresses())
def test_python_finds_nothing_special_that_passes_here(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    embeds = isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.sixtofour)
    if is_public(str(address)) and not embeds and address not in ipaddress.ip_network("64:ff9b::/96"):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("128.0.0.1", False),
        ("::2", False),
        ("localhost", False),
    ],
)
def test_this_machine_is_known(address: str, own: bool) -> None:
    assert is_loopback(address) is own


@pytest.mark.parametrize("name", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1"])
def test_odd_spellings_of_an_address_are_resolved_before_they_are_judged(name: str) -> None:
    assert [is_public(address) for address in system_resolver(name, 443)] == [False]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://hub.example/a", "https://HUB.example:443/b?c", True),
        ("http://hub.example", "http://hub.example:80/", True),
        ("https://hub.example./", "https://hub.example/", True),
        ("https://hub.example/", "http://hub.example/", False),
        ("https://hub.example/", "https://hub.example:8443/", False),
        ("https://hub.example/", "https://hub.example.evil.example/", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    assert (origin(one) == origin(other)) is same


@pytest.mark.parametrize(
    "url", ["", "hub.example", "file:///etc/passwd", "https://", "https://u@h.example/", "https://h:0/", "https://[::"]
)
def test_an_address_without_host_or_with_a_credential_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_url(url)
    assert refused.value.field == "url"
