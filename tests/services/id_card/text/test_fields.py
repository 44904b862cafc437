from __future__ import annotations

import pytest

from tandem.services.id_card.records import RowKind
from tandem.services.id_card.text.address import read_address
from tandem.services.id_card.text.closed_lists import likelihood
from tandem.services.id_card.text.fields import (
    LEAST_CONFIDENCE,
    read_authority,
    read_name,
    read_nation,
    read_sex,
)
from tandem.services.id_card.text.nations import NATIONS, PRINTED_NATIONS, simplified
from tests.services.id_card.text.spelling import Likely, row

SEX_NATION = RowKind.SEX_NATION


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("姓名 张三", "张三"),
        ("姓名 爱新觉罗·玄烨", "爱新觉罗·玄烨"),
        ("姓名 爱新觉罗•玄烨", "爱新觉罗·玄烨"),
        ("姓名 买买提.吐尔逊", "买买提·吐尔逊"),
        ("姓名 ·张三.", "张三"),
        ("姓名 张○明", "张〇明"),
        ("姓名 张三    1", "张三"),  # far away: the portrait's edge
        ("姓名 张l", ""),  # the name goes on, but not as read
        ("姓名 1", ""),
        ("姓名 林", ""),  # what a stamp left
        ("姓名", ""),
        ("", ""),
    ],
)
def test_name(text: str, name: str) -> None:
    assert read_name([row(RowKind.NAME, text)]).text == name


def test_a_name_that_begins_with_its_labels_rest_is_not_trusted() -> None:
    field = read_name([row(RowKind.NAME, "名司空财")])
    assert field.text == "名司空财"
    assert field.incomplete
    assert field.confidence <= LEAST_CONFIDENCE


def test_confidence_is_the_product_and_a_guess_leaves_the_field_empty() -> None:
    sure = read_name([row(RowKind.NAME, ["姓", "名", (("张", 0.9),), (("三", 0.5),)])])
    assert sure.text == "张三"
    assert sure.confidence == pytest.approx(0.45)
    guess = read_name([row(RowKind.NAME, ["姓", "名", (("张", 0.9),), (("三", LEAST_CONFIDENCE - 0.01),)])])
    assert guess.text == ""
    assert 0 < guess.confidence < LEAST_CONFIDENCE


def test_address_joins_rows_and_keeps_what_is_printed() -> None:
    rows = [
        row(RowKind.ADDRESS, "住址 北京市东城区景山前街4号"),
        row(RowKind.ADDRESS, "A-3#二O一室(东)"),
        row(RowKind.ADDRESS, ""),
    ]
    field = read_address(rows)
    assert field.text == "北京市东城区景山前街4号A-3#二〇一室(东)"
    assert len(field.parts) == 2


@pytest.mark.parametrize(
    ("read", "printed"),
    [
        ("二0一室", "二〇一室"),
        ("一O三", "一〇三"),
        ("二00八", "二〇〇八"),
        ("○村", "〇村"),
        ("三10号", "三10号"),  # digits among digits are digits
        ("A0一", "A0一"),
        ("10号", "10号"),
        ("二0号", "二〇号"),
    ],
)
def test_the_chinese_zero(read: str, printed: str) -> None:
    assert read_address([row(RowKind.ADDRESS, f"住址 {read}")]).text == printed


def test_an_authority_of_no_place_is_doubted() -> None:
    """The first character was passed over (宜昌市): the rest reads smoothly."""
    field = read_authority([row(RowKind.AUTHORITY, "签发机关昌市公安局")])
    assert field.text == "昌市公安局"
    assert field.confidence <= 0.4
    assert field.incomplete
    whole = read_authority([row(RowKind.AUTHORITY, "签发机关宜昌市公安局")])
    assert whole.confidence > 0.9
    assert not whole.incomplete


def test_authority_is_hanzi_of_one_or_two_rows() -> None:
    rows = [row(RowKind.AUTHORITY, "签发机关 上海市公安局、"), row(RowKind.AUTHORITY, "徐汇分局")]
    assert read_authority(rows).text == "上海市公安局徐汇分局"


@pytest.mark.parametrize("text", ["签发机关 上海市公安", "签发机关", ""])
def test_an_authority_cut_short_is_left_empty(text: str) -> None:
    field = read_authority([row(RowKind.AUTHORITY, text)])
    assert field.text == ""
    assert field.confidence <= LEAST_CONFIDENCE


