"""Which groups of packages `scripts/serve` installs before it starts."""

from __future__ import annotations

import pytest

from export.services import packages_of


@pytest.mark.parametrize(
    ("words", "variable", "groups"),
    [
        ([], "", []),
        (["--services", "id_card,speech_to_text"], "", ["language"]),
        ([], "text_keywords,text_translation", ["language"]),
        (["--services", "id_card"], "text_keywords", []),
    ],
)
def test_speech_and_text_need_packages_however_they_are_named(
    words: list[str], variable: str, groups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_SERVICES", variable)
    assert packages_of(words) == groups
