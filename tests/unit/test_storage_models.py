"""The shelf of models: what is on it can be used, what strangers bring is checked, and nothing is ever half there."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.services.ports import Progress
from storydesk.storage.bundle_builder import build_bundle
from storydesk.storage.graph_choice import choose_graph, read_memory
from storydesk.storage.model_library import BundleLibrary
from storydesk.storage.model_names import find_free, is_fit, make_fit
from storydesk.storage.starter import STARTER
from tests.fakes.bundles import build_quickly, write_manifest
from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.protocol.manifest import FORMAT_VERSION, FileEntry, Graph, read_manifest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_gpt2(tmp_path_factory.mktemp("weights") / "tiny", layers=1, width=16, vocabulary=260)


@pytest.fixture
def shipped(weights: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(weights, tmp_path / "shipped"))


@pytest.fixture
def library(shipped: Path, tmp_path: Path) -> BundleLibrary:
    return BundleLibrary(tmp_path / "models", shipped, build_quickly)


def make_bundle(weights: Path, place: Path, name: str, kind: str = "tuned") -> Path:
    place.mkdir(parents=True, exist_ok=True)
    build_quickly(weights, place / name, name, "made for tests", "CC0")
    write_manifest(place / name, name, kind=kind)
    return place / name


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(StorydeskError) as caught:
        action()
    return caught.value.failure.code


def test_the_starter_is_listed_at_once_and_built_at_first_use(library: BundleLibrary) -> None:
    listed = library.list_models()
    assert [(model.name, model.built_in, model.positions) for model in listed] == [(STARTER, True, 128)]
    assert not listed[0].graph.exists()
    model = library.get(STARTER)
    assert model.graph.read_bytes() == b"small " * 20
    assert (model.precision, model.kind, model.built_in, model.normaliser) == ("int8", STARTER, True, "ascii-1")
    assert model.tokenizer.is_file()
    assert (model.weights / "model.safetensors").is_file()
    assert list(library.list_models()) == [model]


def test_the_starter_is_built_once_and_again_when_its_weights_change(weights: Path, tmp_path: Path) -> None:
    shipped = Path(shutil.copytree(weights, tmp_path / "shipped"))
    built: list[Path] = []

    def build(
        weights: Path, bundle: Path, name: str, origin: str, licence: str, progress: Progress | None = None
    ) -> None:
        built.append(bundle)
        build_quickly(weights, bundle, name, origin, licence)

    def get() -> object:
        return BundleLibrary(tmp_path / "models", shipped, build).get(STARTER)

    assert get() == get()
    assert len(built) == 1
    os.utime(shipped / "config.json", (1, 1))  # another time, the same weights
    get()
    get()
    assert len(built) == 1
    make_tiny_gpt2(shipped, layers=1, width=16, vocabulary=260, seed=5)
    get()
    assert len(built) == 2
    (tmp_path / "models" / STARTER / "fast" / "int8.onnx").write_bytes(b"broken")
    assert BundleLibrary(tmp_path / "models", shipped, build).verify(STARTER).graph.read_bytes() == b"small " * 20
    assert len(built) == 3


def test_a_build_that_breaks_off_leaves_nothing_and_is_done_again(weights: Path, tmp_path: Path) -> None:
    def break_off(
        weights: Path, bundle: Path, name: str, origin: str, licence: str, progress: Progress | None = None
    ) -> None:
        bundle.mkdir()
        (bundle / "half").write_bytes(b"x")
        raise StorydeskError(FailureCode.DISK_FULL, path=str(bundle))

    models = tmp_path / "models"
    assert code_of(lambda: BundleLibrary(models, weights, break_off).get(STARTER)) == FailureCode.DISK_FULL
    assert not (models / STARTER).exists()
    assert not list((models / ".staging").iterdir())
    assert BundleLibrary(models, weights, build_quickly).get(STARTER).name == STARTER


FIRST_USE = """
import sys, time
from pathlib import Path
from storydesk.storage.model_library import BundleLibrary
from tests.fakes.bundles import build_quickly
def build(*arguments):
    print("building", flush=True)
    time.sleep(0.5)
    build_quickly(*arguments)
