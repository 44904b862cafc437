"""What is made at set-up: once, and again where making it was cut short."""

from __future__ import annotations

from pathlib import Path

import pytest

from export.made_once import digest_of, make_once


def test_it_is_made_once_and_again_when_what_it_is_made_from_changes(tmp_path: Path) -> None:
    made: list[str] = []
    for what in ("one", "one", "two", "two", "one"):
        make_once(tmp_path, what, lambda what=what: made.append(what))  # type: ignore[misc]
    assert made == ["one", "two", "one"]


def test_half_made_files_are_not_taken_for_those_of_before(tmp_path: Path) -> None:
    made: list[str] = []

    def cut_short() -> None:
        made.append("half of two")
        raise OSError("no space left")

    make_once(tmp_path, "one", lambda: made.append("one"))
    with pytest.raises(OSError, match="no space left"):
        make_once(tmp_path, "two", cut_short)
    make_once(tmp_path, "one", lambda: made.append("one again"))
    assert made == ["one", "half of two", "one again"]


def test_a_digest_knows_contents_and_not_the_order(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    paths = [tmp_path / "a", tmp_path / "b"]
    before = digest_of(paths)
    assert digest_of(paths[::-1]) == before
    (tmp_path / "b").write_text("c")
    assert digest_of(paths) != before
