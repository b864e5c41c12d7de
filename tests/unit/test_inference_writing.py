"""Several texts at once, other words, bans, loops and a window that moves, on real graphs of small models."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.failures import Failure
from storydesk.domain.generation import (
    Finished,
    FinishReason,
    GenerationRequest,
    SamplingSettings,
    TextChunk,
    TokenChoice,
)
from storydesk.domain.style_model import StyleModel
from storydesk.inference import devices
from storydesk.inference.cancellation import Cancellation
from storydesk.inference.devices import Provider
from storydesk.inference.engine import OnnxEngine, OnnxEngineLoader
from storydesk.inference.generator import MOST_ROWS, Layout
from storydesk.inference.looping import LONGEST_PHRASE, LoopGuard
from storydesk.inference.phrases import PhraseWatch, spell_phrase
from storydesk.inference.session import CHUNK, PIECE, GraphSession, TokenCache, lay_out
from storydesk.inference.tokenizer import TextTokenizer
from tests.fakes.tiny_style_model import STARTER, make_starter_style_model, make_tiny_style_model

GREEDY = SamplingSettings(temperature=0, min_p=0, repetition_penalty=1, no_repeat_ngram=0)
TOKENIZER = TextTokenizer(STARTER / "tokenizer.json", "starter", 8192)
PROMPT = "A lighthouse keeper hears a bell under the sea."


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> StyleModel:
    return make_tiny_style_model(tmp_path_factory.mktemp("tiny"), positions=256)


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> OnnxEngine:
    return OnnxEngineLoader().load(make_starter_style_model(tmp_path_factory.mktemp("starter"), "fp32"))


@dataclasses.dataclass
class Answer:
    """What came for one candidate."""

    text: str = ""
    choices: list[TokenChoice] = dataclasses.field(default_factory=list)
    finished: Finished | None = None


def write(engine: OnnxEngine, request: GenerationRequest) -> list[Answer]:
    answers = [Answer() for _ in range(request.count)]
    for event in engine.generate(request):
        answer = answers[event.candidate]
        assert answer.finished is None
        if isinstance(event, TextChunk):
            answer.text += event.text
            answer.choices += event.choices
        else:
            answer.finished = event
    assert all(answer.finished is not None for answer in answers)
    return answers


def ask(engine: OnnxEngine, *, words: int = 30, seed: int = 5, **others: object) -> GenerationRequest:
    request = GenerationRequest(1, engine.render_prompt(PROMPT), words, seed)
    return dataclasses.replace(request, **others)  # type: ignore[arg-type]  # fields by name, as the test has them


class TestSeveral:
    @pytest.mark.parametrize("count", [2, 4])
    def test_each_is_what_it_would_be_alone(self, starter: OnnxEngine, count: int) -> None:
        together = write(starter, ask(starter, count=count))
        alone = [write(starter, ask(starter, seed=5 + number))[0] for number in range(count)]
        assert [answer.text for answer in together] == [answer.text for answer in alone]
        assert len({answer.text for answer in together}) == count

    def test_a_repeat_is_the_same_whatever_came_between(self, tmp_path: Path) -> None:
        engine = OnnxEngineLoader().load(make_tiny_style_model(tmp_path, precision="int8", positions=256))
        request = ask(engine, count=3)
        first = write(engine, request)
        write(engine, ask(engine, seed=9, words=4))
        assert [answer.text for answer in write(engine, request)] == [answer.text for answer in first]

    def test_rows_of_a_batch_agree_with_single_steps(self, tiny: StyleModel) -> None:
        graph = GraphSession(tiny)
        tokens: list[int] = np.random.default_rng(0).integers(1, 384, 90).tolist()
        cache = graph.open_cache()
        cache.read(tokens, Cancellation())
        rows = graph.open_rows(cache, 3, 200)
        rows.truncate(1, 70)
        logits = rows.step([5, 6, 7], Cancellation())
        for row, (length, token) in enumerate([(90, 5), (70, 6), (90, 7)]):
            alone = graph.open_cache()
            alone.read(tokens[:length], Cancellation())
            assert np.abs(alone.extend([token], Cancellation()) - logits[row]).max() < 1e-3
        rows.drop(0)
        again = rows.step([8, 9], Cancellation())
        alone.extend([8], Cancellation())
        alone.truncate(91)
        assert np.abs(alone.extend([8], Cancellation()) - again[0]).max() < 1e-3
        assert [len(row) for row in rows.tokens] == [92, 72]

    def test_more_than_fit_side_by_side_come_one_group_after_another(self, tiny: StyleModel) -> None:
        engine = OnnxEngineLoader().load(tiny)
        answers = write(engine, ask(engine, count=MOST_ROWS + 2, words=3))
        assert len(answers) == MOST_ROWS + 2

    def test_all_windows_move(self, tmp_path: Path) -> None:
        engine = OnnxEngineLoader().load(make_tiny_style_model(tmp_path, positions=64))
        request = ask(engine, count=3, words=60, until_sentence_end=False)
        answers = write(engine, request)
        assert any(answer.finished and answer.finished.tokens > 64 for answer in answers)
        assert [each.text for each in write(engine, request)] == [each.text for each in answers]
        alone = write(engine, dataclasses.replace(request, count=1, seed=6))[0]
        assert alone.text == answers[1].text

    def test_cancelling_ends_every_one(self, tiny: StyleModel) -> None:
        engine = OnnxEngineLoader().load(tiny)
        events = engine.generate(ask(engine, count=3, words=100_000))
        seen = [next(events)]
        stopper = threading.Thread(target=engine.cancel)
        stopper.start()
        seen += list(events)
        stopper.join()
        finished = [event for event in seen if isinstance(event, Finished)]
        assert sorted(event.candidate for event in finished) == [0, 1, 2]
        assert all(event.reason is FinishReason.CANCELLED for event in finished)


class TestOtherWords:
    @pytest.mark.parametrize("count", [1, 2])
    def test_choices_cover_the_text(self, starter: OnnxEngine, count: int) -> None:
        for answer in write(starter, ask(starter, count=count, alternatives=3)):
            place = 0
            for choice in answer.choices:
                assert choice.start == place
                place = choice.end
                assert len(choice.alternatives) == 3
                chances = [each.probability for each in choice.alternatives]
                assert chances == sorted(chances, reverse=True)
                assert 0 < choice.probability <= 1
                drawn = [each for each in choice.alternatives if each.text == answer.text[choice.start : choice.end]]
                assert all(each.probability == pytest.approx(choice.probability) for each in drawn[:1])
            assert place == len(answer.text)

    def test_nobody_pays_who_does_not_look(self, starter: OnnxEngine) -> None:
        quiet, looked = (write(starter, ask(starter, alternatives=count))[0] for count in (0, 2))
        assert quiet.text == looked.text
        assert not quiet.choices


class TestBans:
    @pytest.mark.parametrize("seed", range(4))
    def test_what_is_banned_never_comes(self, starter: OnnxEngine, seed: int) -> None:
        usual = write(starter, ask(starter, seed=seed, words=50))[0].text
        common = sorted({word.strip('.,"') for word in usual.split() if word.strip('.,"').isalpha()}, key=len)[-4:]
        banned = SamplingSettings(banned=(*common, "the sea", "he was"))
        text = write(starter, ask(starter, seed=seed, words=50, settings=banned))[0].text
        words = " ".join("".join(c if c.isalnum() else " " for c in text).lower().split())
        for phrase in banned.banned:
            assert f" {phrase.lower()} " not in f" {words} "

    def test_a_wish_is_heard(self, starter: OnnxEngine) -> None:
        wish = SamplingSettings(phrase_bias=(("lantern", 14.0),))
        assert any("lantern" in write(starter, ask(starter, seed=s, settings=wish))[0].text for s in range(4))

    @given(st.sampled_from(["bell", "the sea", "Mr. Grey", "o'clock", "café", "x", "-- so"]))
    def test_every_spelling_is_known(self, phrase: str) -> None:
        written = {TOKENIZER.decode(list(spelling)) for spelling in spell_phrase(phrase, TOKENIZER)}
        for case in (phrase, phrase.lower(), phrase.upper(), phrase[:1].upper() + phrase[1:]):
            assert {case, f" {case}"} <= written

    @given(st.text("abel .", max_size=20), st.lists(st.integers(1, 5), min_size=1, max_size=20))
    @settings(max_examples=200)
    def test_the_watch_sees_a_phrase_in_any_pieces(self, text: str, sizes: list[int]) -> None:
        watch = PhraseWatch(["bell", "a b"], TOKENIZER)
        window: list[int] = []
        caught = False
        place = 0
        while place < len(text) and not caught:
            piece = text[place : place + sizes[place % len(sizes)]]
            place += len(piece)
            for token in TOKENIZER.encode(piece):
                caught = caught or watch.completes(window, token)
                window.append(token)
        padded = f" {text.replace('.', ' . ')} "
        if " bell " in padded:
            assert caught
        if not any(phrase in text.lower() for phrase in ("bell", "a b")):
            assert not caught

    def test_a_stop_over_several_tokens_is_not_shown(self, starter: OnnxEngine) -> None:
        usual = write(starter, ask(starter, words=40))[0].text
        stop = usual[len(usual) // 2 : len(usual) // 2 + 12]
        answer = write(starter, ask(starter, words=40, settings=SamplingSettings(stops=(stop,))))[0]
        assert answer.text == usual[: usual.index(stop)].rstrip()
        assert answer.finished is not None
        assert answer.finished.reason is FinishReason.STOP

    def test_words_are_counted(self, starter: OnnxEngine) -> None:
        limits = SamplingSettings(minimum_words=70, maximum_words=80)
        for seed in range(3):
            text = write(starter, ask(starter, words=5, seed=seed, settings=limits))[0].text
            assert 65 <= len(text.split()) <= 82


class TestLoops:
    @given(st.lists(st.integers(0, 9), max_size=20), st.lists(st.integers(10, 60), min_size=1, max_size=LONGEST_PHRASE))
    def test_a_phrase_again_and_again_is_a_loop(self, before: list[int], phrase: list[int]) -> None:
        guard = LoopGuard()
        certain = 0
        found = None
        for number, token in enumerate([*before, *phrase * 20]):
            guard.add(token)
            assert guard.certain >= certain or guard.loops
            certain = guard.certain
            if guard.loops:
                found = number
                break
        assert found is not None
        assert certain <= len(before) + len(phrase) + 4
        assert found < len(before) + max(3 * len(phrase), 16)

    @given(st.permutations(range(100)))
    def test_what_is_new_is_no_loop_and_is_shown_at_once(self, tokens: list[int]) -> None:
        guard = LoopGuard()
        for count, token in enumerate(tokens, start=1):
            guard.add(token)
            assert guard.certain == count
            assert not guard.loops

    def test_an_exclamation_is_no_loop(self) -> None:
        guard = LoopGuard()
        for token in [1, 2, 1, 2, 1, 2, 3, 4, 4, 4, 4, 5]:
            guard.add(token)
            assert not guard.loops

    def test_little_else_than_before_is_a_loop(self) -> None:
        guard = LoopGuard()
        for sentence in range(60):
            for token in (*range(10, 19), 100 + sentence % 40):
                guard.add(token)
        assert guard.loops

    def test_a_looping_model_finds_out_or_ends(self, starter: OnnxEngine) -> None:
        stuck = write(starter, ask(starter, words=150, settings=dataclasses.replace(GREEDY, avoid_loops=False)))[0]
        lines = stuck.text.split("\n\n")
        assert max(lines.count(line) for line in lines) > 5
        helped = write(starter, ask(starter, words=150, settings=GREEDY))[0]
        assert helped.finished is not None
        assert helped.finished.loops > 0
        lines = helped.text.split("\n\n")
        assert max(lines.count(line) for line in lines) <= 5
        for size in range(12, 60):
            assert not any(
                helped.text[i : i + size]
                == helped.text[i + size : i + 2 * size]
                == helped.text[i + 2 * size : i + 3 * size]
                for i in range(len(helped.text) - 3 * size)
            )

    def test_nothing_shown_is_taken_back_and_repeats_are_the_same(self, tiny: StyleModel) -> None:
        engine = OnnxEngineLoader().load(tiny)
        for count in (1, 3):
            request = ask(engine, words=80, settings=GREEDY, count=count, alternatives=2)
            first, second = write(engine, request), write(engine, request)
            assert [answer.text for answer in first] == [answer.text for answer in second]
            for answer in first:
                assert "".join(answer.text[each.start : each.end] for each in answer.choices) == answer.text


class TestCache:
    @given(st.integers(1, 3000))
    def test_a_prefill_is_laid_out_in_pieces(self, count: int) -> None:
        places = [0, *lay_out(count)]
        sizes = np.diff(places)
        assert places[-1] == count
        assert (sizes > 0).all()
        assert sizes.max() <= CHUNK
        assert (sizes[-1:] <= PIECE).all() or count <= PIECE

    @pytest.mark.parametrize("precision", ["fp32", "int8"])
    def test_going_on_after_an_edit_near_the_end_reads_little_and_gives_the_same(
        self, tmp_path: Path, precision: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        graph = GraphSession(make_tiny_style_model(tmp_path, precision=precision, positions=1024))
        first: list[int] = np.random.default_rng(1).integers(1, 384, 900).tolist()
        second = [*first[:885], 7, 8, *first[886:]]
        warm = graph.open_cache()
        warm.read(first, Cancellation())
        read: list[int] = []
        run = TokenCache._run

        def count(self: TokenCache, tokens: list[int], first_row: int, cancellation: Cancellation) -> object:
            read.append(len(tokens))
            return run(self, tokens, first_row, cancellation)

        monkeypatch.setattr(TokenCache, "_run", count)
        logits = warm.read(second, Cancellation()).copy()
        assert sum(read) <= 2 * PIECE
        assert np.array_equal(logits, graph.open_cache().read(second, Cancellation()))

    def test_a_window_that_moves_keeps_head_and_note(self) -> None:
        layout = Layout([0, 1, 2], list(range(10, 40)), [90, 91], [9, 40, 41, 9, 42], 64, frozenset({9}))
        moved = layout.move(list(range(50, 70)))
        assert moved[:3] == [0, 1, 2]
        assert moved[-20:] == list(range(50, 70))
        place = moved.index(90)
        assert moved[place : place + 2] == [90, 91]
        assert moved[place + 2 :].count(9) == 2
        assert len(moved) <= 3 + 2 + (64 - 5) // 2

    def test_the_note_is_still_there_after_a_move(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        engine = OnnxEngineLoader().load(make_tiny_style_model(tmp_path, positions=96))
        head, note = "Mara.\n\n", "[Fog]\n\n"
        context = f"{head}It was cold.\n\n{note}She went."
        start = context.index(note)
        request = GenerationRequest(
            id=1,
            context=context,
            words=60,
            seed=3,
            settings=SamplingSettings(minimum_words=60, avoid_loops=False),
            head=len(head),
            note=(start, start + len(note)),
        )
        windows: list[list[int]] = []
        read = TokenCache.read

        def watch(self: TokenCache, tokens: list[int], cancellation: Cancellation, **others: object) -> object:
            windows.append(list(tokens))
            return read(self, tokens, cancellation, **others)  # type: ignore[arg-type]  # whatever it was called with

        monkeypatch.setattr(TokenCache, "read", watch)
        write(engine, request)
        tokenizer = TextTokenizer(engine.model.tokenizer, "tiny", engine.model.vocabulary)
        assert len(windows) > 1
        for window in windows:
            text = tokenizer.decode(window)
            assert text.startswith(head)
            assert note in text


def test_a_provider_that_fails_at_its_first_run_is_said_and_the_processor_serves(
    tiny: StyleModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Provider("CPUExecutionProvider", "NVIDIA GPU", "a place without memory")
    monkeypatch.setattr(devices, "PROVIDERS", (late, *devices.PROVIDERS[-1:]))
    heard: list[Failure] = []
    engine = OnnxEngineLoader(heard.append).load(tiny)
    assert engine.device == "CPU, 32-bit"
    assert [each.code for each in heard] == ["device_failed"]
    assert heard[0].parameters["device"] == "NVIDIA GPU"
    assert heard[0].parameters["detail"]
