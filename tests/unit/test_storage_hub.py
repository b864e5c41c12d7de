"""Fetching from a hub on loopback: whole and right, or said in one sentence; broken connections cost little."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.style_model import HubModel
from storydesk.storage.hub import HUB_MODELS, HubSource
from storydesk.storage.model_library import BundleLibrary
from tests.fakes.bundles import build_quickly
from tests.fakes.hub import FakeHub
from tests.fakes.tiny_gpt2 import make_tiny_gpt2

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = make_tiny_gpt2(tmp_path_factory.mktemp("hub") / "tiny", layers=2, width=128)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def model(files: dict[str, bytes]) -> HubModel:
    weights = files["model.safetensors"]
    return HubModel("tiny", "someone/tiny-gpt2", REVISION, len(weights), hashlib.sha256(weights).hexdigest(), "MIT")


@pytest.fixture
def hub(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr("storydesk.storage.hub.time.sleep", lambda seconds: None)
    monkeypatch.setattr("storydesk.storage.hub._BLOCK", 1 << 14)
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    with FakeHub("someone/tiny-gpt2", REVISION, files) as running:
        yield running


def make_library(tmp_path: Path, hub: FakeHub, model: HubModel) -> BundleLibrary:
    source = HubSource(tmp_path / "cache", (model,), hub.address)
    return BundleLibrary(tmp_path / "models", tmp_path / "shipped", build_quickly, source)


def code_of_fetching(library: BundleLibrary, hub_id: str = "tiny") -> str:
    with pytest.raises(StorydeskError) as caught:
        library.fetch(hub_id)
    return caught.value.failure.code


def test_a_model_is_fetched_with_its_progress_and_no_token(tmp_path: Path, hub: FakeHub, model: HubModel) -> None:
    library = make_library(tmp_path, hub, model)
    seen: list[tuple[int, int]] = []
    fetched = library.fetch("tiny", lambda done, total: seen.append((done, total)))
    assert (fetched.name, fetched.licence) == ("tiny", "MIT")
    assert fetched.origin == "someone/tiny-gpt2@0123456789ab"
    assert (fetched.weights / "model.safetensors").stat().st_size == model.weight_bytes
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (model.weight_bytes, model.weight_bytes)
    assert not any("authorization" in map(str.lower, asked.headers) for asked in hub.asked)
    assert {asked.path.rsplit("/", 1)[1] for asked in hub.asked} <= {
        *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"),
        *("vocab.json", "merges.txt", "model.safetensors"),
    }
    assert not list((tmp_path / "cache").glob("tiny-*/*"))
    count = len(hub.asked)
    assert library.fetch("tiny") == fetched
    assert len(hub.asked) == count


def test_the_hub_is_found_by_its_variable(
    tmp_path: Path, hub: FakeHub, model: HubModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    folder = HubSource(tmp_path, (model,)).fetch(model)
    assert (folder / "model.safetensors").is_file()


def test_broken_connections_go_on_where_they_broke(tmp_path: Path, hub: FakeHub, model: HubModel) -> None:
    hub.drops = [200_000, 300_000, 100_000]
    library = make_library(tmp_path, hub, model)
    assert library.fetch("tiny").name == "tiny"
    ranges = [asked.range for asked in hub.list_asked("model.safetensors")]
    assert ranges[0] is None
    starts = [int(str(asked)[6:-1]) for asked in ranges[1:]]
    assert len(starts) == 3
    assert starts == sorted(starts)
    assert starts[0] > 100_000


def test_a_cancelled_download_resumes_in_another_process(tmp_path: Path, hub: FakeHub, model: HubModel) -> None:
    def cancel(done: int, _total: int) -> None:
        if done > 300_000:
            raise StorydeskError(FailureCode.CANCELLED)

    with pytest.raises(StorydeskError) as caught:
        make_library(tmp_path, hub, model).fetch("tiny", cancel)
    assert caught.value.failure.code == FailureCode.CANCELLED
    hub.asked.clear()
    assert make_library(tmp_path, hub, model).fetch("tiny").name == "tiny"
    resumed = hub.list_asked("model.safetensors")
    assert len(resumed) == 1
    assert int(str(resumed[0].range)[6:-1]) > 300_000
    assert not hub.list_asked("tokenizer.json")


def test_a_server_without_ranges_sends_the_whole_again(tmp_path: Path, hub: FakeHub, model: HubModel) -> None:
    hub.knows_ranges = False
    hub.drops = [300_000]
    assert make_library(tmp_path, hub, model).fetch("tiny").name == "tiny"


def test_a_whole_file_that_was_never_checked_is_checked(
    tmp_path: Path, hub: FakeHub, model: HubModel, files: dict[str, bytes]
) -> None:
    partial = tmp_path / "cache" / f"tiny-{REVISION[:12]}" / "model.safetensors.part"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(files["model.safetensors"])
    assert make_library(tmp_path, hub, model).fetch("tiny").name == "tiny"


def test_the_wrong_file_is_thrown_away(tmp_path: Path, hub: FakeHub, model: HubModel) -> None:
    wrong = replace(model, weight_sha256="0" * 64)
    assert code_of_fetching(make_library(tmp_path, hub, wrong)) == FailureCode.HUB_FILE_WRONG
    assert not list((tmp_path / "cache").rglob("model.safetensors*"))
    assert not (tmp_path / "models" / "tiny").exists()
    assert make_library(tmp_path, hub, model).fetch("tiny").name == "tiny"


def test_a_file_that_is_far_too_long_is_not_downloaded(tmp_path: Path, hub: FakeHub, model: HubModel) -> None:
    short = replace(model, weight_bytes=1000)
    assert code_of_fetching(make_library(tmp_path, hub, short)) == FailureCode.HUB_FILE_WRONG
    assert not list((tmp_path / "cache").rglob("model.safetensors"))


def test_a_hub_that_is_not_there_is_said(tmp_path: Path, hub: FakeHub, model: HubModel) -> None:
    library = make_library(tmp_path, hub, model)
    for status in (401, 403, 404, 429, 500, 503):
        hub.status = status
        assert code_of_fetching(library) == FailureCode.HUB_NOT_REACHED
    hub.status = None
    hub.drops = [0] * 50
    assert code_of_fetching(library) == FailureCode.HUB_NOT_REACHED
    with FakeHub("someone/gone", REVISION, {}) as gone:
        address = gone.address
    away = BundleLibrary(tmp_path / "m", tmp_path, build_quickly, HubSource(tmp_path / "c", (model,), address))
    assert code_of_fetching(away) == FailureCode.HUB_NOT_REACHED


def test_without_network_nothing_is_tried(
    tmp_path: Path, hub: FakeHub, model: HubModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    huggingface_hub.utils.reset_sessions()  # type: ignore[attr-defined]  # public, but not in its list of names
    try:
        assert code_of_fetching(make_library(tmp_path, hub, model)) == FailureCode.HUB_NOT_REACHED
        assert not hub.asked
    finally:
        monkeypatch.undo()
        huggingface_hub.utils.reset_sessions()  # type: ignore[attr-defined]  # see above


def test_what_is_no_gpt2_is_refused_and_forgotten(
    tmp_path: Path, hub: FakeHub, model: HubModel, files: dict[str, bytes]
) -> None:
    hub.files = {**files, "config.json": b'{"model_type": "llama"}'}
    assert code_of_fetching(make_library(tmp_path, hub, model)) == FailureCode.MODEL_FOLDER_BAD
    hub.files = files
    assert make_library(tmp_path, hub, model).fetch("tiny").name == "tiny"


def test_unknown_and_taken_names_are_said(tmp_path: Path, hub: FakeHub, model: HubModel) -> None:
    library = make_library(tmp_path, hub, model)
    with pytest.raises(StorydeskError) as caught:
        library.fetch("gpt5")
    assert caught.value.failure.code == FailureCode.HUB_MODEL_UNKNOWN
    assert caught.value.failure.parameters == {"name": "gpt5", "known": "tiny"}
    (tmp_path / "models" / "tiny").mkdir(parents=True)
    assert code_of_fetching(library) in (FailureCode.MODEL_NAME_TAKEN, FailureCode.MODEL_DAMAGED)
    assert not hub.asked


def test_a_disk_without_room_is_said_before_anything_comes(
    tmp_path: Path, hub: FakeHub, model: HubModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    huge = replace(model, weight_bytes=1 << 60)
    assert code_of_fetching(make_library(tmp_path, hub, huge)) == FailureCode.DISK_FULL
    assert not hub.asked


def test_two_fetches_at_once_download_once(tmp_path: Path, hub: FakeHub, model: HubModel) -> None:
    sources = [HubSource(tmp_path / "cache", (model,), hub.address) for _ in range(2)]
    threads = [threading.Thread(target=source.fetch, args=(model,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hub.list_asked("model.safetensors")) == 1


def test_the_table_is_pinned() -> None:
    assert [model.id for model in HUB_MODELS] == ["gpt2", "distilgpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"]
    for model in HUB_MODELS:
        assert len(model.revision) == 40
        assert len(model.weight_sha256) == 64
        assert int(model.revision, 16)
        assert int(model.weight_sha256, 16)
        assert model.repository.endswith(f"/{model.id}")
