"""The data doctor finds what was put there, shows it, and leaves good stories alone."""

from __future__ import annotations

import random

import pytest

from trainer.corpus.copies import RunHasher, find_copies, measure_leaks, take_sketch
from trainer.corpus.doctor import TOO_LONG, examine_pairs
from trainer.corpus.document import Document
from trainer.corpus.languages import find_language
from trainer.corpus.splitting import split_documents
from trainer.protocol.datasets import DoctorReport, FindingRecord, PairRecord, StandingPair
from trainer.text.mending import ENCODING, LICENCE, MARKUP, REMARKS, mend
from trainer.text.parts import cut_chapters, find_opening

_NOUNS = "bell harbour fog lamp cup boat wall stair window letter road hill gate dog owl river stone field rain night"
_MORE = "keeper sister uncle baker sailor teacher morning winter table chair door key book candle garden roof bridge"
_VERBS = "walked waited listened carried opened counted turned followed remembered painted buried answered watched kept"
_LITTLE = "slowly twice again never once quietly almost yesterday together alone behind under beside along across until"
WORDS = f"{_NOUNS} {_MORE} {_VERBS} {_LITTLE}".split()


def tell(seed: int, words: int = 120) -> str:
    """Return a story of its own for each seed."""
    rng = random.Random(seed)
    return " ".join(
        f"The {' '.join(rng.choices(WORDS, k=7))} and she was in the house." for _ in range(words // 13 + 1)
    )


def examine(*stories: str, others: int = 12) -> DoctorReport:
    """Let the doctor look at stories (ids 0, 1 ...) among ``others`` with nothing wrong."""
    texts = [*stories, *(tell(1000 + number) for number in range(others))]
    pairs = []
    for number, story in enumerate(texts):
        record = PairRecord(str(number), f"prompt {number}", story)
        pairs.append(StandingPair(record.id, record.prompt, story, "", "x.txt", "column", False, False, record))
    return examine_pairs(pairs)


def find(report: DoctorReport, name: str) -> FindingRecord:
    """Return one finding."""
    return next(found for found in report.findings if found.id == name)


def test_good_stories_have_no_findings() -> None:
    scene = tell(1) + "\n\n* * *\n\n“It’s 5 < 6 — isn’t it?” she said. " + tell(2)
    assert examine(scene, "A tale.\n\n" + tell(3) + "\n\nThe End").findings == ()


def test_copies_leave_the_first_and_the_longest() -> None:
    report = examine(tell(1), tell(2), tell(1).upper(), tell(2) + " And that was " + tell(3, 30))
    assert find(report, "exact_copies").pairs == ("2",)
    assert find(report, "exact_copies").examples[0].other == "0"
    assert find(report, "near_copies").pairs == ("1",)
    assert find(report, "near_copies").examples[0].other == "3"
    assert report.leaks == 0


@pytest.mark.parametrize(
    ("name", "method", "dirt", "left"),
    [
        ("markup", MARKUP, "<b>Tom</b> &amp; <i>I</i>", "Tom & I"),
        ("broken_encoding", ENCODING, "she didnâ€™t see the cafÃ©", "she didn’t see the café"),
        ("broken_encoding", ENCODING, "she didn\ufffdt see it", "she didn't see it"),
        ("remarks", REMARKS, "It was late.\n\nEDIT: thanks for the gold!", "It was late."),
        ("licence", LICENCE, "\n\n*** END OF THE PROJECT GUTENBERG EBOOK X ***\n\nlicence", ""),
    ],
)
def test_what_is_no_prose_is_found_shown_and_mended(name: str, method: str, dirt: str, left: str) -> None:
    found = find(examine(tell(1), f"{tell(2)} {dirt}", tell(3)), name)
    assert (found.pairs, found.method) == (("1",), method)
    assert found.examples[0].before != found.examples[0].after
    assert mend(method, f"{tell(2)} {dirt}", found.lines).strip() == f"{tell(2)} {left}".strip()


def test_text_that_went_through_the_wrong_encoding_twice_is_mended() -> None:
    twice = "“No,” she said".encode().decode("cp1252", "replace").encode().decode("cp1252", "replace")
    assert "No," in mend(ENCODING, twice)
    assert mend(ENCODING, "cafÃƒÂ©") == "café"


def test_lines_that_stories_share_go_and_a_refrain_stays() -> None:
    stories = [f"{tell(number)}\n\nMore at Mara's Tales, page {number}" for number in range(4)]
    refrain = tell(9) + "\n\nRing, ring the bell\nover the water wide\n" * 6
    found = find(examine(*stories, refrain), "boilerplate")
    assert found.pairs == ("0", "1", "2", "3")
    assert found.lines == ("more at mara's tales, page #",)


def test_a_running_title_between_paragraphs_is_a_printers() -> None:
    pages = "\n\n".join(f"{tell(number)}\n\nThe Fog Bell {number}" for number in range(1, 8))
    assert find(examine(pages), "boilerplate").lines == ("the fog bell #",)
    diary = "\n\n".join(f"October {day}, 1890\n\n{tell(day)}" for day in (3, 9, 11, 20, 22, 30))
    assert examine(diary).findings == ()


def test_another_language_short_ones_and_long_ones() -> None:
    german = (
        "Der alte Mann ging langsam den Weg hinunter und sah nicht, dass die Sonne schon hinter den Hügeln war. " * 3
    )
    chapters = "\n\n".join(f"Chapter {number}\n\n{tell(number, 2000)}" for number in range(1, 7))
    report = examine("Too short.", german, chapters, others=20)
    assert find(report, "other_language:de").pairs == ("1",)
    assert find(report, "too_short").pairs == ("0",)
    assert find(report, "too_long").pairs == ("2",)
    assert find(report, "too_long").limit == TOO_LONG
    assert [title for title, _ in cut_chapters(chapters)][:2] == ["Chapter 1", "Chapter 2"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "It was late, and she had not been to the house since the day that he went away for good and all."),
        ("fr", "Le vieil homme ne voyait pas que le soleil avait disparu, parce qu'il pensait à sa femme et à la mer."),
        ("es", "El viejo no veía que el sol ya había desaparecido, porque pensaba en su mujer y en el mar que no era."),
        ("ru", "Старик не видел, что солнце уже скрылось, потому что он думал о своей жене и о море, а она ждала его."),
        ("ja", "むかしむかし、あるところにおじいさんとおばあさんが住んでいました。"),
        ("", "Fruits, fruits, fruits! Bananas! Apples! Pears! Plums! Cherries!"),
    ],
)
def test_languages_are_told_by_their_little_words(language: str, text: str) -> None:
    assert find_language(text) == language