@pytest.mark.parametrize("sex", ["男", "女"])
def test_sex(sex: str) -> None:
    assert read_sex([row(SEX_NATION, f"性别 {sex} 民族 汉")]).text == sex
    assert read_sex([row(SEX_NATION, sex)]).text == sex


@pytest.mark.parametrize(
    ("likely", "sex"),
    [
        ((("另", 0.6), ("男", 0.3)), "男"),  # the runner-up is of the list, the first is not
        ((("男", 0.5), ("女", 0.4)), ""),  # both: nobody knows
        ((("勇", 0.9), ("男", 0.01)), ""),  # hardly
        ((("另", 0.9),), ""),
    ],
)
def test_sex_is_decided_within_the_list(likely: Likely, sex: str) -> None:
    assert read_sex([row(SEX_NATION, ["性", "别", " ", likely, "民", "族", "汉"])]).text == sex


@pytest.mark.parametrize("nation", PRINTED_NATIONS)
def test_every_nation_is_read_behind_half_its_label(nation: str) -> None:
    assert read_nation([row(SEX_NATION, f"性别 男 民 {nation}")]).text == nation


@pytest.mark.parametrize("nation", PRINTED_NATIONS)
def test_every_nation_is_read(nation: str) -> None:
    assert read_nation([row(SEX_NATION, f"性别 男 民族 {nation}")]).text == nation


def test_there_are_56_nations() -> None:
    assert len(set(NATIONS)) == len(NATIONS) == 56
    assert all(simplified(character) == character for nation in PRINTED_NATIONS for character in nation)


@pytest.mark.parametrize(
    ("value", "nation"),
    [
        (["漢"], "汉"),
        ([(("士", 0.8), ("土", 0.15))], "土"),
        (["维", (("吴", 0.7), ("吾", 0.2)), "尔"], "维吾尔"),
        ([(("土", 0.5), ("士", 0.4)), "家"], "土家"),
        (["族"], ""),  # none of the list
        ([(("木", 0.5), ("水", 0.2), ("汉", 0.2))], ""),  # two of the list
        ([(("木", 0.9), ("水", 0.01))], ""),  # hardly
        ([], ""),
    ],
)
def test_nation_is_decided_within_the_list(value: list[str | Likely], nation: str) -> None:
    assert (
        read_nation([row(SEX_NATION, ["性", "别", " ", "男", " ", "民", "族", " ", *value])]).text == nation
    )


@pytest.mark.parametrize("text", ["男 汉", "性别 男 民旅 汉", "别 男 族 汉", "汉"])
def test_nation_without_its_whole_label(text: str) -> None:
    assert read_nation([row(SEX_NATION, text)]).text == "汉"


def test_likelihood_of_all_texts_of_one_alphabet_adds_up() -> None:
    # Three time steps over a, b and the blank: every path spells one text, so that all texts' shares make 1.
    steps = [{"": 0.5, "a": 0.3, "b": 0.2}, {"": 0.1, "a": 0.6, "b": 0.3}, {"": 0.3, "a": 0.3, "b": 0.4}]
    texts = {"", "a", "b", "aa", "ab", "ba", "bb", "aba", "bab"}
    total = sum(likelihood(steps, text) for text in texts)
    assert total == pytest.approx(1)
    assert likelihood(steps, "aa") == pytest.approx(0.3 * 0.1 * 0.3)


@pytest.mark.parametrize(
    ("read", "name"), [("连萍仅", "连萍"), ("西门艳苗仅供办理", "西门艳苗"), ("仅供办理", "仅供办理")]
)
def test_a_name_ends_before_the_purpose_that_is_written_across(read: str, name: str) -> None:
    field = read_name([row(RowKind.NAME, f"姓名 {read}")])
    assert field.text == name
    assert field.incomplete
    assert field.confidence <= LEAST_CONFIDENCE


def test_an_address_with_words_of_a_purpose_is_doubted() -> None:
    lines = ["住址 福建省厦门市思明区仅供", "民崖路9号"]
    field = read_address([row(RowKind.ADDRESS, line) for line in lines])
    assert field.incomplete
    assert field.confidence <= LEAST_CONFIDENCE
    assert not read_address([row(RowKind.ADDRESS, line.replace("仅供", "")) for line in lines]).incomplete
