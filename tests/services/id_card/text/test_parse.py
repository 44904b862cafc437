from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tandem.services.id_card
from tandem.services.id_card.records import RowKind, pack_cards, pack_segments
from tandem.services.id_card.text.fields import LEAST_CONFIDENCE
from tandem.services.id_card.text.nations import PRINTED_NATIONS, simplified
from tandem.services.id_card.text.parse import SURE_SCORE, parse_card, parse_cards, read_dictionary
from tests.services.id_card.text.spelling import Likely, Speller, card, picture, row, segment

TODAY = date(2026, 1, 1)
SCHEMA = json.loads((Path(tandem.services.id_card.__file__).parent / "result.schema.json").read_text("utf-8"))

PORTRAIT: list[tuple[RowKind, str]] = [
    (RowKind.NAME, "姓名 张三"),
    (RowKind.SEX_NATION, "性别 女 民族 汉"),
    (RowKind.BIRTH, "出生 1949年12月31日"),
    (RowKind.ADDRESS, "住址 北京市东城区"),
    (RowKind.ADDRESS, "景山前街4号"),
    (RowKind.NUMBER, "公民身份号码 11010519491231002X"),
]
EMBLEM: list[tuple[RowKind, str]] = [
    (RowKind.AUTHORITY, "签发机关 上海市公安局"),
    (RowKind.VALIDITY, "有效期限 2005.10.08-2025.10.08"),
]

Rows = Sequence[tuple[RowKind, str | Sequence[str | Likely]]]


def _parse(rows: Rows, emblem: float = 0.0) -> dict[str, Any]:
    *arrays, dictionary = picture(rows, emblem)
    (parsed,) = parse_cards(*arrays, dictionary=dictionary, today=TODAY)  # type: ignore[arg-type]
    jsonschema.validate({"cards": [parsed], "others": []}, SCHEMA)
    assert json.loads(json.dumps(parsed, ensure_ascii=False)) == parsed
    return parsed


STRANGER: list[tuple[RowKind, str]] = [
    (RowKind.NAME, "居民健康卡"),
    (RowKind.SEX_NATION, "员工证 编号"),
    (RowKind.ADDRESS, "单位谷廖泉彭楼"),
    (RowKind.NUMBER, "C39777939"),
]


@pytest.mark.parametrize(
    ("rows", "score", "count"),
    [
        pytest.param(STRANGER, SURE_SCORE - 0.01, 0, id="unsure and nothing that a card says"),
        pytest.param([], SURE_SCORE - 0.01, 0, id="unsure and nothing at all"),
        pytest.param(STRANGER, SURE_SCORE + 1e-6, 1, id="sure, however little can be read"),  # float32
        pytest.param(PORTRAIT, 0.45, 1, id="unsure, but it says what a card says"),
        pytest.param(PORTRAIT[-1:], 0.45, 1, id="a number says enough"),
        pytest.param(PORTRAIT[:2], 0.45, 1, id="two labels say enough"),
        pytest.param(PORTRAIT[:1], 0.45, 0, id="other cards have a name too"),
        pytest.param(EMBLEM[:1], 0.45, 1, id="the authority's label says enough"),
    ],
)
def test_what_the_detector_doubts_is_a_card_if_it_speaks_like_one(
    rows: Rows, score: float, count: int
) -> None:
    *arrays, dictionary = picture(rows, float(list(rows) == EMBLEM[:1]), score)
    assert len(parse_cards(*arrays, dictionary=dictionary, today=TODAY)) == count  # type: ignore[arg-type]


def test_a_portrait_side() -> None:
    parsed = _parse(PORTRAIT)
    assert parsed["side"] == "portrait"
    assert parsed["fields"] == {
        "姓名": "张三",
        "性别": "女",
        "民族": "汉",
        "出生": "1949年12月31日",
        "住址": "北京市东城区景山前街4号",
        "公民身份号码": "11010519491231002X",
    }
    assert all(parsed["checks"].values())
    assert all(confidence > 0.95 for confidence in parsed["confidence"].values())


def test_an_emblem_side() -> None:
    parsed = _parse(EMBLEM, emblem=1.0)
    assert parsed["side"] == "emblem"
    assert parsed["fields"] == {"签发机关": "上海市公安局", "有效期限": "2005.10.08-2025.10.08"}
    assert parsed["checks"] == {"validity_span": True, "expired": True}


