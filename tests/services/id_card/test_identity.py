"""Who decides that a card is a resident identity card: the classifier, the number, or both."""

from __future__ import annotations

import json
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from tandem.media.document_kinds import KINDS, NONE, RESIDENT, RESIDENT_EMBLEM
from tandem.services import id_card
from tandem.services.id_card.identity import other_kind, read_picture
from tandem.services.id_card.records import SEGMENT_COLUMNS, CardRecord, RowKind, pack_cards
from tandem.services.id_card.text.titles import Title
from tests.services.id_card.text.spelling import picture

SCHEMA = json.loads((Path(id_card.__file__).parent / "result.schema.json").read_text(encoding="utf-8"))
SOUND = {"number_checksum": True, "region_known": True}
QUAD = np.array([[0, 0], [856, 0], [856, 540], [0, 540]], np.float32)


def kinds_of(**shares: float) -> np.ndarray:
    """Probabilities: what is not named gets nothing; `portrait` is the resident card's."""
    names = {"portrait": "resident_id.portrait", "permit": "hmt_residence_permit.portrait"}
    row = np.zeros(len(KINDS), np.float32)
    for name, share in shares.items():
        row[KINDS.index(names.get(name, name))] = share
    return row


def judged(kinds: np.ndarray, number: str = "", nation: str = "", **checks: bool | None) -> str | None:
    return other_kind(kinds, {"公民身份号码": number, "民族": nation}, checks, Title())


def titled(kinds: np.ndarray, text: str, confidence: float = 0.95) -> str | None:
    return other_kind(kinds, {}, {}, Title(text=text, confidence=confidence))


def test_the_classifier_alone() -> None:
    assert judged(kinds_of(portrait=0.9, permit=0.1)) is None
    assert judged(kinds_of(portrait=0.1, permit=0.9)) == "hmt_residence_permit.portrait"
    assert judged(kinds_of(portrait=0.3, other_card=0.3, none=0.4)) == NONE


def test_a_sound_number_beside_a_nation_supports_a_doubtful_card() -> None:
    doubtful = kinds_of(portrait=0.4, other_card=0.6)
    assert judged(doubtful) == "other_card"
    assert judged(doubtful, "429006199310055513", "汉", **SOUND) is None
    assert judged(doubtful, "429006199310055513", "", **SOUND) == "other_card"
    assert (
        judged(doubtful, "429006199310055513", "汉", number_checksum=False, region_known=True) == "other_card"
    )


def test_beside_an_emblem_side_a_sound_number_is_enough() -> None:
    doubtful, text = kinds_of(portrait=0.45, permit=0.46), {"公民身份号码": "429006199310055513"}
    assert other_kind(doubtful, text, SOUND, Title()) == "hmt_residence_permit.portrait"
    assert other_kind(doubtful, text, SOUND, Title(), beside=True) is None
    assert other_kind(doubtful, {}, {}, Title(), beside=True) == "hmt_residence_permit.portrait"
    permit = {"公民身份号码": "830000199310055513"}
    assert other_kind(doubtful, permit, SOUND, Title(), beside=True) == "hmt_residence_permit.portrait"


def test_a_temporary_cards_text_is_a_resident_cards_and_supports_neither() -> None:
    doubtful = kinds_of(portrait=0.4, **{"temporary_id.portrait": 0.6})
    assert judged(doubtful, "429006199310055513", "汉", **SOUND) == "temporary_id.portrait"


def test_text_does_not_make_a_resident_card_of_what_is_clearly_none() -> None:
    clear = kinds_of(portrait=0.01, residence_permit=0.99)
    assert judged(clear, "429006199310055513", "汉", **SOUND) == "residence_permit"


@pytest.mark.parametrize(
    ("kinds", "alone"),
    [
        (kinds_of(portrait=0.05, permit=0.25, other_card=0.2), "hmt_residence_permit.portrait"),  # at a loss
        (kinds_of(portrait=0.02, none=0.9), NONE),  # sees nothing
    ],
)
def test_text_decides_where_the_classifier_is_at_a_loss(kinds: np.ndarray, alone: str) -> None:
    number = "429006199310055513"
    assert judged(kinds) == alone
    assert judged(kinds, number, "汉", **SOUND) is None
    assert judged(kinds, number, "汉", number_checksum=False, region_known=True) == alone
    assert judged(kinds_of(portrait=0.05, permit=0.35), number, "汉", **SOUND) is not None