model = BundleLibrary(Path(sys.argv[1]), Path(sys.argv[2]), build).get("starter")
print(model.graph.read_bytes() == b"small " * 20)
"""


def test_two_processes_may_want_the_starter_at_once(weights: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", FIRST_USE, str(tmp_path / "models"), str(weights)]
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate(timeout=60)[0].split() for process in processes]
    assert sorted(said, key=len) == [["True"], ["True"], ["building", "True"]]


def test_a_finished_bundle_is_taken_in_whole(library: BundleLibrary, weights: Path, tmp_path: Path) -> None:
    bundle = make_bundle(weights, library.staging_folder(), "My sea tales")
    model = library.install(bundle)
    assert not bundle.exists()
    assert model == library.get("My sea tales") == library.verify("My sea tales")
    assert model.heldout["perplexity_after"] == 20.0
    assert model.lineage == ("starter",)
    assert [other.name for other in library.list_models()] == [STARTER, "My sea tales"]
    again = make_bundle(weights, tmp_path / "elsewhere", "My sea tales")
    assert code_of(lambda: library.install(again)) == FailureCode.MODEL_NAME_TAKEN
    assert again.is_dir()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second disk")
def test_a_bundle_on_another_disk_is_copied(library: BundleLibrary, weights: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        bundle = make_bundle(weights, Path(other), "far")
        library.install(bundle)
        assert not bundle.exists()
    assert library.verify("far").name == "far"


def test_a_changed_file_is_noticed(library: BundleLibrary, weights: Path) -> None:
    library.install(make_bundle(weights, library.staging_folder(), "mine"))
    graph = library.get("mine").graph
    status = graph.stat()
    graph.write_bytes(b"SMALL " * 20)
    assert code_of(lambda: library.get("mine")) == FailureCode.MODEL_DAMAGED
    os.utime(graph, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert code_of(lambda: library.verify("mine")) == FailureCode.MODEL_DAMAGED
    graph.unlink()
    assert code_of(lambda: library.get("mine")) == FailureCode.MODEL_DAMAGED
    assert [model.name for model in library.list_models()] == [STARTER]
    library.remove("mine")
    assert code_of(lambda: library.get("mine")) == FailureCode.MODEL_NOT_FOUND


def test_getting_a_model_again_reads_no_weights(
    library: BundleLibrary, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.install(make_bundle(weights, library.staging_folder(), "mine"))
    model = library.get("mine")

    def refuse(*_arguments: object) -> object:
        raise AssertionError("hashed again")

    monkeypatch.setattr("storydesk.storage.model_library.hashlib.file_digest", refuse)
    assert library.get("mine") == model
    (model.folder.parent / ".verified.json").write_bytes(b"[\xff")
    with pytest.raises(AssertionError):
        library.get("mine")


def test_models_can_be_removed_but_the_starter_stays(library: BundleLibrary, weights: Path) -> None:
    library.install(make_bundle(weights, library.staging_folder(), "mine"))
    library.get(STARTER)
    library.remove("mine")
    assert [model.name for model in library.list_models()] == [STARTER]
    assert not list(library.get(STARTER).folder.parent.glob(".trash-*"))
    assert code_of(lambda: library.remove("mine")) == FailureCode.MODEL_NOT_FOUND
    for name in (STARTER, "Starter"):
        assert code_of(lambda name=name: library.remove(name)) == FailureCode.MODEL_BUILT_IN  # type: ignore[misc]  # mypy can't type a lambda's default


@pytest.mark.parametrize("name", ["..", ".", "", "../models/mine", ".staging", "a/b", "a\0b", "mine/", "C:\\x"])
def test_names_that_are_paths_find_nothing(library: BundleLibrary, weights: Path, name: str) -> None:
    library.install(make_bundle(weights, library.staging_folder(), "mine"))
    assert code_of(lambda: library.get(name)) == FailureCode.MODEL_NOT_FOUND
    assert code_of(lambda: library.remove(name)) == FailureCode.MODEL_NOT_FOUND
    assert library.get("mine").name == "mine"


# What a stranger may have written into a manifest.
HOSTILE: dict[str, Callable[[dict[str, Any]], object]] = {
    "path up": lambda record: record["files"].update({"../../secret": {"bytes": 1, "sha256": "0" * 64}}),
    "absolute path": lambda record: record["files"].update({"/etc/hostname": {"bytes": 1, "sha256": "0" * 64}}),
    "windows path": lambda record: record["files"].update({"C:\\x": {"bytes": 1, "sha256": "0" * 64}}),
    "backslash": lambda record: record["files"].update({"..\\x": {"bytes": 1, "sha256": "0" * 64}}),
    "empty path": lambda record: record["files"].update({"": {"bytes": 1, "sha256": "0" * 64}}),
    "null in path": lambda record: record["files"].update({"a\0b": {"bytes": 1, "sha256": "0" * 64}}),
    "surrogate in path": lambda record: record["files"].update({"a\ud800": {"bytes": 1, "sha256": "0" * 64}}),
    "long path": lambda record: record["files"].update({"a" * 5000: {"bytes": 1, "sha256": "0" * 64}}),
    "graph outside": lambda record: record["graphs"][0].update(path="../../../etc/hostname"),
    "graph is a number": lambda record: record["graphs"][0].update(path=5),
    "graph is a list": lambda record: record["graphs"][0].update(precision=[]),
    "huge size": lambda record: record["files"]["weights/config.json"].update(bytes=10**300),
    "negative size": lambda record: record["files"]["weights/config.json"].update(bytes=-1),
    "size is a word": lambda record: record["files"]["weights/config.json"].update(bytes="many"),
    "hash is a number": lambda record: record["files"]["weights/config.json"].update(sha256=1),
    "layers are a word": lambda record: record["architecture"].update(layers="many"),
    "layers are true": lambda record: record["architecture"].update(layers=True),
    "positions are huge": lambda record: record["architecture"].update(positions=10**30),
    "width is zero": lambda record: record["architecture"].update(width=0),
    "token outside": lambda record: record["architecture"].update(end_token_id=10**6),
    "template is a list": lambda record: record["text_form"].update(template=["a"]),
    "template of numbers": lambda record: record["text_form"].update(template={"before": 1}),
    "heldout is not finite": lambda record: record.update(heldout={"perplexity_after": 1e999}),
    "heldout is a list": lambda record: record.update(heldout=[1]),
    "no default": lambda record: record.update(default_graph="fp64"),
    "no graphs": lambda record: record.update(graphs=[]),
    "no files": lambda record: record.update(files={}),
    "files are a list": lambda record: record.update(files=[1]),
    "no tokenizer": lambda record: record["files"].pop("weights/tokenizer.json"),
    "unknown field": lambda record: record["architecture"].update(colour="red"),
    "no version": lambda record: record.pop("v"),
}


@pytest.mark.parametrize("harm", HOSTILE.values(), ids=HOSTILE)
def test_hostile_manifests_are_refused(
    library: BundleLibrary, weights: Path, tmp_path: Path, harm: Callable[[dict[str, Any]], object]
) -> None:
    bundle = make_bundle(weights, tmp_path / "theirs", "theirs")
    record = json.loads((bundle / "manifest.json").read_text())
    harm(record)
    (bundle / "manifest.json").write_text(json.dumps(record))
    assert code_of(lambda: library.install(bundle)) == FailureCode.MODEL_DAMAGED
    assert code_of(lambda: library.add_folder(bundle)) == FailureCode.MODEL_DAMAGED
    shutil.copytree(bundle, tmp_path / "models" / "theirs")
    assert code_of(lambda: library.get("theirs")) == FailureCode.MODEL_DAMAGED
    assert [model.name for model in library.list_models()] == [STARTER]


@pytest.mark.parametrize("raw", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"5", b'{"v": "1.0"}', b" " * 9_000_000])
def test_manifests_that_are_none_are_refused(library: BundleLibrary, weights: Path, tmp_path: Path, raw: bytes) -> None:
    bundle = make_bundle(weights, tmp_path / "models", "theirs")
    (bundle / "manifest.json").write_bytes(raw)
    assert code_of(lambda: library.get("theirs")) == FailureCode.MODEL_DAMAGED
    assert [model.name for model in library.list_models()] == [STARTER]


def test_a_manifest_of_a_newer_program_says_so(library: BundleLibrary, weights: Path, tmp_path: Path) -> None:
    bundle = make_bundle(weights, tmp_path / "theirs", "theirs")
    path = bundle / "manifest.json"
    path.write_text(path.read_text().replace(f'"v": "{FORMAT_VERSION}"', '"v": "2.0"'))
    assert code_of(lambda: library.install(bundle)) == "protocol_too_new"


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("whole_folder", [False, True])
def test_links_out_of_a_bundle_are_refused(
    library: BundleLibrary, weights: Path, tmp_path: Path, whole_folder: bool
) -> None:
    bundle = make_bundle(weights, tmp_path / "theirs", "theirs")
    inside = bundle / "fast" if whole_folder else bundle / "fast" / "int8.onnx"
    outside = tmp_path / "outside"
    inside.rename(outside)
    inside.symlink_to(outside)
    assert code_of(lambda: library.install(bundle)) == FailureCode.MODEL_DAMAGED


@pytest.mark.parametrize("name", ["", "..", "a/b", "con", "LPT1.x", "a" * 61, "a.", "-a", "a\u0301\u0301\n", "a:b"])
def test_names_that_no_folder_can_have_are_refused(
    library: BundleLibrary, weights: Path, tmp_path: Path, name: str
) -> None:
    bundle = make_bundle(weights, tmp_path / "theirs", "theirs")
    assert code_of(lambda: library.add_folder(weights, name)) == FailureCode.MODEL_NAME_BAD
    write_manifest(bundle, name)
    assert code_of(lambda: library.install(bundle)) == FailureCode.MODEL_NAME_BAD


@given(st.text(max_size=80), st.lists(st.text(max_size=8), max_size=5))
def test_a_free_name_is_fit_and_free(wanted: str, taken: list[str]) -> None:
    name = find_free(wanted, taken)
    assert is_fit(name)
    assert name.casefold() not in {other.casefold() for other in taken}
    assert make_fit(name) == name


def test_free_names_keep_what_they_can(library: BundleLibrary, weights: Path) -> None:
    library.install(make_bundle(weights, library.staging_folder(), "Meer – Ü".replace(" –", "")))
    assert library.free_name("meer ü") == "meer ü 2"
    assert library.free_name("Sea: tales/of?old") == "Sea tales of old"
    assert library.free_name("Starter") == "Starter 2"
    assert library.free_name("nul") == "model nul"
    assert library.free_name("???") == "model"


def test_a_folder_of_weights_is_built_and_named_after_it(library: BundleLibrary, weights: Path) -> None:
    model = library.add_folder(weights)
    assert (model.name, model.built_in, model.positions) == ("tiny", False, 128)
    assert library.add_folder(weights).name == "tiny 2"
    assert library.add_folder(weights, "Named").name == "Named"
    assert code_of(lambda: library.add_folder(weights, "named")) == FailureCode.MODEL_NAME_TAKEN
    assert len(library.list_models()) == 4


def test_a_folder_that_is_a_bundle_is_copied(library: BundleLibrary, weights: Path, tmp_path: Path) -> None:
    bundle = make_bundle(weights, tmp_path / "theirs", "theirs")
    (bundle / "stray.py").write_text("not listed")
    model = library.add_folder(bundle)
    assert bundle.is_dir()
    assert (model.name, model.kind) == ("theirs", "tuned")
    assert not (model.folder / "stray.py").exists()
    assert library.add_folder(bundle).name == "theirs 2"
    assert library.add_folder(bundle, "ours").name == "ours"
    assert library.verify("ours").name == "ours"


def spoil_config(**values: object) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return spoil


def pickle_only(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def remove(*names: str) -> Callable[[Path], object]:
    def do(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return do


BAD_FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "another kind": (spoil_config(model_type="llama"), "llama"),
    "no layers": (spoil_config(n_layer="two"), "n_layer"),
    "huge": (spoil_config(vocab_size=10**12), "vocab_size"),
    "no config": (remove("config.json"), "config.json is missing"),
    "broken config": (lambda folder: (folder / "config.json").write_text("{"), "config.json is damaged"),
    "deep config": (lambda folder: (folder / "config.json").write_text("[" * 90_000), "config.json is damaged"),
    "no weights": (remove("model.safetensors"), "model.safetensors is missing"),
    "pickled": (pickle_only, "only a pickled file"),
    "cut short": (cut_short, "cut short"),
    "no safetensors": (lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 99), "damaged"),
    "empty weights": (lambda folder: (folder / "model.safetensors").write_bytes(b""), "damaged"),
    "no tokenizer": (remove("tokenizer.json", "vocab.json"), "tokenizer.json is missing"),
    "gone": (shutil.rmtree, "no such folder"),
}


@pytest.mark.parametrize(("harm", "words"), BAD_FOLDERS.values(), ids=BAD_FOLDERS)
def test_folders_without_a_usable_model_are_refused(
    library: BundleLibrary, weights: Path, tmp_path: Path, harm: Callable[[Path], object], words: str
) -> None:
    folder = Path(shutil.copytree(weights, tmp_path / "theirs"))
    harm(folder)
    with pytest.raises(StorydeskError) as caught:
        library.add_folder(folder)
    assert caught.value.failure.code == FailureCode.MODEL_FOLDER_BAD
    assert words in str(caught.value.failure.parameters["detail"])
    assert len(library.list_models()) == 1


def test_the_trainer_builds_a_real_model(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = BundleLibrary(tmp_path / "models", weights)
    assert library.get(STARTER).graph.is_file()
    monkeypatch.chdir(weights.parent)
    model = library.add_folder(Path(weights.name), "real")
    assert model.graph.is_file()
    assert {"fp32", "int8"} <= set(model.graphs)
    assert (model.positions, model.vocabulary, model.licence) == (128, 260, "unknown")
    assert library.verify("real") == model
    bad = Path(shutil.copytree(weights, tmp_path / "bad"))
    spoil_config(n_embd=24)(bad)
    assert code_of(lambda: library.add_folder(bad)) == FailureCode.MODEL_FOLDER_BAD


BUILDERS = {
    "import sys; sys.exit('the roof came down')": (FailureCode.MODEL_FOLDER_BAD, "the roof came down"),
    """print('{"v":"1.0","kind":"run_failed","code":"disk_full","parameters":{"path":"x"}}')""": ("disk_full", ""),
    """print('{"v":"1.0","kind":"run_failed","code":"base_not_usable","parameters":{"path":"x","detail":"odd"}}')""": (
        FailureCode.MODEL_FOLDER_BAD,
        "odd",
    ),
    """print('{"v":"1.0","kind":"run_stopped","step":0}')""": (FailureCode.CANCELLED, ""),
    "print('nonsense')": (FailureCode.MODEL_FOLDER_BAD, "exit code 0"),
}


@pytest.mark.parametrize("script", BUILDERS)
def test_what_a_builder_says_is_passed_on(weights: Path, tmp_path: Path, script: str) -> None:
    code, words = BUILDERS[script]
    with pytest.raises(StorydeskError) as caught:
        build_bundle(weights, tmp_path / "bundle", "n", "o", "l", program=(sys.executable, "-c", script))
    assert caught.value.failure.code == code
    assert words in str(caught.value.failure.parameters.get("detail", ""))


def test_the_graph_that_serves_can_be_asked_for_and_says_why(shipped: Path, tmp_path: Path) -> None:
    asked = {"mine": "fp32"}
    library = BundleLibrary(tmp_path / "models", shipped, build_quickly, wanted=lambda name: asked.get(name, ""))
    model = library.install(make_bundle(shipped, tmp_path, "mine"))
    assert (model.precision, model.graph.name, model.choice) == ("fp32", "fp32.onnx", "graph_wanted")
    asked.clear()
    model = library.get("mine")
    assert (model.precision, model.choice, model.choice_parameters["percent"]) == ("int8", "graph_fast", 0.33)


@pytest.mark.parametrize(
    ("perplexities", "memory", "precision", "reason"),
    [
        ({"int8": 30.1, "int4": 30.5}, 16e9, "int8", "graph_fast"),
        ({"int8": 30.1, "int4": 30.5}, None, "int8", "graph_fast"),
        ({"int8": 31.0, "int4": 30.5}, 64e9, "fp32", "graph_true"),
        ({"int8": 30.1, "int4": 30.5}, 2.0e9, "int4", "graph_small"),
        ({"int8": 30.1, "int4": 33.0}, 2.0e9, "int8", "graph_fast"),
        ({"int8": 31.0, "int4": 33.0}, 2.0e9, "int8", "graph_small"),
        ({}, 16e9, "fp32", "graph_only"),
    ],
)
def test_the_graph_is_chosen_by_perplexity_and_memory(
    perplexities: dict[str, float], memory: float | None, precision: str, reason: str, weights: Path, tmp_path: Path
) -> None:
    manifest = read_manifest(make_bundle(weights, tmp_path, "mine"))
    sizes = {"fp32": 6_000_000_000, "int8": 1_700_000_000, "int4": 900_000_000}
    kinds = {"fp32": 30.0, **perplexities}
    graphs = tuple(Graph(kind, f"fast/{kind}.onnx", "fp32", 0.0, value, 30.0) for kind, value in kinds.items())
    files = {**manifest.files, **{graph.path: FileEntry(sizes[graph.precision], "0" * 64) for graph in graphs}}
    manifest = dataclasses.replace(manifest, graphs=graphs, files=files, default_graph="fp32")
    choice = choose_graph(manifest, memory=None if memory is None else int(memory))
    assert (choice.precision, choice.reason) == (precision, reason)
    assert choose_graph(manifest, "fp32").reason == "graph_wanted"


def test_the_machine_knows_its_memory() -> None:
    memory = read_memory()
    assert memory is not None
    assert 1 << 28 < memory < 1 << 50