def test_rows_in_any_order_say_the_same() -> None:
    *arrays, dictionary = picture(PORTRAIT)
    (expected,) = parse_cards(*arrays, dictionary=dictionary, today=TODAY)  # type: ignore[arg-type]
    segments = arrays[3]
    for seed in range(5):
        order = list(range(len(segments)))
        random.Random(seed).shuffle(order)
        shuffled = [*arrays[:3], segments[order]]
        (parsed,) = parse_cards(*shuffled, dictionary=dictionary, today=TODAY)  # type: ignore[arg-type]
        assert parsed == expected


def test_rows_under_wrong_kinds_are_told_by_their_labels() -> None:
    kinds = [kind for kind, _ in PORTRAIT]
    wrong = [
        (kind, text) for kind, (_, text) in zip(reversed(kinds), PORTRAIT, strict=True) if "景山" not in text
    ]
    fields = _parse(wrong)["fields"]
    assert (fields["姓名"], fields["公民身份号码"]) == ("张三", "11010519491231002X")


@pytest.mark.parametrize(("rows", "side"), [(PORTRAIT, "portrait"), (EMBLEM, "emblem")])
def test_labels_overrule_the_detector_on_the_side(rows: Rows, side: str) -> None:
    assert _parse(rows, emblem=float(side == "portrait"))["side"] == side


def test_without_labels_the_detector_says_the_side() -> None:
    assert _parse([], emblem=0.9)["side"] == "emblem"
    assert _parse([], emblem=0.1)["side"] == "portrait"


def test_what_was_not_read_is_empty_with_confidence_zero_and_no_box() -> None:
    parsed = _parse([(RowKind.NAME, "姓名")])
    assert set(parsed["fields"].values()) == {""}
    assert set(parsed["confidence"].values()) == {0.0}
    assert set(parsed["boxes"].values()) == {None}
    assert set(parsed["checks"].values()) == {None}


def test_boxes_lie_around_the_values_not_the_labels() -> None:
    boxes = _parse(PORTRAIT)["boxes"]
    # 姓名 ends at 8 + 64 px; the gap is 24 px; two hanzi of 32 px follow. Glyph centres sit at their first
    # step.
    (left, top), (right, _), (_, bottom), _ = boxes["姓名"]
    assert 72 <= left < 108
    assert 130 < right <= 172
    assert (top, bottom) == (0, 48)
    assert boxes["性别"][1][0] <= boxes["民族"][0][0]
    address = np.array(boxes["住址"])
    assert address[:, 1].tolist() == [180, 180, 288, 288]  # two rows, lanes 3 and 4


def test_a_box_turns_with_its_card() -> None:
    speller = Speller()
    lane = speller.lane("姓名 张三")
    characters, probabilities = speller.arrays([lane])
    upright = segment(RowKind.NAME, 0, len(lane) * 8)
    turned = type(upright)(**{**vars(upright), "quad": upright.quad[:, ::-1] * np.array([-1, 1], np.float32)})
    (parsed,) = parse_cards(
        characters,
        probabilities,
        pack_cards([card()]),
        pack_segments([turned]),
        dictionary=speller.dictionary,
        today=TODAY,
    )
    box = np.array(parsed["boxes"]["姓名"])
    assert np.allclose(box[0], box[3] + [48, 0])  # its own left side lies along the picture's x axis
    assert (box[1] - box[0])[1] > 32


def test_corrections_are_reported() -> None:
    number: list[str | Likely] = [*"公民身份号码 11010519491231002", (("8", 0.6), ("X", 0.35))]
    parsed = _parse([(RowKind.NUMBER, number)])
    assert parsed["corrected"] == [
        {"field": "公民身份号码", "index": 17, "read": "8", "now": "X", "support": pytest.approx(0.35)}
    ]


@pytest.mark.parametrize("place", [3, 4])
def test_an_address_with_a_gap_where_a_line_should_be_is_left_empty(place: int) -> None:
    number = PORTRAIT[5]  # takes the room of the line that was not found
    fields = _parse([*PORTRAIT[:place], number, *PORTRAIT[place:5]])["fields"]
    assert fields["住址"] == ""
    assert fields["公民身份号码"] == "11010519491231002X"


