"""The shelf: names follow, what was deleted comes back, what strangers send is refused, and nothing is ever half."""

from __future__ import annotations

import json
import shutil
import stat
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.model_shelf import ExportForm, UseRecord
from storydesk.domain.settings import ACTIVE_MODEL, MODEL_PRECISIONS
from storydesk.services.models import ModelService, read_precision
from storydesk.services.ports import Progress
from storydesk.storage.bundle_builder import build_bundle
from storydesk.storage.model_library import BundleLibrary
from storydesk.storage.model_shelf import KEPT_SECONDS, BundleShelf
from storydesk.storage.starter import STARTER
from tests.fakes.breaking import fill_at_each, kill_at_each
from tests.fakes.bundles import build_quickly, write_manifest
from tests.fakes.services import FakeSettings
from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.protocol.manifest import MANIFEST_NAME, read_manifest

posix = pytest.mark.skipif(sys.platform == "win32", reason="forks")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_gpt2(tmp_path_factory.mktemp("weights") / "tiny", layers=1, width=16, vocabulary=260)


class Shelf:
    """A shelf below a folder, with a model ``Salt`` on it; every look at it is a program's own."""

    def __init__(self, root: Path, weights: Path) -> None:
        self.root = root
        self.models = root / "models"
        self.weights = weights
        self.now = 1_800_000_000.0
        self.settings = FakeSettings()

    @property
    def library(self) -> BundleLibrary:
        return BundleLibrary(self.models, self.weights, build_quickly)

    @property
    def shelf(self) -> BundleShelf:
        return BundleShelf(self.library, self.models, make_portable, lambda: self.now)

    @property
    def service(self) -> ModelService:
        return ModelService(self.library, self.settings, self.shelf, lambda: self.now)

    @property
    def names(self) -> list[str]:
        return [model.name for model in self.library.list_models()]

    def add(self, name: str) -> None:
        place = self.library.staging_folder() / name
        build_quickly(self.weights, place, name, "made for tests", "MIT")
        (place / "README.md").write_text(f"# {name}\n\nA GPT-2 model, made for tests.\n", encoding="utf-8")
        write_manifest(place, name, kind="tuned", licence="MIT")
        self.library.install(place)


def make_portable(model: Path, bundle: Path, name: str, progress: Progress) -> None:
    progress(0, 3)
    (bundle / "portable").mkdir(parents=True)
    shutil.copyfile(model / "weights" / "config.json", bundle / "portable" / "config.json")
    (bundle / "portable" / "model.onnx").write_bytes(b"graph " * 100)
    progress(2, 3)


@pytest.fixture
def made(tmp_path: Path, weights: Path) -> Shelf:
    shelf = Shelf(tmp_path, weights)
    shelf.add("Salt")
    return shelf


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(StorydeskError) as caught:
        action()
    return caught.value.failure.code


def list_hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if ".partial" in path.name or path.name.endswith((".tmp", ".old"))]