def test_part_of_a_held_out_story_among_the_others_is_said() -> None:
    hasher = RunHasher()
    stories = [tell(number, 300) for number in range(6)]
    borrowed = stories[0][: len(stories[0]) // 3]
    runs = [hasher.hash_runs(story) for story in [*stories, tell(9, 300) + borrowed]]
    leaks = measure_leaks(runs[1:], [runs[0]])
    assert [leak.other for leak in leaks] == [5]
    assert leaks[0].share == pytest.approx(1 / 3, abs=0.1)
    assert find_copies([take_sketch(each) for each in runs]) == []


def test_a_small_story_is_found_inside_a_long_one_and_copies_never_straddle() -> None:
    long = tell(1, 6000)
    part = long[3000:9000]
    hasher = RunHasher()
    found = find_copies([take_sketch(hasher.hash_runs(text)) for text in (part, tell(2), long)])
    assert [(copy.first, copy.second) for copy in found] == [(0, 2)]
    copies = [Document(story=f"{tell(7)} {tell(number, 20)}", prompt=f"p{number}") for number in range(9)]
    rest = [Document(story=tell(number), prompt=f"r{number}") for number in range(50, 70)]
    for seed in range(4):
        split = split_documents([*copies, *rest], seed)
        sides = {document in split.heldout for document in copies}
        assert len(sides) == 1


def test_openings_become_prompts() -> None:
    assert find_opening("“Run!” she said.  And\nhe did.") == "“Run!”"
    assert find_opening("word " * 50).endswith("…")
    assert find_opening("  ") == ""
