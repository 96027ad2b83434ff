"""Signed notes, cosignatures and checkpoints: the examples of C2SP, what Go signs, and no other form."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.client import keyfile
from hub.domain import checkpoint, limits, merkle, signed_note
from hub.domain.checkpoint import Checkpoint
from hub.domain.signed_note import COSIGNATURE, Note, parse_key, verified, verifier_key
from hub.errors import InvalidRequest, SignatureError
from tests.domain.tlog_vectors import C2SP, GO, GO_LEAVES, reference_root

KEY, WITNESS = keyfile.generate(), keyfile.generate()
ORIGIN = "hub.example/tlog"
LOG = verifier_key(ORIGIN, KEY.public)
COSIGNER = verifier_key("cirt.example/witness", WITNESS.public, COSIGNATURE)
TEXT = Checkpoint(ORIGIN, 3, b"r" * 32).text
NOTE = Note(
    TEXT,
    (
        signed_note.signed(TEXT, ORIGIN, KEY),
        signed_note.cosigned(TEXT, COSIGNER.name, WITNESS, 1_795_305_600),
    ),
)


def test_the_example_note_is_verified_and_its_key_is_written_as_it_was_read() -> None:
    key = parse_key(C2SP["verifier_key"])
    note = signed_note.parse(C2SP["note"].encode())
    assert verified(note, [key])[0][0].text == C2SP["verifier_key"]
    assert note.octets.decode() == C2SP["note"]


def test_the_example_checkpoint_is_read() -> None:
    note = signed_note.parse(C2SP["checkpoint"].encode())
    read = checkpoint.parse(note.text)
    assert (read.origin, read.size, read.text) == ("example.com/behind-the-sofa", 20_852_163, note.text)


@pytest.mark.parametrize("size", sorted(GO["checkpoints"], key=int))
def test_what_go_signs_and_cosigns_is_verified(size: str) -> None:
    note = signed_note.parse(GO["checkpoints"][size].encode())
    keys = [parse_key(GO["verifier_key"]), parse_key(GO["cosigner_key"])]
    assert [key.text for key, _ in verified(note, keys)] == [GO["verifier_key"], GO["cosigner_key"]]
    assert signed_note.time_of(note.signatures[1]) == 1_795_305_600 + int(size)
    leaves = [merkle.leaf_hash(data) for data in GO_LEAVES[: int(size)]]
    assert checkpoint.parse(note.text) == Checkpoint("go.example/tlog", int(size), reference_root(leaves))


def test_a_note_of_ours_is_verified_by_both_keys() -> None:
    read = signed_note.parse(NOTE.octets)
    assert read == NOTE
    assert [key.name for key, _ in verified(read, [LOG, COSIGNER])] == [LOG.name, COSIGNER.name]


@pytest.mark.parametrize("place", range(2))
def test_a_changed_octet_anywhere_in_text_or_signature_is_found(place: int) -> None:
    key = (LOG, COSIGNER)[place]
    forged = Note(NOTE.text.replace("3", "4", 1), NOTE.signatures)
    with pytest.raises(SignatureError, match="false"):
        verified(forged, [key])
    value = NOTE.signatures[place].value
    for at in range(len(value)):
        changed = bytearray(value)
        changed[at] ^= 1
        line = signed_note.Signature(key.name, key.key_id, bytes(changed))
        assert not key.verifies(NOTE.text, line), at


def test_a_line_by_an_unknown_key_says_nothing_and_one_false_line_spoils_the_note() -> None:
    stranger = verifier_key(ORIGIN, keyfile.generate().public)
    with pytest.raises(SignatureError, match="no key"):
        verified(NOTE, [stranger])
    with pytest.raises(SignatureError, match="no key"):
        verified(NOTE, [])
    false = signed_note.Signature(ORIGIN, LOG.key_id, b"x" * 64)
    with pytest.raises(SignatureError, match="false"):
        verified(Note(TEXT, (false, *NOTE.signatures)), [LOG, COSIGNER])


def test_a_signature_is_no_cosignature_and_the_reverse() -> None:
    same = verifier_key(ORIGIN, KEY.public, COSIGNATURE)
    assert same.key_id != LOG.key_id
    plain = signed_note.Signature(ORIGIN, same.key_id, NOTE.signatures[0].value)
    assert not same.verifies(TEXT, plain)
    timed = signed_note.cosigned(TEXT, ORIGIN, KEY, 1)
    assert not LOG.verifies(TEXT, signed_note.Signature(ORIGIN, LOG.key_id, timed.value))
    assert not LOG.verifies(TEXT, signed_note.Signature(ORIGIN, LOG.key_id, timed.value[8:]))


@pytest.mark.parametrize("at", [0, -1, 2**63])
def test_a_cosignature_has_a_time(at: int) -> None:
    with pytest.raises(ValueError, match="time"):
        signed_note.cosigned(TEXT, COSIGNER.name, WITNESS, at)
    assert signed_note.time_of(signed_note.Signature("w", b"1234", bytes(72))) is None
    assert signed_note.time_of(signed_note.Signature("w", b"1234", b"\x80" + bytes(71))) is None


SIG = "— a QUJDREVG\n"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"text\n",
        b"text\n\n",
        f"text\n{SIG}".encode(),
        f"text\n\n{SIG[:-1]}".encode(),
        f"text\n\n{SIG}\n".encode(),
        b"text\n\n- a QUJDREVG\n",
        "text\n\n—a QUJDREVG\n".encode(),
        "text\n\n—  QUJDREVG\n".encode(),
        "text\n\n— a+b QUJDREVG\n".encode(),
        "text\n\n— a\u00a0b QUJDREVG\n".encode(),
        "text\n\n— a QUJDRA==\n".encode(),  # a key id and nothing else
        "text\n\n— a QUJDREV\n".encode(),
        "text\n\n— a QUJDREVGR\n".encode(),
        "text\n\n— a QUJDREW=\n".encode(),  # stray bits
        "text\n\n— a QUJD REVG\n".encode(),
        "text\n\n— a\n".encode(),
        f"te\rxt\n\n{SIG}".encode(),
        f"te\0xt\n\n{SIG}".encode(),
        f"text\n\n{SIG}".encode().replace(b"\n\n", b"\n\n\xff"),
        f"text\n\n{SIG * (limits.NOTE_SIGNATURES + 1)}".encode(),
        b"x" * limits.NOTE_BYTES + f"\n\n{SIG}".encode(),
    ],
)
def test_what_is_no_note_is_refused(octets: bytes) -> None:
    with pytest.raises(InvalidRequest, match="malformed"):
        signed_note.parse(octets)


@given(st.binary(max_size=60) | st.text(alphabet="a\n —+Q=", max_size=60).map(str.encode))
def test_a_note_that_is_read_is_written_the_same(octets: bytes) -> None:
    for raw in (octets, b"text\n\n" + octets, octets + f"\n\n{SIG}".encode()):
        try:
            note = signed_note.parse(raw)
        except InvalidRequest:
            continue
        assert note.octets == raw


@given(
    st.text(alphabet=st.characters(min_codepoint=32), max_size=40),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)
def test_a_checkpoint_is_read_as_it_was_written(origin: str, size: int, root: bytes) -> None:
    made = Checkpoint(origin or "x", size, root, ("more",))
    assert checkpoint.parse(made.text) == made


ROOT = base64.b64encode(b"r" * 32).decode()


@pytest.mark.parametrize(
    "text",
    [
        *("", "\n", "o\n3\n", f"o\n3\n{ROOT}", f"\n3\n{ROOT}\n", f"o\n03\n{ROOT}\n", f"o\n-3\n{ROOT}\n"),
        *(f"o\n\n{ROOT}\n", f"o\n3\n{ROOT}\n\n", f"o\n3\n{ROOT}\n\nx\n", f"o\n+3\n{ROOT}\n", f"o\n3 \n{ROOT}\n"),
        *(f"o\n\u0663\n{ROOT}\n", f"o\n{2**63}\n{ROOT}\n", f"o\n3\n{ROOT[:-4]}\n", f"o\n3\n{ROOT.rstrip('=')}\n"),
        f"o\n3\n{ROOT[:-2]}J=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="checkpoint"):
        checkpoint.parse(text)


@pytest.mark.parametrize("break_it", ["upper", "id", "type", "length", "name", "space", "parts"])
def test_a_verifier_key_that_was_copied_wrongly_is_refused(break_it: str) -> None:
    name, key_id, material = LOG.text.split("+", 2)
    raw = base64.b64decode(material)
    broken = {
        "upper": f"{name}+{key_id.upper()}A+{material}",
        "id": f"{name}+{int(key_id, 16) ^ 1:08x}+{material}",
        "type": f"{name}+{key_id}+{base64.b64encode(bytes([2]) + raw[1:]).decode()}",
        "length": f"{name}+{key_id}+{base64.b64encode(raw[:-1]).decode()}",
        "name": f"x{name}+{key_id}+{material}",
        "space": f"{name} +{key_id}+{material}",
        "parts": f"{name}+{key_id}",
    }[break_it]
    with pytest.raises(InvalidRequest):
        parse_key(broken)


def test_a_weak_key_and_one_of_another_algorithm_are_refused() -> None:
    with pytest.raises(SignatureError):
        verifier_key("x", keyfile.generate("ES256").public)
    weak = b"\x01" + b"\x01" + bytes(31)
    text = f"x+{signed_note._key_id('x', 1, weak[1:]).hex()}+{base64.b64encode(weak).decode()}"
    with pytest.raises(SignatureError):
        parse_key(text)