class TestRenaming:
    def test_everything_that_speaks_of_the_old_name_finds_the_model(self, made: Shelf) -> None:
        made.service.use("Salt", "fp32")
        assert made.service.rename("Salt", "Salt and Rope").name == "Salt and Rope"
        assert made.names == [STARTER, "Salt and Rope"]
        assert made.settings.get(ACTIVE_MODEL) == "Salt and Rope"
        assert read_precision(made.settings, "Salt and Rope") == "fp32"
        assert "Salt" not in json.loads(made.settings.get(MODEL_PRECISIONS))
        assert made.library.get("Salt").name == "Salt and Rope"
        assert read_manifest(made.models / "Salt and Rope").name == "Salt and Rope"
        assert [use.name for use in made.service.list_uses()] == [STARTER, "Salt and Rope"]

    def test_a_name_that_comes_into_use_again_means_the_new_model(self, made: Shelf) -> None:
        made.service.rename("Salt", "Rope")
        made.add("Salt")
        assert made.library.get("Salt").name == "Salt"
        made.service.delete("Salt")
        assert code_of(lambda: made.library.get("Salt")) == FailureCode.MODEL_NOT_FOUND

    def test_back_and_forth(self, made: Shelf) -> None:
        made.service.rename("Salt", "salt")
        assert made.names == [STARTER, "salt"]
        made.service.rename("salt", "Rope")
        made.service.rename("Salt", "Salt")
        assert made.names == [STARTER, "Salt"]
        assert made.library.get("Rope").name == "Salt"

    @pytest.mark.parametrize(
        ("name", "new", "code"),
        [
            ("Salt", "starter", FailureCode.MODEL_NAME_TAKEN),
            ("Salt", "ROPE", FailureCode.MODEL_NAME_TAKEN),
            ("Salt", "../up", FailureCode.MODEL_NAME_BAD),
            ("Salt", "", FailureCode.MODEL_NAME_BAD),
            ("Starter", "mine", FailureCode.MODEL_BUILT_IN),
            ("Nobody", "mine", FailureCode.MODEL_NOT_FOUND),
        ],
    )
    def test_what_can_not_be(self, made: Shelf, name: str, new: str, code: str) -> None:
        made.add("Rope")
        assert code_of(lambda: made.service.rename(name, new)) == code
        assert made.names == [STARTER, "Rope", "Salt"]

    @posix
    def test_killed_at_any_moment_the_model_is_there_and_in_use(self, tmp_path: Path, weights: Path) -> None:
        made = Shelf(tmp_path / "0", weights)
        made.add("Salt")
        made.service.use("Salt")

        def rename() -> None:
            made.service.rename("Salt", "Rope")

        for _number in kill_at_each(rename, tmp_path):
            assert made.names in ([STARTER, "Salt"], [STARTER, "Rope"])
            made.service.list_models()
            active = made.settings.get(ACTIVE_MODEL)
            assert active in made.names
            assert made.library.verify(active).name == active
            made.service.rename(active, "Salt")
        assert _number > 3


class TestDeleting:
    def test_undo_brings_it_back_as_it_was(self, made: Shelf) -> None:
        deleted = made.service.delete("Salt")
        assert (deleted.name, deleted.deleted) == ("Salt", made.now)
        assert deleted.bytes > 1000
        assert made.names == [STARTER]
        assert made.service.list_deleted() == [deleted]
        assert made.service.restore("Salt").name == "Salt"
        assert made.library.verify("Salt").heldout["perplexity_after"] == 20.0
        assert made.service.list_deleted() == []

    def test_it_comes_back_beside_another_of_its_name(self, made: Shelf) -> None:
        deleted = made.service.delete("Salt")
        made.add("Salt")
        assert made.service.restore(deleted.id).name == "Salt 2"
        assert made.names == [STARTER, "Salt", "Salt 2"]

    def test_the_model_in_use_needs_another_and_the_starter_stays(self, made: Shelf) -> None:
        made.service.use("Salt")
        assert code_of(lambda: made.service.delete("Salt")) == FailureCode.MODEL_IN_USE
        assert code_of(lambda: made.service.delete("Salt", "Salt")) == FailureCode.MODEL_IN_USE
        assert code_of(lambda: made.service.delete("Salt", "Nobody")) == FailureCode.MODEL_NOT_FOUND
        assert made.names == [STARTER, "Salt"]
        made.service.delete("Salt", STARTER)
        assert made.settings.get(ACTIVE_MODEL) == STARTER
        assert code_of(lambda: made.service.delete(STARTER)) == FailureCode.MODEL_IN_USE
        assert code_of(lambda: made.shelf.delete(STARTER)) == FailureCode.MODEL_BUILT_IN

    def test_the_trash_is_emptied_by_hand_or_after_a_month(self, made: Shelf) -> None:
        made.add("Rope")
        made.service.delete("Salt")
        made.now += KEPT_SECONDS / 2
        made.service.delete("Rope")
        made.now += KEPT_SECONDS / 2 + 1
        assert [each.name for each in made.service.list_deleted()] == ["Rope"]
        made.service.empty_trash()
        assert made.service.list_deleted() == []
        assert not (made.models / ".deleted").exists()

    @posix
    def test_killed_at_any_moment_it_is_on_the_shelf_or_in_the_trash(self, made: Shelf, tmp_path: Path) -> None:
        for _number in kill_at_each(lambda: made.service.delete("Salt"), tmp_path):
            assert (made.names == [STARTER, "Salt"]) is not bool(made.service.list_deleted())
            if made.service.list_deleted():
                made.service.restore("Salt")
            assert made.library.verify("Salt")
        for _number in kill_at_each(lambda: made.service.restore(made.service.delete("Salt").id), tmp_path):
            if made.service.list_deleted():
                made.service.restore("Salt")
            assert made.names == [STARTER, "Salt"]

    def test_a_model_deleted_by_hand_is_noticed(self, made: Shelf) -> None:
        made.service.use("Salt")
        shutil.rmtree(made.models / "Salt")
        assert [model.name for model in made.service.list_models()] == [STARTER]
        assert code_of(lambda: made.service.details("Salt")) == FailureCode.MODEL_NOT_FOUND
        assert made.service.find_previous() == STARTER
        assert code_of(lambda: made.service.delete("Salt", STARTER)) == FailureCode.MODEL_NOT_FOUND
        assert made.settings.get(ACTIVE_MODEL) == STARTER

    def test_a_damaged_model_can_go_even_if_it_is_in_use(self, made: Shelf) -> None:
        made.service.use("Salt")
        (made.models / "Salt" / "fast" / "fp32.onnx").write_bytes(b"")
        assert made.names == [STARTER]
        assert made.service.delete("Salt", STARTER).name == "Salt"
        assert code_of(lambda: made.service.restore("Salt")) == FailureCode.MODEL_DAMAGED