@pytest.mark.parametrize(
    ("name", "doubted"),
    [
        ("姓名 司空志帆", False),
        ("姓名     志帆", True),  # a stamp over the first two: two spaces each
        ("姓名   空志帆", True),
        ("姓名  志帆", False),  # a little late, as cards are that were not found quite right
    ],
)
def test_a_name_that_begins_where_its_second_character_would_be_is_doubted(
    name: str, *, doubted: bool
) -> None:
    rows = []
    for kind, text in ((RowKind.NAME, name), (RowKind.ADDRESS, "住址 北京市东城区景山前街")):
        read = row(kind, text)
        right = 6.0 + (read.segment.x1 - read.segment.x0) / 10  # px a mm: a hanzi takes 3.2
        rows.append(replace(read, segment=replace(read.segment, left_mm=6.0, right_mm=right)))
    parsed = parse_card(card(), rows, TODAY)
    assert parsed["fields"]["姓名"] == name.removeprefix("姓名").strip()
    assert ("姓名" in parsed["incomplete_fields"]) == doubted
    assert (parsed["confidence"]["姓名"] <= LEAST_CONFIDENCE) == doubted


def test_two_cards_keep_their_rows_apart() -> None:
    speller = Speller()
    lanes = [speller.lane(text) for text in ("姓名 张三", "姓名 李四", "有效期限 2006.08.26-长期")]
    characters, probabilities = speller.arrays(lanes)
    width = characters.shape[1] * 8
    kinds = (RowKind.NAME, RowKind.NAME, RowKind.VALIDITY)
    segments = [segment(kind, i, width, card_index=i) for i, kind in enumerate(kinds)]
    cards = pack_cards([card(), card(), card(1.0)])
    parsed = parse_cards(
        characters,
        probabilities,
        cards,
        pack_segments(segments),
        dictionary=speller.dictionary,
        today=TODAY,
    )
    jsonschema.validate({"cards": parsed, "others": []}, SCHEMA)
    assert [entry["fields"].get("姓名") for entry in parsed] == ["张三", "李四", None]
    assert parsed[2]["fields"]["有效期限"] == "2006.08.26-长期"


def test_no_card_gives_no_entry() -> None:
    *arrays, dictionary = picture([])
    nothing = [*arrays[:2], pack_cards([]), arrays[3]]
    assert parse_cards(*nothing, dictionary=dictionary, today=TODAY) == []  # type: ignore[arg-type]


def test_dictionary_round_trip(tmp_path: Path) -> None:
    names = ["<blank>", "汉", "\u2028", " "]
    (tmp_path / "characters.txt").write_text("\n".join([*names, ""]), encoding="utf-8")
    assert read_dictionary(tmp_path / "characters.txt") == names


# What a field may hold that no time step says: signs at fixed places, and one spelling of what looks alike.
_FIXED = {"出生": "年月日", "有效期限": ".-长期", "住址": "〇·-#/", "姓名": "〇·", "公民身份号码": "X"}
_letters = st.sampled_from(
    "姓名性别男女民族汉满出生年月日住址公身份证号码签发机关有效期限长0123456789XOl〇.-· "
)
_texts = st.lists(
    st.one_of(
        _letters,
        st.characters(codec="utf-8"),
        st.tuples(st.tuples(_letters, st.floats(0.4, 1)), st.tuples(_letters, st.floats(0.01, 0.4))),
    ),
    max_size=25,
)
_rows = st.lists(st.tuples(st.sampled_from(list(RowKind)), _texts), max_size=8)


@given(_rows, st.floats(0, 1))
@settings(max_examples=150, deadline=None)
def test_any_text_in_any_order_gives_a_valid_result_and_no_field_that_was_not_read(
    rows: Rows, emblem: float
) -> None:
    parsed = _parse(rows, emblem)
    likely = {
        character
        for _, text in rows
        for entry in text
        for character in ([entry] if isinstance(entry, str) else [c for c, _ in entry])
    }
    seen = likely | {simplified(character) for character in likely}
    for name, text in parsed["fields"].items():
        invented = set(text) - seen - set(_FIXED.get(name, ""))
        assert not invented, name
        assert (parsed["boxes"][name] is None) == (text == "")
        assert text == "" or parsed["confidence"][name] > 0
    assert parsed["fields"].get("民族", "") in ("", *PRINTED_NATIONS)


@given(st.permutations(PORTRAIT), st.integers(0, len(PORTRAIT)))
@settings(max_examples=40, deadline=None)
def test_a_missing_row_empties_its_own_fields_only(rows: Rows, kept: int) -> None:
    present = list(rows)[:kept]
    expected = {
        RowKind.NAME: {"姓名": "张三"},
        RowKind.SEX_NATION: {"性别": "女", "民族": "汉"},
        RowKind.BIRTH: {"出生": "1949年12月31日"},
        RowKind.NUMBER: {"公民身份号码": "11010519491231002X"},
    }
    fields = _parse(present)["fields"]
    for kind, values in expected.items():
        read = kind in [row_kind for row_kind, _ in present]
        for name, value in values.items():
            assert fields[name] == (value if read else "")
