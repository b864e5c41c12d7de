"""The model card says where a model comes from, so that it can be traced without us."""

from __future__ import annotations

from trainer.export.bundle import Description
from trainer.export.card import write_card


def test_a_card_traces_a_model_to_its_base_and_its_text() -> None:
    card = write_card(
        Description(
            "Sea tales two",
            "tuned",
            "CC0-1.0",
            "tuned from Sea tales",
            lineage=("Sea tales", "starter"),
            heldout={"perplexity_before": 47.9, "perplexity_after": 43.2},
            settings={"learning_rate": 3e-4, "seed": 7},
            data={"sha256": "d" * 64, "words": 22900},
            parent="f" * 64,
        ),
        (),
    )
    lines = card.splitlines()
    assert lines[0] == "# Sea tales two"
    assert lines[lines.index("## Lineage") + 2 :][:3] == [
        "0. starter",
        f"1. Sea tales (weights {'f' * 64})",
        "2. Sea tales two",
    ]
    assert f"- sha256: {'d' * 64}" in lines
    assert "- perplexity after: 43.2" in lines
    assert "- seed: 7" in lines
    assert any(line.startswith("- python: ") for line in lines)


def test_a_base_has_no_lineage() -> None:
    assert "Lineage" not in write_card(Description("gpt2", "base", "MIT", "fetched"), ())