class TestRollingBack:
    def test_twice_goes_back_two(self, made: Shelf) -> None:
        made.add("Rope")
        assert code_of(made.service.roll_back) == FailureCode.MODEL_NO_OTHER
        made.service.use("Salt")
        made.service.use("Rope")
        assert made.service.find_previous() == "Salt"
        assert made.service.roll_back().name == "Salt"
        assert made.service.roll_back().name == STARTER
        assert code_of(made.service.roll_back) == FailureCode.MODEL_NO_OTHER
        assert [use.name for use in made.service.list_uses()] == [STARTER, "Salt", "Rope", "Salt", STARTER]

    def test_a_model_that_a_tuning_brought_into_use_counts(self, made: Shelf) -> None:
        made.service.use("Salt")
        made.add("Rope")
        made.settings.set(ACTIVE_MODEL, "Rope")
        assert made.service.roll_back().name == "Salt"

    def test_models_that_have_gone_are_passed_over(self, made: Shelf) -> None:
        made.add("Rope")
        made.service.use("Salt")
        made.service.use("Rope")
        made.service.delete("Salt")
        assert made.service.roll_back().name == STARTER

    def test_damaged_notes_cost_the_memory_only(self, made: Shelf) -> None:
        made.service.use("Salt")
        for damaged in (b"\xff", b"[1]", b'{"used": [7, {"name": "x", "since": NaN}], "renamed": [["a"], 3]}'):
            (made.models / ".shelf.json").write_bytes(damaged)
            assert made.shelf.list_uses() == []
            assert made.library.get("Salt").name == "Salt"
        made.shelf.note_use(UseRecord("Salt", 5.0))
        assert made.shelf.list_uses() == [UseRecord("Salt", 5.0)]


class TestTwoPrograms:
    def test_many_changes_at_once_leave_every_model_whole(self, made: Shelf) -> None:
        for name in ("Rope", "Tar"):
            made.add(name)
        failures: list[str] = []

        def work(number: int) -> None:
            for turn in range(4):
                for action in (
                    lambda: made.shelf.rename("Salt", f"Salt {number} {turn}"),  # noqa: B023 - called at once
                    lambda: made.shelf.restore(made.shelf.delete("Rope").id),
                    lambda: made.shelf.note_use(UseRecord("Tar", 1.0)),
                ):
                    try:
                        action()
                    except StorydeskError as error:
                        failures.append(error.failure.code)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # One may find a model on its way between trash and shelf, and says so; none is lost and no note either.
        assert set(failures) <= {FailureCode.MODEL_NOT_FOUND, FailureCode.MODEL_DAMAGED}
        assert len(made.names) == 4
        assert all(made.library.verify(name) for name in made.names)
        assert made.library.get("Salt").name.startswith("Salt ")
        assert len(made.shelf.list_uses()) == 12


