"""The engine on a tiny GPT-2: what it reads from its cache equals what it reads anew, and it ends when told."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.generation import (
    Finished,
    FinishReason,
    GenerationEvent,
    GenerationRequest,
    SamplingSettings,
    TextChunk,
)
from storydesk.domain.style_model import StyleModel
from storydesk.inference import devices
from storydesk.inference.cancellation import Cancellation, Cancelled
from storydesk.inference.devices import Provider
from storydesk.inference.engine import OnnxEngine, OnnxEngineLoader
from storydesk.inference.session import GraphSession, lay_out
from storydesk.services.ports import EngineLoader, TextEngine
from tests.fakes.tiny_style_model import make_starter_style_model, make_tiny_style_model
from trainer.export.graph_runner import GraphRunner

GREEDY = SamplingSettings(temperature=0, repetition_penalty=1, no_repeat_ngram=0)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> StyleModel:
    return make_tiny_style_model(tmp_path_factory.mktemp("tiny"), positions=256)


@pytest.fixture
def engine(tiny: StyleModel) -> OnnxEngine:
    loader: EngineLoader = OnnxEngineLoader()
    loaded: TextEngine = loader.load(tiny)
    assert isinstance(loaded, OnnxEngine)
    return loaded


def draw(count: int, seed: int = 0) -> list[int]:
    drawn: list[int] = np.random.default_rng(seed).integers(1, 384, count).tolist()
    return drawn


def log_softmax(logits: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    shifted = logits - logits.max()
    result: np.ndarray[Any, np.dtype[np.float32]] = shifted - np.log(np.exp(shifted).sum())
    return result


def write(engine: OnnxEngine, request: GenerationRequest) -> tuple[str, Finished]:
    events: list[GenerationEvent] = list(engine.generate(request))
    chunks = [event.text for event in events if isinstance(event, TextChunk)]
    finished = [event for event in events if isinstance(event, Finished)]
    assert finished == events[-1:]
    return "".join(chunks), finished[0]


def test_steps_with_a_cache_equal_one_read_of_everything(tiny: StyleModel) -> None:
    tokens = draw(200)
    expected = GraphRunner(tiny.graph).log_probabilities(np.array(tokens))
    cache = GraphSession(tiny).open_cache()
    worst = float(np.abs(log_softmax(cache.read(tokens[:150], Cancellation())) - expected[149]).max())
    for index in range(150, 200):
        logits = cache.extend([tokens[index]], Cancellation())
        worst = max(worst, float(np.abs(log_softmax(logits) - expected[index]).max()))
    assert worst < 1e-3


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_going_on_from_a_common_beginning_equals_a_cold_start(tmp_path: Path, precision: str) -> None:
    session = GraphSession(make_tiny_style_model(tmp_path, precision=precision, positions=256))
    first = draw(180)
    second = [*first[:150], *draw(60, seed=1)]
    warm = session.open_cache()
    warm.read(first, Cancellation())
    warm.extend(draw(1, seed=2), Cancellation())
    common = set(lay_out(len(first))) & set(lay_out(len(second)))
    assert warm.resume(second) == max(place for place in common if place <= 150) > 0
    cold = session.open_cache()
    assert np.array_equal(warm.read(second, Cancellation()), cold.read(second, Cancellation()))


def test_the_same_request_gives_the_same_text_whatever_came_before(tiny: StyleModel) -> None:
    one, other = OnnxEngineLoader().load(tiny), OnnxEngineLoader().load(tiny)
    context = one.render_prompt("A keeper hears a bell") + "The bell rang twice before the fog came in. " * 5
    request = GenerationRequest(1, context, words=40, seed=5)
    text, _ = write(one, request)
    assert text
    assert write(one, request)[0] == text
    write(other, GenerationRequest(2, "Something else. ", words=10, seed=6))
    assert write(other, request)[0] == text
    assert write(other, dataclasses.replace(request, seed=6))[0] != text


def test_a_full_window_moves_and_the_text_goes_on(tmp_path: Path) -> None:
    engine = OnnxEngineLoader().load(make_tiny_style_model(tmp_path, positions=64))
    context = engine.render_prompt("A bell") + "The fog came in. " * 60
    request = GenerationRequest(1, context, words=30, seed=3, until_sentence_end=False)
    text, finished = write(engine, request)
    assert finished.tokens > 64 or finished.reason is FinishReason.END_OF_TEXT
    assert text == write(engine, request)[0]


def test_it_writes_from_nothing(engine: OnnxEngine) -> None:
    text, finished = write(engine, GenerationRequest(1, "", words=5, seed=1, until_sentence_end=False))
    assert text
    assert finished.reason in (FinishReason.LENGTH, FinishReason.END_OF_TEXT)


def test_closing_the_iterator_leaves_a_usable_engine(engine: OnnxEngine) -> None:
    request = GenerationRequest(1, "The fog came in. ", words=20, seed=4)
    expected = write(engine, request)
    events = engine.generate(request)
    assert isinstance(next(events), TextChunk)
    events.close()  # type: ignore[attr-defined]  # the port promises an iterator that can be closed
    assert write(engine, request)[0] == expected[0]


def test_cancel_from_another_thread_ends_with_cancelled(engine: OnnxEngine) -> None:
    events = engine.generate(GenerationRequest(1, "The fog came in. ", words=100_000, seed=4))
    seen = [next(events)]
    stopper = threading.Thread(target=engine.cancel)
    stopper.start()
    seen += list(events)
    stopper.join()
    assert isinstance(seen[-1], Finished)
    assert seen[-1].reason is FinishReason.CANCELLED
    assert sum(isinstance(event, Finished) for event in seen) == 1


def test_cancel_before_the_first_event_counts_and_later_requests_are_not_touched(engine: OnnxEngine) -> None:
    request = GenerationRequest(1, "The fog came in. ", words=5, seed=4)
    events = engine.generate(request)
    engine.cancel()
    assert [event.reason for event in events if isinstance(event, Finished)] == [FinishReason.CANCELLED]
    assert write(engine, request)[1].reason is not FinishReason.CANCELLED


def test_a_run_of_the_network_is_broken_off(tmp_path: Path) -> None:
    model = make_tiny_style_model(tmp_path, layers=6, width=256, heads=4, positions=2048)
    cache = GraphSession(model).open_cache()
    cancellation = Cancellation()
    timer = threading.Timer(0.02, cancellation.ask)
    timer.start()
    with pytest.raises(Cancelled):
        cache.read(draw(2000), cancellation)
    timer.join()
    assert len(cache.tokens) < 2000


def test_8_bits_write_like_32_when_greedy(tmp_path: Path) -> None:
    texts = []
    for precision in ("fp32", "int8"):
        engine = OnnxEngineLoader().load(make_starter_style_model(tmp_path / precision, precision))
        context = engine.render_prompt("A lighthouse keeper hears a bell under the sea.")
        texts.append(write(engine, GenerationRequest(1, context, words=8, seed=1, settings=GREEDY))[0])
    assert texts[0][:20] == texts[1][:20]
    assert texts[0].strip().endswith((".", "!", "?", '"'))


def test_a_story_never_runs_into_another_prompt(engine: OnnxEngine) -> None:
    for seed in range(12):
        context = engine.render_prompt("A letter comes thirty years late.")
        text, _ = write(engine, GenerationRequest(seed, context, words=60, seed=seed))
        assert "\nPrompt:" not in text
        assert "<|endoftext|>" not in text


def test_bad_settings_are_refused_before_anything_runs(engine: OnnxEngine) -> None:
    with pytest.raises(StorydeskError) as caught:
        engine.generate(GenerationRequest(1, "a", 5, 1, SamplingSettings(temperature=-1)))
    assert caught.value.failure.code == FailureCode.BAD_ARGUMENT


def test_a_closed_engine_says_so(engine: OnnxEngine) -> None:
    engine.close()
    engine.close()
    with pytest.raises(StorydeskError) as caught:
        engine.score("The fog came in.")
    assert caught.value.failure.code == FailureCode.MODEL_NOT_LOADED


def spoil_graph(change: Callable[[onnx.ModelProto], object]) -> Callable[[StyleModel], None]:
    def spoil(model: StyleModel) -> None:
        graph = onnx.load(model.graph)
        change(graph)
        onnx.save(graph, model.graph)

    return spoil


def poison(graph: onnx.ModelProto) -> None:
    bias = next(each for each in graph.graph.initializer if each.name == "ln_f.bias")
    bias.raw_data = np.full(32, np.nan, np.float32).tobytes()


def point_outside(graph: onnx.ModelProto) -> None:
    tensor = graph.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda model: model.graph.unlink(),
        lambda model: model.graph.write_bytes(b""),
        lambda model: model.graph.write_bytes(b"no graph at all" * 99),
        lambda model: model.graph.write_bytes(model.graph.read_bytes()[:5000]),
        spoil_graph(lambda graph: graph.ClearField("metadata_props")),
        spoil_graph(lambda graph: graph.graph.node.pop()),
        spoil_graph(lambda graph: graph.graph.initializer.pop()),
        spoil_graph(poison),
        spoil_graph(point_outside),
        lambda model: model.tokenizer.write_text("{}"),
    ],
)
def test_damaged_models_are_not_loaded(tmp_path: Path, spoil: Callable[[StyleModel], object]) -> None:
    model = make_tiny_style_model(tmp_path)
    spoil(model)
    check_not_loaded(model)


@pytest.mark.parametrize(
    "changes",
    [
        {"vocabulary": 385},
        {"layers": 3},
        {"positions": 1 << 40},
        {"heads": 0},
        {"end_token_id": 384},
        {"normaliser": "unheard-of"},
        {"template": {}},
    ],
)
def test_a_manifest_that_does_not_fit_is_not_believed(tmp_path: Path, changes: dict[str, Any]) -> None:
    check_not_loaded(dataclasses.replace(make_tiny_style_model(tmp_path), **changes))


def check_not_loaded(model: StyleModel) -> None:
    with pytest.raises(StorydeskError) as caught:
        OnnxEngineLoader().load(model)
    assert caught.value.failure.code == FailureCode.MODEL_NOT_LOADED
    assert caught.value.failure.parameters["name"] == "tiny"
    assert str(caught.value.failure.parameters["detail"])


def test_where_a_provider_fails_the_processor_serves_and_it_is_said(
    tiny: StyleModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Provider("CUDAExecutionProvider", "NVIDIA GPU", "cuda")
    monkeypatch.setattr(devices, "PROVIDERS", (broken, *devices.PROVIDERS[-1:]))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [broken.name])
    real = onnxruntime.InferenceSession

    def refuse_cuda(path: str, options: object, *, providers: list[Any], enable_fallback: int) -> Any:
        if providers[0][0] == broken.name:
            raise RuntimeError("no driver")
        return real(path, options, providers=providers, enable_fallback=enable_fallback)

    monkeypatch.setattr(onnxruntime, "InferenceSession", refuse_cuda)
    heard: list[Failure] = []
    engine = OnnxEngineLoader(heard.append).load(tiny)
    assert engine.device == "CPU, 32-bit"
    assert [(each.code, each.parameters["detail"]) for each in heard] == [("device_failed", "no driver")]


def test_importing_the_engine_loads_nothing_heavy() -> None:
    program = (
        "import sys, storydesk.inference.engine\n"
        "print([name for name in ('numpy', 'onnxruntime', 'tokenizers', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
