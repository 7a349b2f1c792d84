"""A prompt of which something is kept beside the log is the prompt that was given, to the model and in every field."""

import asyncio
import base64
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic_ai.messages import (
    BinaryContent,
    CachePoint,
    ImageUrl,
    ModelRequest,
    StructuredContent,
    TextContent,
    UserPromptPart,
)

from farandole.agents import Kept, Large
from farandole.agents.conversations import _PARTS, as_recorded
from farandole.agents.errors import ContentLost
from farandole.agents.large import NOTE
from farandole.agents.wholes import with_wholes

ABOVE = 1000


class Shelf:
    """A store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, reference: str, content: bytes) -> None:
        self.kept[reference] = content

    def get(self, reference: str) -> bytes:
        return self.kept[reference]


def recorded(part: UserPromptPart) -> UserPromptPart:
    """A part, as it is read from the log."""
    (read,) = _PARTS.validate_python(as_recorded([part]))
    assert isinstance(read, UserPromptPart)
    return read


async def sent(part: UserPromptPart, large: Large) -> Any:
    """What the model is sent of it, and what the log holds."""
    (head,) = large.keep_said([part])
    assert isinstance(head, UserPromptPart)
    (request,) = await with_wholes([ModelRequest(parts=[recorded(head)])], large, "helper")
    (told,) = request.parts
    assert isinstance(told, UserPromptPart)
    return told.content, as_recorded([head])


def seen(content: Any) -> Any:
    """A prompt with what does not count when it is compared."""
    if isinstance(content, str):
        return content
    return [(item, getattr(item, "identifier", None)) for item in content]


letters = st.text(st.characters(exclude_categories=["Cs"]))
texts = st.one_of(letters, letters.map(lambda text: text + "…" * 400), st.just("\0" * 200))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | letters,
    lambda of: st.lists(of) | st.dictionaries(letters, of),
)
bags = st.none() | st.dictionaries(letters, values)
media = st.sampled_from(["application/json", "text/plain", "image/png", "application/pdf", "audio/wav", "x/y"])
data = st.one_of(
    st.binary(max_size=50),
    st.binary(min_size=740, max_size=760),
    st.binary(min_size=1001, max_size=1100),
    st.just(b'{"a": [1.0, 1e400], "a": 2}' + b" " * 1000),
)
files = st.builds(
    BinaryContent, data, media_type=media, identifier=st.none() | st.text("abc", min_size=1), vendor_metadata=bags
)
items = st.one_of(
    texts,
    st.builds(TextContent, texts, metadata=values),
    st.builds(StructuredContent, values.filter(lambda it: it != ""), tag=st.none() | st.just("state")),
    files,
    st.just(CachePoint()),
    st.just(ImageUrl("https://example.com/a.png", vendor_metadata={"detail": "low"})),
)
prompts = st.one_of(texts, st.lists(items, max_size=4))


@given(prompts)
@example([BinaryContent(b'{"a": 1}' + b" " * 2000, media_type="application/json")])
@example([BinaryContent(b"plain" * 500, media_type="text/plain", identifier="x", vendor_metadata={"detail": "low"})])
@example(["x" * 2000])
@example("x" * 2000)
@example([TextContent("x" * 2000, metadata={"of": "ann"})])
@example([StructuredContent(None)])
@example([StructuredContent({"rows": ["x" * 1000]}, tag="state", description="d")])
def test_a_prompt_comes_back_as_if_nothing_of_it_had_been_kept(content: Any) -> None:
    part = UserPromptPart(content)
    told, _ = asyncio.run(sent(part, Large(Shelf(), above=ABOVE)))
    assert seen(told) == seen(recorded(part).content)


@given(st.lists(files, min_size=1, max_size=3))
def test_no_file_takes_more_of_an_event_than_was_said(content: Any) -> None:
    shelf = Shelf()
    _, (written,) = asyncio.run(sent(UserPromptPart(content), Large(shelf, above=ABOVE)))
    for file, item in zip(content, written["content"], strict=True):
        large = len(base64.b64encode(file.data)) > ABOVE
        assert (item["kind"] == "text-content") is large
        if large:
            assert Kept.model_validate(item["metadata"][NOTE]).bytes == len(file.data)
            assert file.data in shelf.kept.values()


@given(values | texts)
def test_what_a_tool_returned_comes_back_as_it_was(content: Any) -> None:
    large = Large(Shelf(), above=ABOVE)
    head, kept = large.keep(content)
    assert (head if kept is None else large.read(kept)) == content


async def test_a_note_of_an_earlier_release_is_read() -> None:
    large = Large(Shelf(), above=ABOVE)
    note = large._put(b"x" * 2000, "image/png").model_dump()
    part = UserPromptPart([TextContent("[image/png]", metadata={NOTE: note})])
    (request,) = await with_wholes([ModelRequest(parts=[part])], large, "helper")
    (told,) = request.parts
    assert isinstance(told, UserPromptPart)
    assert told.content == [BinaryContent(b"x" * 2000, media_type="image/png")]


async def test_a_file_that_is_gone_is_told() -> None:
    shelf = Shelf()
    large = Large(shelf, above=ABOVE)
    (head,) = large.keep_said([UserPromptPart([BinaryContent(b"x" * 2000, media_type="application/json")])])
    shelf.kept.clear()
    with pytest.raises(ContentLost, match="application/json"):
        await with_wholes([ModelRequest(parts=[head])], large, "helper")
