from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.services.text_keywords.candidates import MAX_CANDIDATES, find_candidates, load


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    load()


def phrases(text: str) -> set[str]:
    return {candidate.text for candidate in find_candidates(text)}


def test_chinese_phrases_are_nouns_and_never_cross_a_comma() -> None:
    found = phrases("食堂公示食材来源，并留存每餐样品。")
    assert {"食堂", "食材", "样品"} <= found
    assert not any("，" in phrase or "并" in phrase for phrase in found)


def test_english_phrases_are_nouns_with_what_may_stand_before_them() -> None:
    found = phrases("The violin maker chooses dry spruce for the damaged scroll.")
    assert {"violin maker", "violin", "dry spruce", "spruce", "damaged scroll"} <= found
    assert "damaged" not in found
    assert "Charging" in phrases("Charging takes hours.")
    assert not any(word in phrase.split() for phrase in found for word in ("chooses", "the", "for"))


def test_a_text_may_mix_both_languages() -> None:
    assert {"docker", "镜像"} <= {phrase.lower() for phrase in phrases("我们用Docker构建镜像。")}


def test_every_place_is_given_whatever_its_case() -> None:
    text = "Solar panels age. Old solar  panels lose power; solar cells too."
    (found,) = [one for one in find_candidates(text) if one.text == "Solar panels"]
    assert [text[start:end] for start, end in found.spans] == ["Solar panels", "solar  panels"]


def test_a_long_text_has_no_more_candidates_than_the_network_should_see() -> None:
    text = " ".join(f"word{i} apple{i}." for i in range(1000)) + " apple apple."
    found = find_candidates(text)
    assert len(found) == MAX_CANDIDATES
    assert "apple" in {one.text for one in found}  # the frequent ones stay


@pytest.mark.parametrize("text", ["12 34", "!?", "the of and", "的了是", "a b c"])
def test_texts_without_a_phrase(text: str) -> None:
    assert find_candidates(text) == []


@settings(max_examples=50)
@given(st.text(alphabet="水电站网络 abc'-,.。\n0", max_size=40))
def test_spans_are_the_phrase(text: str) -> None:
    for candidate in find_candidates(text):
        spelled = {" ".join(text[start:end].lower().split()) for start, end in candidate.spans}
        assert spelled == {" ".join(candidate.text.lower().split())}
        assert list(candidate.spans) == sorted(set(candidate.spans))
