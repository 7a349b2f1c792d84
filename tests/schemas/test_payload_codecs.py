"""Values can be compressed and encrypted on their way to the log, and are bound to their place there."""

import builtins
import secrets
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farandole.schemas import (
    Chain,
    Compress,
    DeclarationError,
    EncodingError,
    Encrypt,
    Event,
    EventTypes,
    PayloadCodec,
    PayloadContext,
    UndecodableValue,
)

CONTEXT = PayloadContext("orders", "run-1", "event-1", "orders.Noted", bytes(range(8)))
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
CODECS: list[PayloadCodec] = [
    Compress(),
    Compress(at_least=0),
    Encrypt({"a": KEY}, active="a"),
    Chain(Compress(at_least=0), Encrypt({"a": KEY}, active="a")),
]


class Noted(Event):
    text: str


@pytest.mark.parametrize("codec", CODECS, ids=repr)
@given(value=st.binary(max_size=600))
def test_a_codec_gives_back_what_it_was_given(codec: PayloadCodec, value: bytes) -> None:
    assert codec.decode(codec.encode(value, CONTEXT), CONTEXT) == value


@pytest.mark.parametrize("codec", CODECS, ids=repr)
@given(value=st.binary(max_size=200))
def test_random_bytes_are_decoded_or_refused(codec: PayloadCodec, value: bytes) -> None:
    try:
        codec.decode(value, CONTEXT)
    except UndecodableValue as e:
        assert str(e).startswith("orders.Noted: ")


@pytest.mark.parametrize("codec", CODECS, ids=repr)
def test_events_pass_through_the_codec(codec: PayloadCodec) -> None:
    types = EventTypes("orders", [Noted], codec)
    event = Noted(text="secret " * 100)
    encoded = types.encode(event, CONTEXT._replace(schema=bytes(8)))
    assert encoded.coded
    assert b"secret secret" not in encoded.value
    assert (
        types.decode("orders.Noted", encoded.value, coded=True, context=CONTEXT._replace(schema=encoded.schema))
        == event
    )


def test_values_from_before_the_codec_stay_readable() -> None:
    plain = EventTypes("orders", [Noted]).encode(Noted(text="a"))
    assert not plain.coded
    assert EventTypes("orders", [Noted], Compress()).decode("orders.Noted", plain.value) == Noted(text="a")


def test_a_reader_without_the_codec_is_told() -> None:
    with pytest.raises(
        UndecodableValue, match="went through a payload codec, and orders has none here; give it the one"
    ):
        EventTypes("orders", [Noted]).decode("orders.Noted", b"", coded=True, context=CONTEXT)


def test_errors_of_a_codec_are_mapped() -> None:
    class Broken:
        def encode(self, value: bytes, context: PayloadContext, /) -> bytes:
            raise KeyError("secret")

        decode = encode

    types = EventTypes("orders", [Noted], Broken())
    with pytest.raises(EncodingError, match=r"^orders\.Noted: payload codec Broken failed to encode$"):
        types.encode(Noted(text="a"), CONTEXT)
    with pytest.raises(UndecodableValue, match=r"^orders\.Noted: payload codec Broken failed to decode$"):
        types.decode("orders.Noted", b"x", coded=True, context=CONTEXT)


def test_compression_is_kept_only_where_it_helps() -> None:
    codec = Compress(at_least=10)
    assert codec.encode(b"short", CONTEXT) == b"\x00short"
    noise = secrets.token_bytes(200)
    assert codec.encode(noise, CONTEXT) == b"\x00" + noise
    assert len(codec.encode(b"a" * 1000, CONTEXT)) < 50


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    bomb = b"\x01" + zlib.compress(bytes(50_000_000), 9)
    with pytest.raises(UndecodableValue, match="decompresses to more than 1000 bytes"):
        Compress(max_bytes=1000).decode(bomb, CONTEXT)


@pytest.mark.parametrize("damage", [slice(0, -1), slice(0, 3)])
def test_a_damaged_compressed_value_is_refused(damage: slice) -> None:
    with pytest.raises(UndecodableValue, match="the compressed value is damaged"):
        Compress().decode(Compress().encode(b"a" * 1000, CONTEXT)[damage], CONTEXT)


@pytest.mark.parametrize("field", PayloadContext._fields)
def test_an_encrypted_value_is_of_no_use_elsewhere(field: str) -> None:
    codec = Encrypt({"a": KEY}, active="a")
    value = codec.encode(b"hello", CONTEXT)
    elsewhere = CONTEXT._replace(**{field: b"12345678" if field == "schema" else "other"})
    with pytest.raises(UndecodableValue, match="was changed, was moved from another record, or key 'a' is another one"):
        codec.decode(value, elsewhere)


def test_two_contexts_are_never_the_same_bytes() -> None:
    assert CONTEXT._replace(run_id="ab", event_id="c").bytes() != CONTEXT._replace(run_id="a", event_id="bc").bytes()


def test_every_bit_of_an_encrypted_value_counts() -> None:
    codec = Encrypt({"a": KEY}, active="a")
    value = codec.encode(b"hello", CONTEXT)
    for i in range(len(value) * 8):
        changed = bytearray(value)
        changed[i // 8] ^= 1 << i % 8
        with pytest.raises(UndecodableValue):
            codec.decode(bytes(changed), CONTEXT)


def test_the_same_value_is_encrypted_differently_each_time() -> None:
    codec = Encrypt({"a": KEY}, active="a")
    assert codec.encode(b"hello", CONTEXT) != codec.encode(b"hello", CONTEXT)


def test_keys_are_rotated_without_touching_the_log() -> None:
    old = Encrypt({"a": KEY}, active="a").encode(b"hello", CONTEXT)
    both = Encrypt({"a": KEY, "b": OTHER}, active="b")
    assert both.decode(old, CONTEXT) == b"hello"
    new = both.encode(b"hello", CONTEXT)
    assert new[:3] == b"\x01\x01b"
    with pytest.raises(UndecodableValue, match="encrypted by key 'b', which is not given here; add it"):
        Encrypt({"a": KEY}, active="a").decode(new, CONTEXT)


def test_keys_are_never_shown() -> None:
    codec = Encrypt({"a": KEY, "b": OTHER}, active="b")
    assert repr(codec) == "Encrypt(active='b', keys=['a', 'b'])"
    assert repr(KEY) not in repr(vars(codec))
    assert KEY not in vars(codec).values()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Encrypt({"a": KEY}, active="b"), r"Encrypt\(active='b'\) is none of its keys \['a'\]; add it"),
        (lambda: Encrypt({"a": b"short"}, active="a"), "key 'a' is not of 32 bytes; make one by secrets.token_bytes"),
        (lambda: Encrypt({"": KEY}, active=""), "a key's id is 1 to 255 bytes, not 0"),
        (lambda: Chain(), r"Chain\(\) of no codecs; leave the codec out instead"),
        (lambda: Compress(level=0), r"Compress\(level=0\): zlib has levels 1 to 9"),
    ],
)
def test_a_codec_made_wrongly_says_the_cure(make: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        make()


def test_encryption_says_which_extra_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DeclarationError, match=r"needs the package cryptography; install farandole\[encryption\]"):
        Encrypt({"a": KEY}, active="a")