@pytest.mark.parametrize("prefix", ["81", "82", "83"])
def test_a_permits_number_overrules_the_classifier(prefix: str) -> None:
    number = prefix + "0000199005121373"
    assert judged(kinds_of(portrait=0.99), number, **SOUND) == "hmt_residence_permit.portrait"


def test_a_misread_number_does_not_overrule_a_sure_classifier() -> None:
    number = "81" + "0000199005121373"
    assert judged(kinds_of(portrait=0.97), number, number_checksum=False) is None
    assert judged(kinds_of(portrait=0.6), number, number_checksum=False) == "hmt_residence_permit.portrait"


def test_a_foreigners_number() -> None:
    number = "911124198108030024"
    assert (
        judged(kinds_of(portrait=0.8), number, number_checksum=True) == "foreign_permanent_resident.portrait"
    )


EMBLEM = {"resident_id.emblem": 0.95, "other_card": 0.05}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("居民健康卡", "other_card"),
        ("港澳居民居住证", "hmt_residence_permit.emblem"),
        ("外国人永久居留身份证", "foreign_permanent_resident.emblem"),
        ("临时居民身份证", "temporary_id.emblem"),
        ("时居民身份证", "temporary_id.emblem"),
        ("国人永久居留身份证", "foreign_permanent_resident.emblem"),
        ("驾驶证", "driving_licence"),
        ("居住证", "residence_permit"),
    ],
)
def test_another_title_overrules_the_classifier(text: str, kind: str) -> None:
    assert titled(kinds_of(**EMBLEM), text) == kind
    assert titled(kinds_of(**EMBLEM), text, 0.5) is None


def test_a_title_that_is_nearly_the_own_one_decides_nothing() -> None:
    for text in ("居民身份", "居民身伤证", "民身份证", "居民身份证书卡", "局长", ""):
        assert titled(kinds_of(**EMBLEM), text) is None, text
        assert titled(kinds_of(other_card=0.7, **{"resident_id.emblem": 0.3}), text) == "other_card", text


def test_the_own_title_supports_a_doubtful_card() -> None:
    doubtful = {"resident_id.emblem": 0.2, "other_card": 0.8}
    assert titled(kinds_of(**doubtful), "居民身份证") is None
    assert titled(kinds_of(**doubtful), "居民身份证", 0.6) == "other_card"
    assert titled(kinds_of(other_card=0.99), "居民身份证") == "other_card"


def test_the_own_title_above_issuer_and_validity_is_worth_more_than_some_other_card() -> None:
    title = Title(text="居民身份证", confidence=0.9)
    text = {"签发机关": "凯里市公安局", "有效期限": "2013.03.09-2033.03.09"}
    some, temporary = kinds_of(other_card=0.99), kinds_of(**{"temporary_id.emblem": 0.99})
    assert other_kind(some, text, {}, title) is None
    assert other_kind(some, {**text, "签发机关": ""}, {}, title) == "other_card"
    assert other_kind(some, text, {}, Title(text="居民身份证", confidence=0.7)) == "other_card"
    assert other_kind(temporary, text, {}, title) == "temporary_id.emblem"


def answered(kinds: np.ndarray, *scores: float) -> dict[str, Any]:
    """The answer for cards on which nothing was read, surer than what needs text."""
    cards = pack_cards([CardRecord(quad=QUAD, score=score, emblem=0.1) for score in scores])
    empty = np.zeros((1, 20, 5))
    answer = read_picture(
        empty.astype(np.int32),
        empty.astype(np.float32),
        cards,
        np.zeros((14, SEGMENT_COLUMNS), np.float32),
        np.zeros((max(len(scores), 1), 3), np.float32),
        kinds,
        QUAD.reshape(1, 8),
        dictionary=["", "a"],
        today=date(2026, 1, 1),
    )
    jsonschema.validate(answer, SCHEMA)
    return answer


