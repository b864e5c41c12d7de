"""Settings: whatever stands in the file, the program gets a value it can use."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain import settings


def test_keys_are_declared_once() -> None:
    keys = [setting.key for setting in settings.ALL]
    assert len(keys) == len(set(keys))


def test_values_are_brought_into_their_limits() -> None:
    assert settings.PAGE_SIZE.accept(500) == 40
    assert settings.WILDNESS.accept(-3) == 0.0
    assert settings.THEME.accept("purple") == "system"
    assert settings.WORDS.accept(True) == settings.WORDS.default
    assert settings.GRAMMAR_LIVE.accept(0) is True
    assert settings.WILDNESS.accept(1) == 1.0


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())))
def test_any_json_value_is_survived(value: object) -> None:
    for setting in settings.ALL:
        accepted = setting.accept(value)
        assert type(accepted) is type(setting.default)