class TestExporting:
    def test_a_hugging_face_folder_has_all_that_it_needs(self, made: Shelf, tmp_path: Path) -> None:
        made.service.rename("Salt", "Rope")
        heard: list[tuple[int, int]] = []
        out = made.service.export(
            "Rope", ExportForm.HUGGING_FACE, tmp_path / "out", lambda done, total: heard.append((done, total))
        )
        assert {path.name for path in out.iterdir()} >= {
            "config.json",
            "model.safetensors",
            "tokenizer.json",
            "README.md",
        }
        card = (out / "README.md").read_text(encoding="utf-8")
        assert card.startswith("---\nlanguage: en\nlicense: mit\n")
        assert "# Rope" in card
        assert "GPT2LMHeadModel" in card
        assert heard == sorted(heard)
        assert heard[-1] == (1000, 1000)
        assert code_of(lambda: made.service.export("Rope", ExportForm.HUGGING_FACE, out)) == FailureCode.FILE_EXISTS
        made.service.export("Rope", ExportForm.HUGGING_FACE, out, overwrite=True)
        assert not list_hidden(tmp_path)

    @pytest.mark.parametrize("target", ["out", "out.zip"])
    def test_a_whole_model_comes_in_again_elsewhere(
        self, made: Shelf, weights: Path, tmp_path: Path, target: str
    ) -> None:
        out = made.service.export("Salt", ExportForm.STORYDESK, tmp_path / target)
        other = Shelf(tmp_path / "other", weights)
        assert other.service.add(out).name == "Salt"
        assert other.service.add(out).name == "Salt 2"
        assert other.service.details("Salt 2").fingerprint == made.service.details("Salt").fingerprint != ""
        assert other.library.verify("Salt").heldout == made.library.get("Salt").heldout
        assert not list((other.models / ".staging").iterdir())

    @pytest.mark.parametrize("target", ["out", "out.zip"])
    def test_the_portable_graph_is_made_where_there_is_none(self, made: Shelf, tmp_path: Path, target: str) -> None:
        out = made.service.export("Salt", ExportForm.ONNX, tmp_path / target)
        if target == "out":
            assert (out / "model.onnx").read_bytes() == b"graph " * 100
        else:
            with zipfile.ZipFile(out) as archive:
                assert "Salt/model.onnx" in archive.namelist()
                assert "Salt/README.md" in archive.namelist()

    @pytest.mark.parametrize("form", list(ExportForm))
    @pytest.mark.parametrize("target", ["out", "out.zip"])
    def test_a_cancel_leaves_nothing(self, made: Shelf, tmp_path: Path, form: ExportForm, target: str) -> None:
        def cancel(done: int, _total: int) -> None:
            if done > 500:
                raise StorydeskError(FailureCode.CANCELLED)

        place = tmp_path / "place"
        place.mkdir()
        assert code_of(lambda: made.service.export("Salt", form, place / target, cancel)) == FailureCode.CANCELLED
        assert not list(place.iterdir())
        assert not list((made.models / ".staging").iterdir())

    @posix
    @pytest.mark.parametrize("target", ["out", "out.zip"])
    def test_a_full_disk_leaves_nothing(self, made: Shelf, tmp_path: Path, target: str) -> None:
        place = tmp_path / "place"
        place.mkdir()
        made.library.get("Salt")
        work = lambda: made.shelf.export("Salt", ExportForm.HUGGING_FACE, place / target)  # noqa: E731
        tries = fill_at_each(work, place, StorydeskError)
        left = [[path.name for path in place.iterdir()] for _number in tries]
        assert left.pop() == [target]
        assert left
        assert not any(left)


@posix
def test_on_a_full_disk_nothing_changes(made: Shelf, weights: Path, tmp_path: Path) -> None:
    out = made.service.export("Salt", ExportForm.STORYDESK, tmp_path / "Salt.zip")
    other = Shelf(tmp_path / "other", weights)
    other.add("Rope")
    for _number in fill_at_each(lambda: other.shelf.take_in(out), tmp_path / "other", StorydeskError):
        assert not list((other.models / ".staging").iterdir())
        if "Salt" in other.names:
            assert other.library.verify("Salt")
    assert other.names == [STARTER, "Rope", "Salt"]
    for _number in fill_at_each(lambda: other.shelf.rename("Rope", "Tar"), tmp_path / "other", StorydeskError):
        assert other.library.verify("Rope").name in ("Rope", "Tar")
    assert other.names == [STARTER, "Salt", "Tar"]
    for _number in fill_at_each(lambda: other.shelf.delete("Tar"), tmp_path / "other", StorydeskError):
        assert ("Tar" in other.names) is not bool(other.shelf.list_deleted())
    assert other.names == [STARTER, "Salt"]


