"""The colours of what the model sees: words on them are read, and the bar's parts are told from the page."""

from __future__ import annotations

import pytest

from storydesk.ui.memory.part_colours import ORDER, colour_part, tint_part
from storydesk.ui.theme.tokens import BY_NAME, Tokens, contrast_ratio


@pytest.mark.parametrize("tokens", BY_NAME.values(), ids=lambda tokens: tokens.name)
def test_every_part_is_read_and_seen(tokens: Tokens) -> None:
    for part in ORDER:
        assert contrast_ratio(tokens.ink, tint_part(part, tokens)) >= 4.5
        assert contrast_ratio(colour_part(part, tokens), tokens.page) >= 3
    assert len({colour_part(part, tokens) for part in ORDER}) == len(ORDER)
