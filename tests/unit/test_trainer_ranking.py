"""Reading rows one by one, and finding the prompt that a story was written on."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from tests.fakes.tiny_gpt2 import make_tiny_gpt2  # noqa: E402
from trainer.config import Hyperparameters  # noqa: E402
from trainer.corpus.document import Document  # noqa: E402
from trainer.corpus.rows import Row  # noqa: E402
from trainer.corpus.tokens import load_tokenizer  # noqa: E402
from trainer.evaluation.figures import TextSize  # noqa: E402
from trainer.evaluation.heldout import measure_heldout  # noqa: E402
from trainer.evaluation.likelihood import measure_rows  # noqa: E402
from trainer.evaluation.ranking import choose_rivals, measure_accuracy, rank_prompts  # noqa: E402
from trainer.text.template import Template  # noqa: E402
from trainer.tuning.network import TunedNetwork, load_network  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_gpt2(tmp_path_factory.mktemp("ranking") / "tiny")


@pytest.fixture(scope="module")
def network(weights: Path) -> TunedNetwork:
    return load_network(weights, Hyperparameters())


def test_rows_are_measured_one_by_one_and_add_up(network: TunedNetwork) -> None:
    rows = [Row((0, 5, 9, 40, 7), 2), Row((0, 88, 12), 1), Row((0, 5, 9, 40, 7), 2)]
    figures = measure_rows(network, rows, device=CPU)
    assert [each.tokens for each in figures] == [3, 2, 3]
    assert figures[0] == figures[2]
    whole = measure_heldout(network, rows, TextSize(8, 1, 1), device=CPU)
    assert sum(each.nats for each in figures) / 8 == pytest.approx(whole.nats_per_token, rel=1e-5)
    # By hand, from GPT-2's own output.
    with torch.inference_mode():
        logits = network(input_ids=torch.tensor([rows[1].ids])).logits[0]
    chances = torch.log_softmax(logits, -1)
    assert figures[1].nats == pytest.approx(-float(chances[0, 88] + chances[1, 12]), rel=1e-5)
    ranks = [int((chances[0] > chances[0, 88]).sum()), int((chances[1] > chances[1, 12]).sum())]
    assert figures[1].first == sum(rank == 0 for rank in ranks)
    assert figures[1].among == sum(rank < 5 for rank in ranks)


def test_rivals_are_other_prompts_and_the_same_each_time() -> None:
    prompts = [f"Prompt {number}" for number in range(30)]
    rivals = choose_rivals("Prompt 3", prompts, seed=5)
    assert len(set(rivals)) == 9
    assert "Prompt 3" not in rivals
    assert rivals == choose_rivals("Prompt 3", list(reversed(prompts)), seed=5)
    assert rivals != choose_rivals("Prompt 3", prompts, seed=6)


def _rank(network: TunedNetwork, weights: Path, documents: list[Document], **more: object) -> list[object]:
    return list(
        rank_prompts(
            network,
            load_tokenizer(weights),
            Template(),
            documents,
            device=CPU,
            end_token=0,
            positions=128,
            **more,  # type: ignore[arg-type]
        )
    )


def test_a_model_that_passes_over_its_prompt_finds_it_by_chance(network: TunedNetwork, weights: Path) -> None:
    documents = [Document(story=f"The boats were in, and {n} gulls were loud.", prompt=f"Tale {n}") for n in range(12)]
    ranked = rank_prompts(
        network, load_tokenizer(weights), Template(), documents, device=CPU, end_token=0, positions=128
    )
    known = [each for each in ranked if each is not None]
    assert len(known) == 12
    assert all(each.choices == 10 and 1 <= each.place <= 10 and math.isfinite(each.gain) for each in known)
    assert measure_accuracy(known) == sum(each.place == 1 for each in known) / 12


def test_a_model_that_copies_its_prompt_finds_it(weights: Path) -> None:
    network = load_network(weights, Hyperparameters())
    with torch.no_grad():
        # Nothing but the embedding is left: the likeliest next token is the last one again.
        for name, parameter in network.named_parameters():
            if "wte" not in name and "ln_f.weight" not in name:
                parameter.zero_()
    letters = ["a", "b", "c", "d"]
    documents = [Document(story=f" {letter}", prompt=f"Prompts {letter}") for letter in letters]
    template = Template(before="", between="")
    ranked = rank_prompts(
        network, load_tokenizer(weights), template, documents, device=CPU, end_token=0, positions=128, story_tokens=1
    )
    assert [each.place for each in ranked if each is not None] == [1, 1, 1, 1]
    assert all(each is not None and each.choices == 4 and each.gain > 0 for each in ranked)


def test_without_another_prompt_nothing_is_said(network: TunedNetwork, weights: Path) -> None:
    documents = [Document(story="A bell.", prompt="One prompt"), Document(story="A bell.", prompt="")]
    assert _rank(network, weights, documents) == [None, None]
