"""A dataset is its pairs with the edits that hold; whatever is cut off the log, every whole act is found again."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.protocol.datasets import (
    CHANGE,
    CUT,
    FIX,
    LEAVE_OUT,
    MEND,
    TAKE_BACK,
    UNDO,
    DatasetRequest,
    DoctorReport,
    EditRecord,
    ExampleRecord,
    FindingRecord,
    PairRecord,
    SourceRecord,
    StandingPair,
    Trouble,
    assemble,
    decode_edits,
    decode_pair,
    decode_record,
    encode_edit,
    encode_pair,
    encode_record,
    fold_edits,
    make_pair_id,
)
from trainer.text.mending import LINES, MARKUP, mend
from trainer.text.parts import CHAPTERS, cut

PAIRS = [PairRecord(name, f"prompt {name}", f"The <b>story</b> of {name}.") for name in "abc"]

texts = st.text(max_size=30)
names = st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True).map(tuple)
edits = st.one_of(
    st.builds(EditRecord, st.just(CHANGE), names, texts, texts),
    st.builds(EditRecord, st.sampled_from((LEAVE_OUT, TAKE_BACK)), names),
    st.builds(
        EditRecord,
        st.just(FIX),
        names,
        finding=texts,
        remedy=st.sampled_from((MEND, LEAVE_OUT)),
        method=st.just(MARKUP),
    ),
    st.just(EditRecord(UNDO)),
)


def stand(*acts: EditRecord) -> list[StandingPair]:
    """Return the pairs after some acts."""
    return list(assemble(PAIRS, fold_edits(acts), mend, cut))


@settings(max_examples=40, deadline=None)
@given(st.lists(edits, max_size=8))
def test_an_undo_takes_back_what_came_before_it(acts: Sequence[EditRecord]) -> None:
    before = stand(*acts)
    assert stand(*acts, EditRecord(LEAVE_OUT, ("a", "b")), EditRecord(UNDO)) == before
    undone = [EditRecord(UNDO)] * len(acts)
    assert [pair.story for pair in stand(*acts, *undone)] == [pair.story for pair in PAIRS]


@settings(max_examples=40, deadline=None)
@given(st.lists(edits, max_size=6), st.integers(0, 10_000), st.binary(max_size=8))
def test_a_log_that_was_cut_off_anywhere_gives_its_whole_acts(
    acts: Sequence[EditRecord], place: int, rubbish: bytes
) -> None:
    lines = [encode_edit(act) for act in acts]
    raw = b"".join(lines)
    cut_off = raw[: place % (len(raw) + 1)]
    found, size = decode_edits(cut_off)
    assert size == len(b"".join(lines[: len(found)]))
    assert found == list(acts[: len(found)])
    # What a power cut left of a block is no act, and what comes after it is read all the same.
    torn, _ = decode_edits(raw + rubbish.replace(b"\n", b"") + b"\n" + encode_edit(EditRecord(UNDO)))
    assert torn[: len(acts)] == list(acts)
    assert torn[-1] == EditRecord(UNDO)


@settings(max_examples=30, deadline=None)
@given(texts, texts, texts)
def test_pairs_and_records_come_back_as_they_were(prompt: str, story: str, title: str) -> None:
    pair = PairRecord("x", prompt, story, title, "a.txt", "column", 3)
    assert decode_pair(encode_pair(pair)) == pair
    request = DatasetRequest(
        title,
        "now",
        (prompt,),
        (SourceRecord("library", title, story, (1, 2)),),
        (story,),
        (Trouble("code", {"n": 1}),),
    )
    assert decode_record(DatasetRequest, encode_record(request)) == request
    finding = FindingRecord("f", "markup", MEND, ("a",), MARKUP, (story,), (ExampleRecord("a", prompt, story),))
    report = DoctorReport((finding,), 3, 10, 4, 0, 1.5)
    assert decode_record(DoctorReport, encode_record(report)) == report


def test_a_fix_mends_a_change_replaces_and_a_later_mending_comes_on_top() -> None:
    fix = EditRecord(FIX, ("a",), finding="markup", remedy=MEND, method=MARKUP)
    assert stand(fix)[0].story == "The story of a."
    changed = EditRecord(CHANGE, ("a",), "mine", "My <i>own</i>.")
    pair = stand(fix, changed)[0]
    assert (pair.prompt, pair.story, pair.prompt_from, pair.edited) == ("mine", "My <i>own</i>.", "writer", True)
    assert stand(changed, fix)[0].story == "My own."
    assert stand(changed, EditRecord(UNDO))[0].found == PAIRS[0]


def test_a_cut_story_becomes_parts_that_can_be_edited_by_themselves() -> None:
    chapters = "\n\n".join(f"Chapter {number}\n\n" + f"Word {number}. " * 200 for number in (1, 2, 3))
    pairs = [PairRecord("a", "A book", chapters), PairRecord("b", "A tale", "Short.")]
    cutting = EditRecord(FIX, ("a",), remedy=CUT, method=CHAPTERS)
    acts = [cutting, EditRecord(LEAVE_OUT, ("a.2",)), EditRecord(CHANGE, ("a.3",), "mine", "New.")]
    found = list(assemble(pairs, fold_edits(acts), mend, cut))
    assert [pair.id for pair in found] == ["a.1", "a.2", "a.3", "b"]
    assert [pair.prompt for pair in found] == ["Chapter 1", "Chapter 2", "mine", "A tale"]
    assert [pair.left_out for pair in found] == [False, True, False, False]
    assert found[2].story == "New."
    whole = list(assemble(pairs, fold_edits([*acts, *[EditRecord(UNDO)] * 3]), mend, cut))
    assert [pair.id for pair in whole] == ["a", "b"]


def test_lines_are_taken_out_whatever_number_they_carry() -> None:
    text = "My Site, page 1\n\nA story.\n\nMy Site,  page 22"
    assert mend(LINES, text, ("my site, page #",)) == "A story."
    assert mend("a mending of next year", text, ("a",)) == text


def test_an_id_comes_of_the_pair_and_a_copy_gets_a_number() -> None:
    taken: dict[str, int] = {}
    first = make_pair_id("p", "s", "/one/a.txt", taken)
    assert make_pair_id("p", "s", "/two/a.txt", taken) == first
    taken[first] = 1
    assert make_pair_id("p", "s", "/two/a.txt", taken) == f"{first}-2"
    assert make_pair_id("p", "other", "/one/a.txt", taken) != first
