"""The plain-text template that marks a prompt, so that no token is added to GPT-2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Template:
    """``before`` + prompt + ``between`` + story; the end-of-text token closes a story."""

    before: str = "Prompt: "
    between: str = "\n\nStory:\n"

    def render(self, prompt: str) -> str:
        """Return what stands before the story; an empty prompt gives an empty string."""
        prompt = " ".join(prompt.split())
        return f"{self.before}{prompt}{self.between}" if prompt else ""

    def as_mapping(self) -> dict[str, str]:
        """Return the parts as a bundle's manifest records them."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, parts: Mapping[str, str]) -> Template:
        """Return the template that a manifest records; raise ValueError where a part is missing."""
        try:
            return cls(before=str(parts["before"]), between=str(parts["between"]))
        except KeyError as error:
            raise ValueError(f"the template has no part {error}") from error
