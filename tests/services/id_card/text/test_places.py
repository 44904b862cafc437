"""Characters of the place that a field begins with are decided within the list of places, nothing else is."""

from __future__ import annotations

import pytest

from tandem.services.id_card.text.ctc import Glyph
from tandem.services.id_card.text.places import PLACE_CONFIDENCE, decide_place, without_speck
from tandem.services.id_card.text.region_names import place_length


def glyphs(text: str, **guesses: tuple[float, dict[str, float]]) -> list[Glyph]:
    """Sure glyphs; those of `guesses` with this confidence and these runners-up."""
    made = []
    for i, character in enumerate(text):
        confidence, others = guesses.get(character, (0.99, {}))
        made.append(
            Glyph(
                character=character, confidence=confidence, centre=40.0 * i, runners_up=tuple(others.items())
            )
        )
    return made


def decided(text: str, **guesses: tuple[float, dict[str, float]]) -> tuple[str, float, list[str]]:
    """The text, its least confidence, and what was replaced."""
    found, corrections = decide_place(glyphs(text, **guesses))
    said = [f"{c.index} {c.read}→{c.now} {c.support}" for c in corrections]
    return "".join(g.character for g in found), min(g.confidence for g in found), said


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("山东省东营市河口区民崖路", 9),
        ("河口区民崖路", 3),
        ("锡林郭勒盟正镶白旗公安局", 9),
        ("民崖路", 0),
        ("", 0),
    ],
)
def test_how_much_of_a_text_names_a_place(text: str, length: int) -> None:
    assert place_length(text) == length


def test_a_runner_up_that_makes_a_place_is_taken_and_said() -> None:
    found = decided("锄林郭勒盟正镶白旗公安局", 锄=(0.19, {"鋤": 0.15, "锡": 0.13}))
    assert found == ("锡林郭勒盟正镶白旗公安局", PLACE_CONFIDENCE, ["0 锄→锡 0.13"])


@pytest.mark.parametrize(
    ("others", "county"), [({"祁": 0.18, "吉": 0.1}, "祁"), ({"吉": 0.18, "祁": 0.1}, "吉")]
)
def test_the_likeliest_of_those_that_make_a_place_is_taken(others: dict[str, float], county: str) -> None:
    assert decided("山西省吾县民崖路", 吾=(0.2, others))[0] == f"山西省{county}县民崖路"


def test_what_was_read_stays_where_it_makes_a_place_itself() -> None:
    assert decided("山西省祁县民崖路", 祁=(0.3, {"吉": 0.29})) == ("山西省祁县民崖路", PLACE_CONFIDENCE, [])


def test_of_mostly_guesses_no_place_is_made() -> None:
    assert decided("吾县公安局", 吾=(0.2, {"祁": 0.1}), 县=(0.3, {})) == ("吾县公安局", 0.2, [])
    assert decided("吾县公安局", 吾=(0.2, {"祁": 0.1}))[0] == "祁县公安局"


def test_a_guess_within_a_place_as_it_was_read_is_believed_and_no_more() -> None:
    assert decided("个旧市公安局", 个=(0.28, {"介": 0.2})) == ("个旧市公安局", PLACE_CONFIDENCE, [])
    found, _ = decide_place(glyphs("个旧市公安局"))
    assert [glyph.confidence for glyph in found] == [0.99] * 6


@pytest.mark.parametrize(
    ("text", "guesses"),
    [
        ("山东省东营市民廛路", {"廛": (0.2, {"崖": 0.19})}),  # behind the place
        ("山东省东麓市民崖路", {"麓": (0.2, {"营": 0.019})}),  # hardly any support
        ("山东省东麓市民崖路", {"麓": (0.91, {"营": 0.08})}),  # read surely enough
        ("山东省东麓市民崖路", {"麓": (0.71, {"崖": 0.2})}),  # 东营市 would do, but nobody read it
        ("山东省东麓市民崖路", {"麓": (0.2, {"蘑": 0.19})}),  # no place either
    ],
)
def test_nothing_else_is_touched(text: str, guesses: dict[str, tuple[float, dict[str, float]]]) -> None:
    found, least, corrections = decided(text, **guesses)
    assert (found, corrections) == (text, [])
    assert least == next(iter(guesses.values()))[0]


def test_a_place_is_believed_before_a_surer_character_that_makes_none() -> None:
    found = decided("海南省澧迈县崖桥路", 澧=(0.73, {"澄": 0.155}))
    assert found == ("海南省澄迈县崖桥路", PLACE_CONFIDENCE, ["3 澧→澄 0.155"])


def test_two_guesses_of_one_place() -> None:
    found = decided("廣西壮族自治区吉色市", 廣=(0.3, {"广": 0.3}), 吉=(0.37, {"百": 0.08}))
    assert found == ("广西壮族自治区百色市", PLACE_CONFIDENCE, ["0 廣→广 0.3", "7 吉→百 0.08"])


def test_a_field_without_characters() -> None:
    assert decide_place([]) == ((), ())


@pytest.mark.parametrize(
    ("text", "guess", "place"),
    [
        ("河北省鄱坊市固安县富崖街", "鄱", "廊"),
        ("腊林郭勒盟正镶白旗公安局", "腊", "锡"),
        ("肥坊市霸县公安局", "肥", "廊"),  # 潍坊市 has no 霸县
        ("江苏省苏州市金阖区宋岭北里", "阖", "阊"),  # one sure character behind it, but six before
    ],
)
def test_the_only_character_that_makes_a_place_is_taken_though_nobody_read_it(
    text: str, guess: str, place: str
) -> None:
    found = decided(text, **{guess: (0.3, {"圂": 0.2})})
    at = text.index(guess)
    assert found == (text.replace(guess, place), PLACE_CONFIDENCE, [f"{at} {guess}→{place} 0.0"])


@pytest.mark.parametrize(
    ("text", "guesses"),
    [
        ("肥坊市公安局", {"肥": (0.3, {})}),  # 廊坊市 or 潍坊市
        ("山东省东麓市民崖路", {"麓": (0.3, {})}),  # one sure character behind it is too few
        ("河北省廊坊市固安路", {"路": (0.3, {})}),  # 固安县 would end with it
        ("河北省鄱坊市固安县富崖街", {"鄱": (0.3, {}), "固": (0.5, {})}),  # another guess beside it
    ],
)
def test_several_that_would_do_and_too_little_behind_decide_nothing(
    text: str, guesses: dict[str, tuple[float, dict[str, float]]]
) -> None:
    found, least, corrections = decided(text, **guesses)
    assert (found, least, corrections) == (text, 0.3, [])


@pytest.mark.parametrize(
    ("text", "sure", "left"),
    [
        ("名海南省定安县公安局", 0.52, "海南省定安县公安局"),
        ("名海南省定安县公安局", 0.95, "名海南省定安县公安局"),  # it is there
        ("址江苏省扬州市", 0.95, "江苏省扬州市"),  # the label's own, read twice
        ("宁海县公安局", 0.52, "宁海县公安局"),  # 海县 is no place, and 宁海县 is one
        ("沙河口区民崖路", 0.52, "沙河口区民崖路"),  # 河口区 is a place, too
        ("名民崖路", 0.52, "名民崖路"),
        ("名吉县", 0.52, "名吉县"),  # two characters: too little to tell by
        ("", 0.5, ""),
    ],
)
def test_a_speck_before_a_place_is_left_out(text: str, sure: float, left: str) -> None:
    read = glyphs(text, **({text[0]: (sure, {})} if text else {}))
    assert "".join(glyph.character for glyph in without_speck(read)) == left
