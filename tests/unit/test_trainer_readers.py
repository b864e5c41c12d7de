"""Stories come out of every format that is promised, and everything else is refused with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.corpus.document import Document
from trainer.corpus.encodings import decode_bytes
from trainer.corpus.readers import read_file, read_sources
from trainer.corpus.unwrapping import unwrap_lines
from trainer.protocol.failures import TrainerError, TrainerFailure

STORY = "The café was shut. “Come back tomorrow,” said the naïve waiter, and he meant it — or so it seemed."


def read(path: Path, content: str | bytes) -> list[Document]:
    """Write a file and read it as stories."""
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return read_file(path)


def refusal(path: Path, content: bytes) -> TrainerError:
    """Return the failure that reading a file ends in."""
    with pytest.raises(TrainerError) as caught:
        read(path, content)
    return caught.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_text_is_read_in_the_encodings_of_writers(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path / "story.txt", STORY.encode(encoding))[0].story == STORY


def test_a_text_file_is_one_story_with_its_name_as_prompt(tmp_path: Path) -> None:
    documents = read(tmp_path / "The_Last-Ferry.txt", STORY)
    assert [(document.prompt, document.story) for document in documents] == [("The Last Ferry", STORY)]


def test_a_heading_is_the_prompt_and_leaves_the_story(tmp_path: Path) -> None:
    documents = read(tmp_path / "x.md", f"# The **Ferry** #\n\n{STORY}\n")
    assert [(document.prompt, document.story.strip()) for document in documents] == [("The Ferry", STORY)]


def test_a_file_of_prompts_and_stories_holds_several(tmp_path: Path) -> None:
    text = "Prompt: A bell under\nthe sea\n\nStory:\nIt rang.\n\n**Prompt:** A door\nIt was open.\n"
    documents = read(tmp_path / "all.txt", text)
    assert [(document.prompt, document.story.strip()) for document in documents] == [
        ("A bell under the sea", "It rang."),
        ("A door", "It was open."),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_tables_find_their_columns_by_name(tmp_path: Path, delimiter: str) -> None:
    rows = (
        f'id{delimiter}Prompt{delimiter}Story\n1{delimiter}A door{delimiter}"It was\nopen, {delimiter} and ""so""."\n'
    )
    documents = read(tmp_path / "table.csv", rows)
    assert [(document.prompt, document.story) for document in documents] == [
        ("A door", f'It was\nopen, {delimiter} and "so".')
    ]


def test_a_table_of_two_nameless_columns_is_prompt_and_story(tmp_path: Path) -> None:
    documents = read(tmp_path / "table.csv", "A door,It was open.\nA bell,It rang.\n")
    assert [document.prompt for document in documents] == ["A door", "A bell"]


def test_json_lines_json_lists_and_bare_strings(tmp_path: Path) -> None:
    record = {"title": "The Door", "prompt": "A door", "story": STORY}
    for name, content in (
        ("a.jsonl", json.dumps(record) + "\n\n" + json.dumps(record)),
        ("b.json", json.dumps([record, record])),
        ("c.json", json.dumps({"data": [record, record]})),
        ("d.json", json.dumps(record) + "\n" + json.dumps(record)),
    ):
        documents = read(tmp_path / name, content)
        assert [(document.prompt, document.story) for document in documents] == [("A door", STORY)] * 2, name
    assert read(tmp_path / "e.json", json.dumps([STORY]))[0].story == STORY


def test_writing_prompts_are_read_as_pairs_from_either_file(tmp_path: Path) -> None:
    (tmp_path / "train.wp_source").write_text("[ WP ] A door\n[ WP ] A bell\n", encoding="utf-8")
    (tmp_path / "train.wp_target").write_text("It was open . <newline> So\nIt rang\x85 .\n", encoding="utf-8")
    by_prompts = read_file(tmp_path / "train.wp_source")
    assert [document.story for document in by_prompts] == ["It was open . <newline> So", "It rang\x85 ."]
    assert len(read_sources((str(tmp_path),)).documents) == 2


def test_a_pair_without_its_other_half_or_of_unlike_length_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "train.wp_source", b"One\nTwo\n").code is TrainerFailure.DATA_NOT_FOUND
    (tmp_path / "train.wp_target").write_text("One\n", encoding="utf-8")
    assert refusal(tmp_path / "train.wp_source", b"One\nTwo\n").code is TrainerFailure.DATA_NOT_READABLE


def test_a_folder_gives_its_stories_and_names_what_was_passed_over(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "one.txt").write_text(STORY, encoding="utf-8")
    (tmp_path / "two.MD").write_text(STORY, encoding="utf-8")
    (tmp_path / "README.md").write_text("About these stories.", encoding="utf-8")
    (tmp_path / "cover.png").write_bytes(b"\x89PNG")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "three.txt").write_text(STORY, encoding="utf-8")
    reading = read_sources((str(tmp_path),))
    assert len(reading.documents) == 2
    assert [Path(name).name for name in reading.passed_over] == ["README.md", "cover.png"]


def test_what_cannot_be_read_is_refused_by_its_kind(tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere.txt")
    with pytest.raises(TrainerError) as caught:
        read_sources((missing,))
    assert (caught.value.code, caught.value.parameters["path"]) == (TrainerFailure.DATA_NOT_FOUND, missing)
    assert refusal(tmp_path / "a.docx", b"PK\x03\x04").code is TrainerFailure.DATA_FORMAT_UNKNOWN
    assert refusal(tmp_path / "b.txt", b"\x00\x01\x02" * 500).parameters["detail"] == "binary"
    assert refusal(tmp_path / "c.txt", b"%PDF-1.7 text follows").parameters["detail"] == "binary"
    assert refusal(tmp_path / "d.csv", b"size,weight,price\n1,2,3\n").code is TrainerFailure.DATA_NOT_READABLE
    assert refusal(tmp_path / "e.jsonl", b'{"story": "x"}\n{"sto').parameters["detail"] == "line 2"
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainerError) as caught:
        read_sources((str(tmp_path / "empty"),))
    assert caught.value.code is TrainerFailure.DATA_FORMAT_UNKNOWN


@pytest.mark.parametrize("suffix", [".txt", ".md", ".csv", ".tsv", ".json", ".jsonl"])
def test_any_bytes_at_all_give_stories_or_an_expected_failure(
    tmp_path_factory: pytest.TempPathFactory, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("wild") / f"wild{suffix}"

    @settings(max_examples=40, deadline=None)
    @given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
    def check(content: bytes) -> None:
        code, documents = TrainerFailure.DATA_NOT_READABLE, list[Document]()
        try:
            documents = read(path, content)
        except TrainerError as error:
            code = error.code
        assert code is TrainerFailure.DATA_NOT_READABLE
        assert all(isinstance(document.story, str) for document in documents)

    check()


def test_one_broken_byte_does_not_change_the_encoding_of_the_rest(tmp_path: Path) -> None:
    raw = (STORY * 20).encode("utf-8") + b"\xff" + STORY.encode("utf-8")
    assert decode_bytes(raw, tmp_path).count("café") == 21


def test_hard_wrapped_prose_is_joined_and_other_text_is_left_alone() -> None:
    wrapped = (
        "The road went down between two hedges and nobody had been\n"
        "along it since the rain, so that the ruts were full and as\n"
        "smooth as glass, and the well-\nknown gate stood open.\n\n"
        "She went through it slowly and did not once look behind\n"
        "her, although she heard the dog, and the dog heard her.\n"
    )
    paragraphs = unwrap_lines(wrapped).split("\n\n")
    assert len(paragraphs) == 2
    assert "been along it" in paragraphs[0]
    assert "well-known" in paragraphs[0]
    verse = "The owl\nwas here\nand is\nno more.\n"
    assert unwrap_lines(verse) == verse
    dialogue = "“Who?”\n“Me.”\n“And what were you doing there at that hour of the night?”\n“Nothing.”\n“Oh.”"
    assert unwrap_lines(dialogue) == dialogue


TALE = "The bell of the harbour rang twice, and Mara put down her cup to listen for the boat that never came."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Der Mann ging über die Straße; er war müde, und es war Nacht.", "cp1252"),
        ("“Don’t,” she said—and the café closed. It was late…", "cp1252"),
        ("“Don’t,” she said—and the café closed. It was late…", "mac_roman"),
        ("Był sobie król, który miał trzy córki i mieszkał w wielkim zamku. Każdego dnia szedł do lasu.", "cp1250"),
        ("Старик медленно шёл по дороге и не видел, что солнце уже скрылось за холмами.", "cp1251"),
        ("むかしむかし、あるところにおじいさんとおばあさんが住んでいました。おじいさんは山へ行きました。", "cp932"),
    ],
)
def test_short_texts_are_read_in_old_encodings(tmp_path: Path, text: str, encoding: str) -> None:
    assert decode_bytes(text.encode(encoding), tmp_path / "x.txt") == text


@pytest.mark.parametrize(
    ("content", "prompt", "story"),
    [
        (f"story\n{TALE}\n", "", TALE),  # one column: its commas part nothing
        (f"sep=;\r\nprompt;story\r\nA bell;{TALE}\r\n", "A bell", TALE),
        (f'prompt,story\n"A bell","She said \\"no\\", {TALE}"\n', "A bell", f'She said "no", {TALE}'),
        (f'\ufeffTitle;Text\nThe Bell;"{TALE}\n\n""Yes"";"\n', "The Bell", f'{TALE}\n\n"Yes";'),
        (f"prompt|story\rA bell|{TALE}\r", "A bell", TALE),
    ],
)
def test_odd_tables_are_understood(tmp_path: Path, content: str, prompt: str, story: str) -> None:
    documents = read(tmp_path / "odd.csv", content)
    assert [(document.prompt, document.story) for document in documents] == [(prompt, story)]


@pytest.mark.parametrize(
    ("name", "content", "prompt", "origin"),
    [
        (
            "a.md",
            f"---\ntitle: Bells\nprompt: >\n  A bell\n  in fog\ntags:\n - sea\n---\n\n{TALE}",
            "A bell in fog",
            "front_matter",
        ),
        ("b.md", f'+++\ntitle = "The Bell"\n+++\n\n{TALE}', "The Bell", "front_matter"),
        ("c.md", f"# The Bell\n\n{TALE}", "The Bell", "heading"),
        ("d.txt", f"The Bell\n========\n\n{TALE}", "The Bell", "heading"),
        ("e.txt", f"THE BELL\n\n{TALE}", "THE BELL", "heading"),
        ("f.txt", f"Prompt: A bell\nStory: {TALE}", "A bell", "label"),
        ("The_Fog-Bell.txt", TALE, "The Fog Bell", "title"),
        ("g.jsonl", json.dumps({"title": "The Bell", "story": TALE}), "The Bell", "title"),
        ("h.jsonl", json.dumps({"prompt": "A bell", "title": "The Bell", "text": TALE}), "A bell", "column"),
        ("i.txt", f"---\n\n{TALE}\n\n---\n", "", ""),  # scene breaks are no front matter
    ],
)
def test_prompts_are_found_and_it_is_said_how(
    tmp_path: Path, name: str, content: str, prompt: str, origin: str
) -> None:
    document = read(tmp_path / name, content)[0]
    assert (document.prompt, document.prompt_from) == (prompt, origin)
    assert TALE in document.story
    assert "title:" not in document.story


def test_files_beyond_all_bounds_are_refused_before_they_are_read(tmp_path: Path) -> None:
    for name, megabytes in (("novel.txt", 500), ("all.json", 64)):
        # Sparse behind its first block, which is text.
        (tmp_path / name).write_bytes(b"word " * 20_000)
        with (tmp_path / name).open("r+b") as stream:
            stream.truncate(megabytes * 1_000_000)
        with pytest.raises(TrainerError) as caught:
            read_file(tmp_path / name)
        assert caught.value.code is TrainerFailure.FILE_TOO_LARGE, name
    bombs = {
        "deep.json": "[" * 100_000,
        "deep.jsonl": '{"story":' + "[" * 100_000,
        "line.jsonl": "[" + "1," * 9_000_000,
    }
    for name, content in bombs.items():
        assert refusal(tmp_path / name, content.encode()).code is TrainerFailure.DATA_NOT_READABLE, name
