"""Key files: private, never replaced, readable again."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from hub.client import keyfile
from hub.errors import ConfigError, Conflict

_IDENTITY = "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff"


@pytest.mark.parametrize("algorithm", ["Ed25519", "ES256"])
def test_a_key_is_read_as_it_was_written(tmp_path: Path, algorithm: str) -> None:
    key = keyfile.generate(algorithm)
    keyfile.write(tmp_path / "aa.pem", key)

    read = keyfile.read(tmp_path / "aa.pem")

    assert read.public == key.public
    assert read.algorithm == algorithm
    assert read.public.verifies(key.sign(b"x"), b"x")


def test_two_keys_differ() -> None:
    assert keyfile.generate().public.kid != keyfile.generate().public.kid


def test_only_the_owner_may_read_a_private_key(tmp_path: Path) -> None:
    keyfile.write(tmp_path / "aa.pem", keyfile.generate())

    assert stat.S_IMODE((tmp_path / "aa.pem").stat().st_mode) == 0o600


def test_a_file_is_never_replaced_nor_a_link_followed(tmp_path: Path) -> None:
    (tmp_path / "aa.pem").write_text("precious")
    (tmp_path / "link.pem").symlink_to(tmp_path / "elsewhere")

    for name in ("aa.pem", "link.pem"):
        with pytest.raises(Conflict):
            keyfile.write(tmp_path / name, keyfile.generate())
    assert (tmp_path / "aa.pem").read_text() == "precious"
    assert not (tmp_path / "elsewhere").exists()


def test_a_place_that_cannot_be_written_is_named_as_the_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        keyfile.write(tmp_path / "none" / "aa.pem", keyfile.generate())


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of"):
        keyfile.generate("RS256")


def test_files_that_hold_no_usable_key_are_refused(tmp_path: Path) -> None:
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    pkcs8 = PrivateFormat.PKCS8
    contents = {
        "empty": b"",
        "damaged": keyfile.generate().unprotected_pem()[:60],
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            Encoding.PEM, pkcs8, NoEncryption()
        ),
        "encrypted": ed25519.Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, pkcs8, BestAvailableEncryption(b"x")
        ),
        "published": ed25519.Ed25519PrivateKey.from_private_bytes(seed).private_bytes(
            Encoding.PEM, pkcs8, NoEncryption()
        ),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigError):
            keyfile.read(tmp_path / name)
    with pytest.raises(ConfigError, match="cannot be read"):
        keyfile.read(tmp_path / "missing")


def test_the_identity_beside_a_key_counts_for_that_key_only(tmp_path: Path) -> None:
    key = keyfile.generate()
    path = tmp_path / "aa.pem"
    assert keyfile.identity_beside(path, key) is None

    public = keyfile.write_public(path, key, _IDENTITY)

    assert public == tmp_path / "aa.pub.json"
    assert keyfile.identity_beside(path, key) == _IDENTITY
    assert keyfile.identity_beside(path, keyfile.generate()) is None
    assert "PRIVATE" not in public.read_text()
    public.write_text("[]")
    assert keyfile.identity_beside(path, key) is None