def test_each_card_goes_where_it_belongs() -> None:
    kinds = np.stack([kinds_of(bank_card=1.0), kinds_of(portrait=1.0), kinds_of(none=1.0)])
    answer = answered(kinds, 0.95, 0.94, 0.93)
    assert [card["score"] for card in answer["cards"]] == [0.94]
    (other,) = answer["others"]
    assert other == {"kind": "bank_card", "score": 0.95, "quad": QUAD.tolist()}


@pytest.mark.parametrize(("sure", "count"), [(0.95, 2), (0.85, 1)])
def test_the_emblem_side_in_the_picture_speaks_for_the_portrait_side(sure: float, count: int) -> None:
    number = [(RowKind.NUMBER, "公民身份号码 11010519491231002X")]
    characters, probabilities, _, segments, dictionary = picture(number)
    answer = read_picture(
        characters,
        probabilities,
        pack_cards([CardRecord(quad=QUAD, score=0.95, emblem=emblem) for emblem in (0.1, 0.9)]),
        segments,
        np.zeros((2, 3), np.float32),
        np.stack([kinds_of(portrait=0.45, permit=0.46), kinds_of(**{RESIDENT_EMBLEM: sure})]),
        QUAD.reshape(1, 8).repeat(2, axis=0),
        dictionary=dictionary,
        today=date(2026, 1, 1),
    )
    assert len(answer["cards"]) == count


def test_a_picture_without_a_card_may_show_another_document() -> None:
    (other,) = answered(kinds_of(bank_card=0.9, paper=0.1)[np.newaxis])["others"]
    assert other == {"kind": "bank_card", "score": 0.9, "quad": QUAD.tolist()}


@pytest.mark.parametrize("kind", [NONE, *RESIDENT])
def test_a_picture_without_a_card_never_shows_a_resident_card(kind: str) -> None:
    assert answered(kinds_of(**{kind: 1.0})[np.newaxis]) == {"cards": [], "others": []}


def test_a_doubtful_picture_shows_nothing() -> None:
    assert answered(kinds_of(bank_card=0.5, paper=0.5)[np.newaxis])["others"] == []


def test_the_schema_knows_every_other_kind() -> None:
    enum = SCHEMA["properties"]["others"]["items"]["properties"]["kind"]["enum"]
    assert enum == [kind for kind in KINDS if kind not in (*RESIDENT, NONE)]


def test_rows_of_another_card_overrule_the_classifier_and_support() -> None:
    kinds = kinds_of(portrait=0.6, **{"temporary_id.portrait": 0.3, "none": 0.1})
    text = {"公民身份号码": "429006199310055513", "民族": "汉"}
    assert other_kind(kinds, text, SOUND, Title()) is None
    assert other_kind(kinds, text, SOUND, Title(), other_rows=True) == "temporary_id.portrait"
    sure = kinds_of(portrait=1.0)
    assert other_kind(sure, text, SOUND, Title(), other_rows=True) == "temporary_id.portrait"


def test_a_card_with_issuer_and_validity_under_its_number_is_no_resident_card() -> None:
    rows = [
        (RowKind.NAME, "姓名 司徒芳"),
        (RowKind.SEX_NATION, "性别 女 民族 汉"),
        (RowKind.BIRTH, "出生 2015 年 7 月 24 日"),
        (RowKind.NUMBER, "有效期限 2025.03.02-2025.06.02"),
    ]
    characters, probabilities, cards, segments, dictionary = picture(rows)
    kinds = kinds_of(portrait=0.9, **{"temporary_id.portrait": 0.1})[np.newaxis]
    read = partial(
        read_picture,
        characters,
        probabilities,
        cards,
        titles=np.zeros((1, 3), np.float32),
        kinds=kinds,
        view_quads=QUAD.reshape(1, 8),
        dictionary=dictionary,
        today=date(2026, 1, 1),
    )
    answer = read(segments)
    assert answer["cards"] == []
    assert [other["kind"] for other in answer["others"]] == ["temporary_id.portrait"]
    without = read(segments[:3])
    assert len(without["cards"]) == 1
    assert without["others"] == []