class TestImporting:
    @posix
    def test_killed_at_any_moment_a_model_is_there_or_not(self, made: Shelf, weights: Path, tmp_path: Path) -> None:
        out = made.service.export("Salt", ExportForm.STORYDESK, tmp_path / "Salt.zip")
        other = Shelf(tmp_path / "other", weights)
        other.add("Rope")
        for _number in kill_at_each(lambda: other.service.add(out), tmp_path / "other"):
            if "Salt" in other.names:
                assert other.library.verify("Salt")
                other.service.remove("Salt")
            assert other.names == [STARTER, "Rope"]
        assert _number > 10

    def test_a_hugging_face_zip_is_built(self, made: Shelf, tmp_path: Path) -> None:
        out = made.service.export("Salt", ExportForm.HUGGING_FACE, tmp_path / "Sea tales.zip")
        assert made.service.add(out).name == "Salt 2"
        flat = tmp_path / "Sea tales 2.zip"
        with zipfile.ZipFile(flat, "w") as archive:
            for path in made.weights.iterdir():
                archive.write(path, path.name)
        assert made.service.add(flat).name == "Sea tales 2"
        assert made.service.add(made.weights / "config.json").name == "tiny"

    def test_a_cancel_leaves_nothing(self, made: Shelf, tmp_path: Path) -> None:
        out = made.service.export("Salt", ExportForm.STORYDESK, tmp_path / "out.zip")

        def cancel(done: int, total: int) -> None:
            if done > total / 2:
                raise StorydeskError(FailureCode.CANCELLED)

        assert code_of(lambda: made.service.add(out, None, cancel)) == FailureCode.CANCELLED
        assert code_of(lambda: made.service.add(made.models / "Salt", None, cancel)) == FailureCode.CANCELLED
        assert made.names == [STARTER, "Salt"]
        assert not list((made.models / ".staging").iterdir())

    @pytest.mark.parametrize(
        ("spoil", "code", "words"),
        [
            ({"../up.json": b"{}"}, FailureCode.MODEL_ARCHIVE_BAD, "outside"),
            ({"/etc/up.json": b"{}"}, FailureCode.MODEL_ARCHIVE_BAD, "outside"),
            ({"m/..\\up.json": b"{}"}, FailureCode.MODEL_ARCHIVE_BAD, "outside"),
            ({"C:/up.json": b"{}"}, FailureCode.MODEL_ARCHIVE_BAD, "outside"),
            ({"m/CONFIG.JSON": b"{}"}, FailureCode.MODEL_ARCHIVE_BAD, "twice"),
            ({"m/" + "x" * 300: b"{}"}, FailureCode.MODEL_ARCHIVE_BAD, "endless"),
            ({"m/a/b/c/d/e/f/g": b"{}"}, FailureCode.MODEL_ARCHIVE_BAD, "endless"),
            ({"m/config.json": b"{" * 2_000_000}, FailureCode.MODEL_FOLDER_BAD, "too large"),
            ({"m/config.json": b'{"model_type": "llama"}'}, FailureCode.MODEL_FOLDER_BAD, "llama"),
            ({"m/config.json": None}, FailureCode.MODEL_ARCHIVE_BAD, "no model"),
            ({"m/model.safetensors": b"\x10"}, FailureCode.MODEL_FOLDER_BAD, "damaged"),
            ({"m/model.safetensors": None, "m/pytorch_model.bin": b"x"}, FailureCode.MODEL_ARCHIVE_BAD, "pickled"),
            ({"m/model.safetensors": None}, FailureCode.MODEL_FOLDER_BAD, "missing"),
            ({f"m/{number}": b"" for number in range(2100)}, FailureCode.MODEL_ARCHIVE_BAD, "too many"),
        ],
    )
    def test_hostile_zips_are_refused_and_leave_nothing(
        self, made: Shelf, tmp_path: Path, spoil: dict[str, bytes | None], code: str, words: str
    ) -> None:
        parts = {f"m/{path.name}": path.read_bytes() for path in made.weights.iterdir()} | spoil
        path = tmp_path / "in" / "m.zip"
        path.parent.mkdir()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, raw in parts.items():
                if raw is not None:
                    archive.writestr(name, raw)
        self.refuse(made, path, code, words)

    def test_links_bombs_and_rubbish(self, made: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "m.zip"
        with zipfile.ZipFile(path, "w") as archive:
            link = zipfile.ZipInfo("m/config.json")
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, "/etc/passwd")
        self.refuse(made, path, FailureCode.MODEL_ARCHIVE_BAD, "link")
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("m/model.safetensors", "w") as part,
        ):
            for _ in range(3):
                part.write(bytes(1_000_000))
        monkeypatch.setattr("storydesk.storage.model_archive._LARGEST_PACKED_AWAY", 1_000_000)
        self.refuse(made, path, FailureCode.MODEL_ARCHIVE_BAD, "measure")
        for raw in (b"", b"PK\x03\x04rubbish", path.read_bytes()[:-30]):
            path.write_bytes(raw)
            self.refuse(made, path, FailureCode.MODEL_ARCHIVE_BAD, "damaged")
        other = tmp_path / "m.gguf"
        other.write_bytes(b"GGUF")
        self.refuse(made, other, FailureCode.MODEL_FOLDER_BAD, "neither")

    def test_a_byte_that_was_changed_in_a_zip_is_found(self, made: Shelf, tmp_path: Path) -> None:
        out = made.service.export("Salt", ExportForm.STORYDESK, tmp_path / "out.zip")
        raw = bytearray(out.read_bytes())
        raw[raw.index(b"full ") + 7] ^= 1
        out.write_bytes(raw)
        self.refuse(made, out, FailureCode.MODEL_ARCHIVE_BAD, "damaged")
        whole = made.service.export("Salt", ExportForm.STORYDESK, tmp_path / "out")
        (whole / "fast" / "fp32.onnx").write_bytes(b"wrong" * 50)
        self.refuse(made, whole, FailureCode.MODEL_DAMAGED, "fp32.onnx is damaged")

    def test_what_no_manifest_vouches_for_stays_out(self, made: Shelf, tmp_path: Path) -> None:
        out = made.service.export("Salt", ExportForm.STORYDESK, tmp_path / "out.zip")
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr("Salt/weights/extra.json", "{}")
        assert made.service.add(out).name == "Salt 2"
        assert not (made.models / "Salt 2" / "weights" / "extra.json").exists()

    @pytest.mark.parametrize("wrong", [{"n_embd": 32}, {"vocab_size": 261}, {"n_layer": 3}, {"n_positions": 64}])
    def test_shapes_that_do_not_fit_are_refused(self, made: Shelf, tmp_path: Path, wrong: dict[str, int]) -> None:
        folder = Path(shutil.copytree(made.weights, tmp_path / "in"))
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps(config | wrong), encoding="utf-8")
        words = "missing in its weights" if "n_layer" in wrong else "has the shape"
        self.refuse(made, folder, FailureCode.MODEL_FOLDER_BAD, words)

    def refuse(self, made: Shelf, path: Path, code: str, words: str) -> None:
        with pytest.raises(StorydeskError) as caught:
            made.service.add(path)
        assert caught.value.failure.code == code
        assert words in str(caught.value.failure.parameters["detail"])
        assert made.names == [STARTER, "Salt"]
        assert not list((made.models / ".staging").iterdir())
        assert not list(made.root.rglob("up.json"))


def test_a_bundle_says_what_it_learned_from(made: Shelf) -> None:
    details = made.service.details("Salt")
    assert details.card.startswith("# Salt")
    assert len(details.fingerprint) == 64
    manifest = json.loads((made.models / "Salt" / MANIFEST_NAME).read_text(encoding="utf-8"))
    assert manifest["v"] == "1.3"
    assert made.service.details(STARTER).card == ""


def test_a_builder_that_takes_its_time_is_ended_by_a_cancel(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []

    def cancel(done: int, total: int) -> None:
        heard.append((done, total))
        if len(heard) > 1:
            raise StorydeskError(FailureCode.CANCELLED)

    program = (sys.executable, "-c", "import time; time.sleep(600)")
    work = lambda: build_bundle(tmp_path, tmp_path / "new", "new", "", "", cancel, program=program)  # noqa: E731
    assert code_of(work) == FailureCode.CANCELLED
    assert heard == [(0, 3), (0, 3)]
