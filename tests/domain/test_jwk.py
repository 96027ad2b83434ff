"""Keys as JSON Web Keys: those of the RFCs come out as printed there."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from hub.client import keyfile
from hub.domain.jwk import jwk, jwk_set
from hub.domain.key_material import private_key, public_key
from tests.domain.signing import AUTHOR, enrolled


def test_the_key_of_rfc_8037_comes_out_as_printed() -> None:
    key = public_key("MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo", allow_test_key=True)
    found = jwk(enrolled(kid=key.kid, public_key=key.text))
    assert {name: found[name] for name in ("kty", "crv", "x")} == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }
    assert (found["kid"], found["x_cybex_identity"]) == (key.kid, AUTHOR)


def test_a_key_of_p_256_has_its_coordinates() -> None:
    pair = ec.generate_private_key(ec.SECP256R1())
    numbers = pair.public_key().public_numbers()
    key = private_key(pair)
    found = jwk(enrolled(key))
    for name, number in (("x", numbers.x), ("y", numbers.y)):
        assert int.from_bytes(base64.urlsafe_b64decode(found[name] + "="), "big") == number
    assert (found["kty"], found["crv"], found["alg"]) == ("EC", "P-256", "ES256")


def test_a_key_of_ml_dsa_65_is_an_algorithm_key_pair() -> None:
    """RFC 9964: ``AKP`` with ``alg`` and the raw public key in ``pub``."""
    pair = keyfile.generate("ML-DSA-65")
    found = jwk(enrolled(pair))
    assert (found["kty"], found["alg"]) == ("AKP", "ML-DSA-65")
    assert len(base64.urlsafe_b64decode(found["pub"] + "==")) == 1952


def test_a_set_keeps_the_order_and_an_unknown_algorithm_is_a_fault_of_the_program() -> None:
    keys = [enrolled(private_key(ed25519.Ed25519PrivateKey.generate())) for _ in range(3)]
    assert [one["kid"] for one in jwk_set(keys)["keys"]] == [key.kid for key in keys]
    with pytest.raises(ValueError, match="no registered JWK"):
        jwk(enrolled(algorithm="RS256"))
