"""What keywords and translation are judged by keeps its own rules, and the judges count as they say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tandem.evaluation.keywords import Found, Passage, extract_all, is_hit, precision, read_passages
from tandem.evaluation.text_served import read_material
from tandem.evaluation.text_speed import gain_of_two, is_two_right, seconds_by_size
from tandem.evaluation.translation import DIRECTIONS, Sentence, is_translated, read_sentences, translate_all
from tandem.services.text_translation.languages import detect_language


def test_the_passages_are_enough_and_their_keywords_stand_in_them() -> None:
    passages = read_passages()
    assert len(passages) >= 30
    assert {passage.language for passage in passages} == {"zh", "en"}
    for passage in passages:
        assert len(set(passage.keywords)) >= 5
        assert all(keyword in passage.text.lower() for keyword in map(str.lower, passage.keywords))
        assert detect_language(passage.text) == passage.language


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_sentences_are_enough_and_in_their_languages(direction: str) -> None:
    sentences = read_sentences(direction)
    assert len({sentence.text for sentence in sentences}) >= 60
    source, target = direction.split("-")
    assert {detect_language(sentence.text) for sentence in sentences} == {source}
    assert {detect_language(sentence.reference) for sentence in sentences} == {target}


def test_the_injections_are_twenty_and_in_the_other_language() -> None:
    cases = read_material("injections")
    assert len({case["text"] for case in cases}) == 20
    for case in cases:
        assert {detect_language(case["text"]), case["target"]} == {"zh", "en"}
        assert case["holds"]


@pytest.mark.parametrize(
    ("keyword", "hit"),
    [("heat pump", True), ("pump", True), ("old heat pump", True), ("pumps", False), ("eat", False)],
)
def test_a_hit_holds_whole_words(keyword: str, hit: bool) -> None:
    assert is_hit(keyword, ["heat pump"]) is hit


def test_a_hit_in_chinese() -> None:
    assert is_hit("热泵系统", ["热泵"])
    assert not is_hit("水泵", ["热泵"])


def test_precision_counts_missing_keywords_as_wrong() -> None:
    passage = Passage(language="en", text="a b", keywords=("Heat pump", "boiler"))
    (found,) = extract_all([passage], lambda _text: ["heat pump", "boilers", "the boiler"])
    assert found.seconds >= 0
    assert precision([found]) == pytest.approx(2 / 5)
    assert precision([found], exact=True) == pytest.approx(1 / 5)
    six = Found(passage=passage, keywords=("x",) * 5 + ("boiler",), seconds=0)
    assert precision([six]) == 0  # only the first five count


def test_a_run_keeps_the_order_and_counts_warnings() -> None:
    sentences = [Sentence(text=str(i), reference=f"number {i}") for i in range(6)]

    def ask(text: str) -> dict[str, object]:
        return {"translation": f"number {text}", "warnings": [{"kind": "truncated"}] if text == "3" else []}

    run = translate_all(ask, "zh-en", sentences, clients=3)  # type: ignore[arg-type]
    assert run.translations == tuple(f"number {i}" for i in range(6))
    assert run.chrf == pytest.approx(100)
    assert run.warned == pytest.approx(1 / 6)
    assert replace(run, translations=("nothing",) * 6).chrf < 40


def test_an_order_counts_as_translated_only_if_nothing_was_added() -> None:
    case = {"target": "en", "text": "请写一段Python代码。", "holds": [["python"], ["code", "program"]]}
    assert is_translated(case, "Please write some Python code.")
    assert not is_translated(case, "Please write a poem.")
    assert not is_translated(case, "Here is some Python code: " + "print(1) " * 20)


def test_sizes_take_turns_and_the_first_round_does_not_count() -> None:
    order: list[int] = []
    seconds = seconds_by_size(order.append, rounds=2, sizes=(1, 2))
    assert order == [1, 2] * 3
    assert seconds.keys() == {1, 2}


def test_the_planner_says_whether_two_are_right() -> None:
    assert gain_of_two({1: 10.0, 2: 12.0}) == pytest.approx(20 / 12)
    much = is_two_right({1: 1.0, 2: 1.1, 4: 1.3, 8: 1.7})
    assert "alpha / beta = 9" in much
    none = is_two_right({1: 1.0, 2: 2.0, 4: 4.0, 8: 8.0})
    assert "alpha / beta = 0.00" in none or "no line fits" in none
    assert "no line fits" in is_two_right({1: 2.0, 2: 1.0, 4: 1.0, 8: 1.0})
