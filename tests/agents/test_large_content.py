"""What is large is kept beside the log: events stay small, and the model is told all of it, or that it is gone."""

import asyncio
import hashlib
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic_ai.messages import BinaryContent, ModelMessage, ToolReturnPart, UserPromptPart

from farandole.agents import Agent, Call, Folder, Kept, Large, Tool, scripted
from farandole.agents.large import Store
from farandole.reactors import Choreography
from farandole.schemas import DeclarationError, End, EventTypes, Marked, Personal, Start
from farandole.testing import Scenario

MIB = 1024 * 1024
BOOK = "It was a dark and stormy night. " * (5 * MIB // 32)


class Asked(Start):
    question: str


class Answered(End):
    text: str


async def read_book() -> str:
    return BOOK


def read_in_a_thread() -> dict[str, str]:
    return {"book": BOOK}


def serve(agent: Agent) -> Choreography:
    desk = Choreography("desk")
    agent.serve(desk)
    return desk


class Listening:
    """What the model was sent last."""

    def __init__(self) -> None:
        self.heard: list[ModelMessage] = []

    def __call__(self, messages: list[ModelMessage]) -> str:
        self.heard = messages
        return "Read."

    @property
    def returned(self) -> list[Any]:
        parts = (part for message in self.heard for part in message.parts)
        return [part.content for part in parts if isinstance(part, ToolReturnPart)]

    @property
    def asked(self) -> Any:
        return next(p.content for m in self.heard for p in m.parts if isinstance(p, UserPromptPart))


def reader(store: Store, listening: Listening, *, tool: Any = read_book, whole: bool = True, **more: Any) -> Agent:
    model = scripted(Call(tool.name if isinstance(tool, Tool) else tool.__name__), listening)
    large = Large(store, above="64 KB", whole=whole)
    options: dict[str, Any] = {"takes": Asked, "tools": [tool], "large": large, **more}
    return Agent("reader", gives=Answered, model=model, **options)


@pytest.mark.parametrize("tool", [read_book, read_in_a_thread], ids=["awaited", "in a thread"])
async def test_five_megabytes_are_an_event_of_two_kilobytes_and_the_model_reads_them_all(
    tmp_path: Path, tool: Any
) -> None:
    listening = Listening()
    agent = reader(Folder(tmp_path), listening, tool=tool)
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="What is in the book?"))
        s.then(Answered(text="Read."))
        assert s.failures() == []
        returned = s.last(agent.events.ToolReturned)
    assert len(returned.model_dump_json()) < 2048
    assert "It was a dark" in returned.content
    assert returned.kept is not None
    assert returned.kept.bytes > 5 * MIB - 100
    assert returned.kept.media_type == ("text/plain" if tool is read_book else "application/json")
    assert listening.returned == [BOOK if tool is read_book else {"book": BOOK}]


async def test_the_head_alone_is_told_where_that_is_wanted(tmp_path: Path) -> None:
    listening = Listening()
    async with Scenario(serve(reader(Folder(tmp_path), listening, whole=False))) as s:
        await s.when(Asked(question="What is in the book?"))
        s.then(Answered)
    (told,) = listening.returned
    assert len(told) < 2048
    assert told.startswith("It was a dark")
    assert f"{len(BOOK)} bytes of text/plain, kept as sha256:{hashlib.sha256(BOOK.encode()).hexdigest()}" in told


async def test_what_is_small_stays_in_the_event(tmp_path: Path) -> None:
    async def note() -> str:
        return "x" * 1000

    listening = Listening()
    agent = reader(Folder(tmp_path), listening, tool=note)
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="What is in it?"))
        assert s.last(agent.events.ToolReturned).kept is None
    assert list(tmp_path.iterdir()) == []


async def test_a_long_question_and_a_picture_are_kept_too(tmp_path: Path) -> None:
    picture = BinaryContent(b"\x89PNG" + b"\0" * 200_000, media_type="image/png")
    listening = Listening()
    agent = Agent(
        "reader",
        takes=Asked,
        gives=Answered,
        model=scripted(listening),
        prompt=lambda asked: [asked.question, BOOK, picture],
        large=Large(Folder(tmp_path)),
    )
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="What is it?"))
        s.then(Answered(text="Read."))
        assert len(s.last(agent.events.ModelRequested).model_dump_json()) < 2048
    question, book, seen = listening.asked
    assert (question, book) == ("What is it?", BOOK)
    assert (seen.data, seen.media_type) == (picture.data, "image/png")


class Dying(Folder):
    """Keeps it, and its worker dies before the event is appended."""

    puts: list[str] = []  # noqa: RUF012

    def put(self, reference: str, content: bytes) -> None:
        super().put(reference, content)
        self.puts.append(reference)
        if len(self.puts) == 1:
            raise ConnectionError("the worker is gone")


async def test_what_is_kept_twice_is_one_reference(tmp_path: Path) -> None:
    listening, store = Listening(), Dying(tmp_path)
    agent = reader(store, listening)
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="What is in the book?"), after="1m")
        s.then(Answered)
        kept = s.last(agent.events.ToolReturned).kept
    assert kept is not None
    assert store.puts == [kept.reference] * 2
    assert len([file for file in tmp_path.rglob("*") if file.is_file()]) == 1


class Full(Folder):
    """Has no room, so often."""

    room_after: float = float("inf")
    refused: int = 0

    def put(self, reference: str, content: bytes) -> None:
        if self.refused < self.room_after:
            self.refused += 1
            raise OSError(28, "no space left on device")
        super().put(reference, content)


