"""The use cases over fakes: what a writer gets, whichever adapter stands behind."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import Finished, FinishReason, TextChunk
from storydesk.domain.settings import ACTIVE_MODEL
from storydesk.domain.tuning import RunState, RunStatus, TuningPlan
from storydesk.services.following import wait_for
from storydesk.services.writing import Started
from tests.fakes.services import FakeWorld, make_model, make_world


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    return make_world(tmp_path)


def _refusal(error: pytest.ExceptionInfo[StorydeskError]) -> str:
    return error.value.failure.code


def _write(world: FakeWorld, prompt: str = "", text: str = "", *, words: int = 5, seed: int = 0) -> str:
    events = list(world.desk.writing.write(world.desk.writing.request(prompt, text, words=words, seed=seed)))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    return "".join(event.text for event in events if isinstance(event, TextChunk))


class TestWriting:
    def test_a_story_starts_without_a_space_and_comes_typeset(self, world: FakeWorld) -> None:
        world.loader.script = ('"Ring', 'it,"', "she", "said", "--", "twice.")
        assert _write(world, "A bell", words=6) == "“Ring it,” she said — twice."

    def test_going_on_keeps_the_documents_plain_quotes(self, world: FakeWorld) -> None:
        world.loader.script = ('"No."',)
        assert _write(world, text='"Come," he said.', words=1) == ' "No."'

    def test_no_second_space_after_a_space(self, world: FakeWorld) -> None:
        assert _write(world, text="She heard ", words=3) == "the bell rang."

    def test_the_model_sees_the_prompt_in_its_template(self, world: FakeWorld) -> None:
        _write(world, "A bell’s tale", "He came.")
        assert world.loader.engines[0].requests[0].context == "Prompt: A bell's tale\n\nStory:\nHe came."

    def test_nothing_to_go_on_from(self, world: FakeWorld) -> None:
        with pytest.raises(StorydeskError) as error:
            _write(world, "  ", "\n")
        assert _refusal(error) == FailureCode.TEXT_EMPTY

    def test_a_long_text_is_cut_and_said_so(self, world: FakeWorld) -> None:
        text = "word " * 500
        request = world.desk.writing.request("A bell", text, words=10, seed=1)
        started = next(iter(world.desk.writing.write(request)))
        assert isinstance(started, Started)
        assert started.text_left_out > 0
        engine = world.loader.engines[0]
        assert list(world.desk.writing.write(request))
        assert engine.count_tokens(engine.requests[-1].context) <= engine.model.positions

    def test_each_request_has_an_id_and_a_seed_of_its_own(self, world: FakeWorld) -> None:
        first, second = (world.desk.writing.request("A bell", words=5) for _ in range(2))
        assert first.id != second.id
        assert first.seed != second.seed

    def test_cancelling_ends_with_cancelled(self, world: FakeWorld) -> None:
        events = world.desk.writing.write(world.desk.writing.request("A bell", words=50, seed=0))
        next(events)
        next(events)
        world.loader.engines[0].cancel()
        last = list(events)[-1]
        assert isinstance(last, Finished)
        assert last.reason is FinishReason.CANCELLED


class TestEngines:
    def test_a_model_is_loaded_once(self, world: FakeWorld) -> None:
        _write(world, "A bell")
        _write(world, "A bell")
        assert len(world.loader.engines) == 1

    def test_the_old_engine_stays_when_the_new_one_fails(self, world: FakeWorld) -> None:
        _write(world, "A bell")
        world.models.shelf["broken"] = make_model("broken", built_in=False)
        with pytest.raises(StorydeskError) as error:
            world.desk.engines.engine("broken")
        assert _refusal(error) == FailureCode.MODEL_NOT_LOADED
        assert world.desk.engines.loaded is world.loader.engines[0]
        assert not world.loader.engines[0].closed

    def test_switching_gives_the_old_ones_memory_back(self, world: FakeWorld) -> None:
        _write(world, "A bell")
        world.models.shelf["mine"] = make_model("mine", built_in=False)
        world.desk.models.use("mine")
        _write(world, "A bell")
        assert [engine.model.name for engine in world.loader.engines] == ["starter", "mine"]
        assert world.loader.engines[0].closed


class TestScoring:
    def test_a_score_names_its_model(self, world: FakeWorld) -> None:
        scored = world.desk.scoring.score("The bell rang.")
        assert scored.model == "starter"
        assert scored.score.nats_per_word == pytest.approx(2.0)

    def test_an_empty_text_has_no_score(self, world: FakeWorld) -> None:
        with pytest.raises(StorydeskError) as error:
            world.desk.scoring.score(" \n")
        assert _refusal(error) == FailureCode.TEXT_EMPTY

    def test_scoring_can_be_cancelled(self, world: FakeWorld) -> None:
        with pytest.raises(StorydeskError) as error:
            world.desk.scoring.score("The bell", is_cancelled=lambda: True)
        assert _refusal(error) == FailureCode.CANCELLED


class TestPolishing:
    def test_both_checkers_work_together(self, world: FakeWorld) -> None:
        polish = world.desk.new_polishing().polish("I recieve teh bell.")
        assert polish.text == "I receive the bell."
        assert polish.check.engines == ("languagetool", "harper")
        assert polish.check.failures == ()

    def test_without_languagetool_harper_goes_on_and_says_why(self, world: FakeWorld) -> None:
        world.checkers["languagetool"]._failure = StorydeskError(FailureCode.JAVA_MISSING)
        polish = world.desk.new_polishing().polish("I recieve teh bell.")
        assert polish.text == "I recieve the bell."
        assert polish.check.engines == ("harper",)
        assert [failure.code for failure in polish.check.failures] == [FailureCode.JAVA_MISSING]

    def test_asked_for_by_name_it_is_a_failure(self, world: FakeWorld) -> None:
        world.checkers["languagetool"]._failure = StorydeskError(FailureCode.JAVA_MISSING)
        with pytest.raises(StorydeskError):
            world.desk.new_polishing().check("teh", "languagetool")

    def test_the_writers_own_words_are_no_mistakes(self, world: FakeWorld) -> None:
        world.library.words.append("Teh")
        assert world.desk.new_polishing().check("teh bell").findings == ()

    def test_an_unknown_checker_is_refused(self, world: FakeWorld) -> None:
        with pytest.raises(StorydeskError) as error:
            world.desk.new_polishing().check("teh", "spelly")
        assert _refusal(error) == FailureCode.BAD_ARGUMENT

    def test_closing_ends_what_was_started(self, world: FakeWorld) -> None:
        polishing = world.desk.new_polishing()
        polishing.check("teh")
        polishing.close()
        assert all(checker.closed for checker in world.checkers.values())

    def test_nothing_is_started_for_an_empty_text(self, world: FakeWorld) -> None:
        assert world.desk.new_polishing().check("  ").engines == ()


class TestModels:
    def test_the_model_in_use_stays(self, world: FakeWorld) -> None:
        with pytest.raises(StorydeskError) as error:
            world.desk.models.remove("starter")
        assert _refusal(error) == FailureCode.MODEL_IN_USE

    def test_an_unknown_model_is_not_used(self, world: FakeWorld) -> None:
        with pytest.raises(StorydeskError) as error:
            world.desk.models.use("nobody")
        assert _refusal(error) == FailureCode.MODEL_NOT_FOUND
        assert world.desk.models.active == "starter"

    def test_add_use_remove(self, world: FakeWorld, tmp_path: Path) -> None:
        folder = tmp_path / "tiny"
        folder.mkdir()
        assert world.desk.models.add(folder).name == "tiny"
        world.desk.models.use("tiny")
        assert world.desk.models.active == "tiny"
        world.desk.models.use("starter")
        world.desk.models.remove("tiny")
        assert [model.name for model in world.desk.models.list_models()] == ["starter"]


class TestPublishing:
    def test_an_unknown_format_names_the_known_ones(self, world: FakeWorld, tmp_path: Path) -> None:
        story = world.library.add_story("A tale")
        with pytest.raises(StorydeskError) as error:
            world.desk.publishing.export(story, "Text.", "pdf", tmp_path / "tale.pdf")
        assert error.value.failure.parameters["known"] == "docx, md, txt"

    def test_an_empty_story_is_not_exported(self, world: FakeWorld, tmp_path: Path) -> None:
        story = world.library.add_story("A tale")
        with pytest.raises(StorydeskError) as error:
            world.desk.publishing.export(story, " ", "txt", tmp_path / "tale.txt")
        assert _refusal(error) == FailureCode.TEXT_EMPTY
        assert not (tmp_path / "tale.txt").exists()


class TestManuscripts:
    def test_importing_makes_a_story(self, world: FakeWorld, tmp_path: Path) -> None:
        path = tmp_path / "Harbour.txt"
        path.write_text("The bell rang.", encoding="utf-8")
        story, lost = world.desk.manuscripts.import_document(path)
        assert list(lost) == []
        assert story.title == "Harbour"
        assert world.desk.manuscripts.open_story(story.id).text == "The bell rang."

    def test_drafts_are_numbered(self, world: FakeWorld) -> None:
        story = world.desk.manuscripts.add_story("A tale")
        assert world.desk.manuscripts.keep_draft(story.id, "Again.").name == "2"

    def test_stories_are_found_by_title_or_number(self, world: FakeWorld) -> None:
        story = world.desk.manuscripts.add_story("A Tale")
        assert world.desk.manuscripts.find_story("a tale").id == story.id
        assert world.desk.manuscripts.find_story(str(story.id)).id == story.id
        with pytest.raises(StorydeskError):
            world.desk.manuscripts.find_story("another")

    def test_the_trash_and_back(self, world: FakeWorld) -> None:
        story = world.desk.manuscripts.add_story("A tale")
        world.desk.manuscripts.trash_story(story.id)
        assert world.desk.manuscripts.list_stories() == []
        assert [found.id for found in world.desk.manuscripts.list_stories(trash=True)] == [story.id]
        world.desk.manuscripts.restore_story(story.id)
        assert [found.id for found in world.desk.manuscripts.list_stories("Tale")] == []  # no word of its title
        assert [found.id for found in world.desk.manuscripts.list_stories()] == [story.id]

    def test_a_generation_can_be_made_again(self, world: FakeWorld) -> None:
        story = world.desk.manuscripts.add_story("A tale")
        draft = world.desk.manuscripts.open_story(story.id)
        request = world.desk.writing.request("A bell", words=9, seed=4)
        world.desk.manuscripts.record_generation(draft.id, request, "starter", "The bell", accepted=True)
        record = world.library.records[0]
        assert (record.seed, record.prompt, record.model) == (4, "A bell", "starter")
        assert '"words": 9' in record.settings


class TestTuning:
    def _plan(self, tmp_path: Path, name: str = "mine") -> TuningPlan:
        tale = tmp_path / "tale.txt"
        tale.write_text("The bell rang.", encoding="utf-8")
        return TuningPlan(name, "", (str(tale),))

    def _tune(self, world: FakeWorld, tmp_path: Path) -> RunState:
        folder = world.desk.tuning.prepare(self._plan(tmp_path))
        return wait_for(world.desk.tuning.start(folder), lambda state: None)

    def test_a_better_model_is_used(self, world: FakeWorld, tmp_path: Path) -> None:
        outcome = world.desk.tuning.finish(self._tune(world, tmp_path))
        assert outcome.model is not None
        assert outcome.adopted
        assert world.settings.get(ACTIVE_MODEL) == outcome.model.name == "mine"

    def test_a_worse_model_is_kept_but_not_used(self, world: FakeWorld, tmp_path: Path) -> None:
        world.launcher.after = 40.0
        outcome = world.desk.tuning.finish(self._tune(world, tmp_path))
        assert outcome.model is not None
        assert not outcome.adopted
        assert world.desk.models.active == "starter"

    @pytest.mark.parametrize(("use", "active"), [(True, "mine"), (False, "starter")])
    def test_the_writer_may_decide(self, world: FakeWorld, tmp_path: Path, use: bool, active: str) -> None:
        world.launcher.after = 40.0 if use else 20.0
        assert world.desk.tuning.finish(self._tune(world, tmp_path), use=use).adopted is use
        assert world.desk.models.active == active

    def test_a_folder_of_rich_documents_alone_becomes_a_dataset(self, world: FakeWorld, tmp_path: Path) -> None:
        folder = tmp_path / "books"
        folder.mkdir()
        for form in ("docx", "odt", "epub"):
            (folder / f"tale.{form}").write_text("The bell rang.", encoding="utf-8")
        world.desk.tuning.prepare(TuningPlan("mine", "", (str(folder),)))
        data = world.launcher.plans[-1].data
        assert len(data) == 1
        assert data[0].endswith(".jsonl")

    def test_every_state_is_reported_once(self, world: FakeWorld, tmp_path: Path) -> None:
        folder = world.desk.tuning.prepare(self._plan(tmp_path))
        seen: list[RunState] = []
        wait_for(world.desk.tuning.start(folder), seen.append)
        assert [state.status for state in seen] == [RunStatus.RUNNING, RunStatus.COMPLETED]

    def test_a_failed_run_raises_its_failure(self, world: FakeWorld, tmp_path: Path) -> None:
        state = self._tune(world, tmp_path)
        failure = StorydeskError("too_little_text", stories=1, words=3, needed_stories=8).failure
        with pytest.raises(StorydeskError) as error:
            world.desk.tuning.finish(dataclasses.replace(state.fail(failure)))
        assert _refusal(error) == "too_little_text"
        assert world.desk.models.active == "starter"

    def test_a_stopped_run_leaves_everything_as_it_was(self, world: FakeWorld, tmp_path: Path) -> None:
        state = dataclasses.replace(self._tune(world, tmp_path), status=RunStatus.STOPPED, bundle=None)
        outcome = world.desk.tuning.finish(state)
        assert outcome.model is None
        assert list(world.models.shelf) == ["starter"]

    def test_a_missing_file_is_found_out_before_anything_starts(self, world: FakeWorld) -> None:
        with pytest.raises(StorydeskError) as error:
            world.desk.tuning.prepare(TuningPlan("mine", "", ("/nowhere/tale.txt",)))
        assert _refusal(error) == FailureCode.FILE_NOT_FOUND
        assert world.launcher.plans == []

    def test_no_data_is_refused(self, world: FakeWorld) -> None:
        with pytest.raises(StorydeskError) as error:
            world.desk.tuning.prepare(TuningPlan("mine", "", ()))
        assert _refusal(error) == FailureCode.BAD_ARGUMENT

    def test_word_documents_reach_the_trainer_as_a_dataset(self, world: FakeWorld, tmp_path: Path) -> None:
        tale = tmp_path / "Harbour.docx"
        tale.write_text("The bell rang.", encoding="utf-8")
        world.desk.tuning.prepare(TuningPlan("mine", "", (str(tale), "hub:owner/name")))
        triples, target = world.datasets[0]
        assert triples == [("Harbour", "Harbour", "The bell rang.")]
        assert world.launcher.plans[0].data == ("hub:owner/name", str(target))

    def test_a_taken_name_gets_a_number(self, world: FakeWorld, tmp_path: Path) -> None:
        world.models.shelf["mine"] = make_model("mine", built_in=False)
        world.desk.tuning.prepare(self._plan(tmp_path))
        assert world.launcher.plans[0].name == "mine 2"
