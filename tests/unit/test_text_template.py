"""The template that marks a prompt."""

from __future__ import annotations

import pytest

from trainer.text.template import Template


def test_prompt_is_set_between_the_marks_in_one_line() -> None:
    assert Template().render(" A door\n on the beach. ") == "Prompt: A door on the beach.\n\nStory:\n"


def test_no_prompt_gives_no_template() -> None:
    assert Template().render(" \n ") == ""


def test_template_goes_through_a_manifest() -> None:
    template = Template(before="Idea: ", between="\n---\n")
    assert Template.from_mapping(template.as_mapping()) == template
    with pytest.raises(ValueError, match="between"):
        Template.from_mapping({"before": "x"})