@pytest.mark.parametrize("room_after", [2, float("inf")], ids=["is there again", "stays away"])
async def test_a_call_that_is_not_to_be_repeated_took_effect_though_the_store_is_full(
    tmp_path: Path, room_after: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farandole.agents.keeping.AGAIN", (0, 0))
    paid: list[str] = []

    async def pay(order: str) -> str:
        paid.append(order)
        return BOOK

    listening, store = Listening(), Full(tmp_path)
    store.room_after = room_after
    script = scripted(Call("pay", order="7"), listening)
    large = Large(store)
    agent = Agent("desk", takes=Asked, gives=Answered, model=script, tools=[Tool(pay, repeat=False)], large=large)
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Pay 7."), after="1h")
        s.then(Answered(text="Read."))
        returned = s.last(agent.events.ToolReturned)
        assert s.failures() == []
    assert paid == ["7"]
    assert returned.outcome == "success"
    (told,) = listening.returned
    if room_after == 2:
        assert told == BOOK
    else:
        assert returned.kept is None
        assert told.startswith("The call took effect, and is not made again")
        assert "no space left" in told


async def test_a_call_that_may_be_repeated_is_told_of_likewise_once_its_attempts_are_over(tmp_path: Path) -> None:
    listening, store = Listening(), Full(tmp_path)
    agent = reader(store, listening)
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="What is in the book?"), after="1h")
        s.then(Answered(text="Read."))
        assert s.last(agent.events.ToolReturned).outcome == "success"
        assert {f.error for f in s.failures()} == {"ContentNotKept"}
    assert store.refused == 3
    (told,) = listening.returned
    assert told.startswith("The call took effect")


async def test_of_a_call_that_is_not_to_be_repeated_nobody_says_that_what_it_returned_did_not_happen() -> None:
    async def pay(order: str) -> object:
        return object()

    listening = Listening()
    script = scripted(Call("pay", order="7"), listening)
    agent = Agent("desk", takes=Asked, gives=Answered, model=script, tools=[Tool(pay, repeat=False)])
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Pay 7."), after="1h")
        assert s.last(agent.events.ToolReturned).outcome == "success"
    assert listening.returned[0].startswith("The call took effect")


async def test_nobody_knows_of_a_call_that_took_too_long_and_is_not_to_be_repeated() -> None:
    async def pay(order: str) -> None:
        await asyncio.Event().wait()

    listening = Listening()
    script = scripted(Call("pay", order="7"), listening)
    tool = Tool(pay, repeat=False, timeout="50ms")
    agent = Agent("desk", takes=Asked, gives=Answered, model=script, tools=[tool])
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Pay 7."), after="1h")
        assert s.last(agent.events.ToolReturned).outcome == "unknown"
    assert "it took too long" in listening.returned[0]


@pytest.mark.parametrize("gone", [True, False], ids=["gone", "another"])
async def test_what_is_gone_is_told_and_parks(tmp_path: Path, gone: bool) -> None:
    class Losing(Folder):
        def get(self, reference: str) -> bytes:
            if gone:
                return Folder(tmp_path / "elsewhere").get(reference)
            return super().get(reference)[:-1]

    listening, store = Listening(), Losing(tmp_path)
    agent = reader(store, listening)
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="What is in the book?"))
        s.owes("reader.model")
        (failure,) = s.failures()
        assert failure.error == "ContentLost"
        assert "sha256:" in failure.message
        assert ("not in the Losing" if gone else "another digest") in failure.message
        assert "retry the step" in failure.message
    assert listening.heard == []


async def test_a_release_that_knows_no_store_is_told(tmp_path: Path) -> None:
    agent = reader(Folder(tmp_path), Listening())
    agent.large = Large(Folder(tmp_path))
    real = agent.large.keep

    def keep_then_forget(content: Any) -> Any:
        kept = real(content)
        agent.large = None
        return kept

    object.__setattr__(agent.large, "keep", keep_then_forget)
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="What is in the book?"))
        s.owes("reader.model")
        assert "no large=" in s.failures()[0].message


def test_no_reference_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    large = Large(Folder(tmp_path / "large"))
    with pytest.raises(Exception, match="refers to nothing"):
        large.read(Kept(reference="sha256:../../secret", bytes=1, media_type="text/plain"))


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        Large(Folder(tmp_path)).keep(BOOK)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_the_head_of_what_is_personal_is_personal(tmp_path: Path) -> None:
    class AskedPersonally(Start):
        illness: Annotated[str, Personal]

    agent = reader(Folder(tmp_path), Listening(), takes=AskedPersonally)
    event = agent.events.ToolReturned
    marked = Marked(schema for _, _, schema in EventTypes("desk", [event]).schemas())
    assert {name for _, name in marked.fields(Personal)} == {"content"}


@pytest.mark.parametrize("above", ["much", "10 B", 0])
def test_a_size_that_is_none_is_refused(tmp_path: Path, above: Any) -> None:
    with pytest.raises(DeclarationError, match="above="):
        Large(Folder(tmp_path), above=above)


@pytest.mark.parametrize("size", [2 * MIB, 5 * MIB])
async def test_without_a_store_it_is_told_that_the_log_does_not_take_what_a_call_returned(size: int) -> None:
    async def read_book() -> str:
        return "x" * size

    listening = Listening()
    model = scripted(Call("read_book"), listening)
    agent = Agent("reader", takes=Asked, gives=Answered, model=model, tools=[read_book])
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="What is in the book?"), after="1h")
        s.then(Answered(text="Read."))
        assert s.last(agent.events.ToolReturned).outcome == "success"
        assert {f.reactor for f in s.failures()} == {"reader.tools.read_book"}
    (told,) = listening.returned
    assert told.startswith("The call took effect")
    assert "keep large" in told
    assert len(told) < 500
