"""Cards that are no resident identity cards: permits, licences, social security cards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tandem.training.draw import confuser_parts as parts
from tandem.training.draw import confuser_text as words
from tandem.training.draw import guilloche
from tandem.training.draw.confuser_parts import Sheet
from tandem.training.draw.devices import draw_state_device
from tandem.training.draw.masks import rounded_mask
from tandem.training.draw.pools import choose

Drawing = tuple[NDArray[np.uint8], NDArray[np.uint8]]

CARD_RATIO = 54.0 / 85.6
CARD_WIDTH_MM = 85.6
LABEL_BLUES = ((9, 120, 190), (30, 90, 150), (9, 151, 210), (40, 40, 40))


def finish(page: Sheet, radius_mm: float = 3.18) -> Drawing:
    """The picture (BGR) and its alpha with round corners."""
    height, width = page.canvas.shape()
    return page.canvas.pixels(), rounded_mask(height, width, radius_mm * page.canvas.scale)


def card_height(width_px: int) -> int:
    """Of a card that wide, in pixels."""
    return round(width_px * CARD_RATIO)


def _device(rng: np.random.Generator, page: Sheet, x: float, y: float, size: float) -> None:
    picture, alpha = draw_state_device(rng, max(round(size * page.canvas.scale), 8))
    page.canvas.paste(picture, alpha, (x, y))


def foreigner_card(rng: np.random.Generator, width_px: int) -> Drawing:
    """A foreigner's permanent residence card: bilingual labels above values, photograph at the right."""
    page = parts.sheet(rng, parts.identity_like(rng, card_height(width_px), width_px), CARD_WIDTH_MM)
    blue = LABEL_BLUES[int(rng.integers(3))]
    dx, dy = float(rng.uniform(-1.5, 1.5)), float(rng.uniform(-1.5, 1.5))
    rows = (
        (7, 7.5, "姓名 / Name", words.latin_name(rng)),
        (7, 21.5, "性别 / Sex", choose(rng, ("女 / F", "男 / M"))),
        (26, 21.5, "出生日期 / Date of Birth", words.day(rng)),
        (
            7,
            29.2,
            "国籍 / Nationality",
            choose(rng, ("加拿大 / CAN", "美国 / USA", "法国 / FRA", "日本 / JPN")),
        ),
        (7, 37.2, "有效期限 / Period of Validity", f"{words.day(rng)} - {words.day(rng)}"),
    )
    for x, y, label, value in rows:
        page.canvas.text((x + dx, y + dy), label, page.chinese, 1.9, blue)
        page.canvas.text((x + dx, y + dy + 3.2), value, page.chinese, 2.9, page.ink)
    page.canvas.text((7 + dx, 15.5 + dy), words.person(rng), page.chinese, 3.2, page.ink, stretch=0.6)
    page.canvas.text((7 + dx, 46.2 + dy), "证件号码 / ID No.", page.chinese, 1.9, blue)
    page.canvas.text((26 + dx, 44.6 + dy), words.digits(rng, 18), page.latin, 3.6, page.ink, pitch=2.5)
    if rng.random() < 0.4:
        page.canvas.text((7, 2.5), "中华人民共和国外国人永久居留身份证", page.title, 3.2, page.ink)
    parts.photograph(rng, page, 56 + dx, 9 + dy, 24, 31, cut_out_share=0.8)
    return finish(page)


def travel_permit(rng: np.random.Generator, width_px: int) -> Drawing:
    """A permit for Hong Kong, Macau or Taiwan: photograph mostly at the left, pale blue or pink."""
    page = parts.sheet(rng, parts.identity_like(rng, card_height(width_px), width_px), CARD_WIDTH_MM)
    left = bool(rng.random() < 0.75)
    parts.photograph(rng, page, 5 if left else 58, float(rng.uniform(12, 17)), 22, 29)
    x = 31.0 if left else 6.0
    page.canvas.text(
        (float(rng.uniform(8, 26)), 4), choose(rng, words.PASS_TITLES), page.title, 4.6, page.accent
    )
    labels = LABEL_BLUES[int(rng.integers(len(LABEL_BLUES)))]
    y = 12.0
    for label in ("姓名", "出生日期", "性别", "有效期限", "签发机关", "证件号码"):
        if rng.random() < 0.85:
            page.canvas.text((x, y), label, page.chinese, 2.1, labels)
            page.canvas.text((x + 13, y - 0.3), words.value_for(rng, label), page.chinese, 2.8, page.ink)
            y += float(rng.uniform(4.6, 6.2))
    page.canvas.text(
        (x, 46), choose(rng, "CHW") + words.digits(rng, 8), page.latin, 3.6, page.ink, stretch=0.5
    )
    if rng.random() < 0.3:
        parts.chip(rng, page, 66, 20)
    return finish(page)


def identity_like_card(rng: np.random.Generator, width_px: int) -> Drawing:
    """A card with an identity card's paper and photograph, but other fields and a title."""
    page = parts.sheet(rng, parts.identity_like(rng, card_height(width_px), width_px), CARD_WIDTH_MM)
    titles = (*words.WORK_TITLES, *words.SOCIAL_TITLES, *words.PASS_TITLES)
    page.canvas.text((float(rng.uniform(6, 30)), 3.2), choose(rng, titles), page.title, 4.2, page.accent)
    labels = LABEL_BLUES[int(rng.integers(len(LABEL_BLUES)))]
    y, pitch = float(rng.uniform(10, 13)), float(rng.uniform(5.2, 7))
    names = rng.permutation(np.array(words.WORK_LABELS + words.CARD_LABELS))[: int(rng.integers(3, 7))]
    for label in names:
        if y > 47:
            break
        page.canvas.text((6.5, y), str(label), page.chinese, 2.6, labels)
        page.canvas.text((20, y), words.value_for(rng, str(label))[:14], page.chinese, 2.8, page.ink)
        y += pitch
    if rng.random() < 0.85:
        parts.photograph(
            rng, page, float(rng.uniform(54, 60)), float(rng.uniform(9, 16)), 21, 28, cut_out_share=0.5
        )
    if rng.random() < 0.25:
        parts.bars(rng, page, 8, 47, 40, 5)
    return finish(page, float(choose(rng, ("0", "3.18", "3.18"))))


def identity_like_back(rng: np.random.Generator, width_px: int) -> Drawing:
    """A pale card with large titles and a round mark, but not a resident identity card's."""
    page = parts.sheet(rng, parts.identity_like(rng, card_height(width_px), width_px), CARD_WIDTH_MM)
    mark = rng.random()
    if mark < 0.4:
        _device(rng, page, float(rng.uniform(4, 60)), float(rng.uniform(3, 20)), float(rng.uniform(10, 18)))
    elif mark < 0.8:
        parts.logo(
            rng, page, float(rng.uniform(4, 60)), float(rng.uniform(3, 20)), float(rng.uniform(10, 18))
        )
    titles = (
        *words.PASS_TITLES,
        *words.SOCIAL_TITLES,
        *words.WORK_TITLES,
        "外国人永久居留身份证",
        "护照",
        "居住证",
    )
    em = float(rng.uniform(4, 6.5))
    if rng.random() < 0.4:
        page.canvas.text((28, 8), "中华人民共和国", page.title, em, page.ink, stretch=1)
    page.canvas.text(
        (float(rng.uniform(14, 26)), 18), choose(rng, titles), page.title, em, page.ink, stretch=0.8
    )
    parts.lines(
        rng, page, (float(rng.uniform(8, 24)), float(rng.uniform(28, 36)), 50, 16), float(rng.uniform(1.8, 3))
    )
    return finish(page)


def driving_licence(rng: np.random.Generator, width_px: int) -> Drawing:
    """A driving licence: pale green, title on top, ruled fields, red seal, photograph at the bottom right."""
    green = rng.random() < 0.7
    stops = [(190.0, 232.0, 205.0), (225.0, 245.0, 230.0)] if green else [(240.0, 240.0, 240.0)] * 2
    paper = guilloche.sheet(rng, round(width_px * 0.68), width_px, stops=stops, inks=[(120, 205, 160)] * 2)
    page = parts.sheet(rng, paper, 88.0)
    page.canvas.text((17, 3), "中华人民共和国机动车驾驶证", page.title, 4.0, page.ink)
    page.canvas.text(
        (17, 7.6), "Driving License of the People's Republic of China", page.latin, 2.0, page.ink
    )
    page.canvas.text((25, 11), "证号", page.chinese, 2.6, page.ink)
    page.canvas.text((38, 10.8), words.digits(rng, 18), page.latin, 2.9, page.ink)
    rows = (
        (4, 16, "姓名", words.person(rng)), (40, 16, "性别", choose(rng, "男女")), (56, 16, "国籍", "中国"),
        (4, 22, "住址", words.address(rng)[:20]), (22, 34, "出生日期", words.day(rng, "-")),
        (22, 40, "初次领证日期", words.day(rng, "-")), (22, 46, "准驾车型", choose(rng, ("C1", "B2", "A1"))),
        (4, 52.5, "有效期限", f"{words.day(rng, '-')} 至 {words.day(rng, '-')}"),
    )  # fmt: skip
    for x, y, label, value in rows:
        page.canvas.text((x, y), label, page.chinese, 2.2, page.ink)
        page.canvas.text((x + 2.4 * len(label) + 2, y - 0.3), value, page.chinese, 2.9, page.ink)
        parts.rectangle(page, (x + 2.4 * len(label) + 1, y + 3, 20, 0.1), (90, 120, 100))
    parts.seal(rng, page, 4, 32, 17)
    parts.photograph(rng, page, 65, 29, 20, 26)
    return finish(page, float(choose(rng, ("0", "2", "3"))))


def vehicle_licence(rng: np.random.Generator, width_px: int) -> Drawing:
    """A vehicle licence: like a driving licence without a photograph."""
    paper = parts.patterned(rng, round(width_px * 0.68), width_px, 190, 250)
    page = parts.sheet(rng, paper, 88.0)
    page.canvas.text((17, 3), "中华人民共和国机动车行驶证", page.title, 4.0, page.ink)
    page.canvas.text(
        (15, 7.6), "Vehicle License of the People's Republic of China", page.latin, 2.0, page.ink
    )
    y = 13.0
    for label in (
        "号牌号码",
        "所有人",
        "住址",
        "使用性质",
        "品牌型号",
        "车辆识别代号",
        "发动机号码",
        "注册日期",
    ):
        x = 26.0 if y > 30 else 4.0
        page.canvas.text((x, y), label, page.chinese, 2.2, page.ink)
        page.canvas.text((x + 18, y), words.value_for(rng, label)[:15], page.chinese, 2.8, page.ink)
        y += 5.6
    parts.seal(rng, page, 4, 33, 18)
    return finish(page, float(choose(rng, ("0", "2", "3"))))


def social_card(
    rng: np.random.Generator, width_px: int, titles: Sequence[str] = words.SOCIAL_TITLES
) -> Drawing:
    """A social security or city card: state device, chip, photograph at the left or right."""
    paper = parts.patterned(rng, card_height(width_px), width_px, 120 if rng.random() < 0.4 else 190, 252)
    page = parts.sheet(rng, paper, CARD_WIDTH_MM)
    page.canvas.text(
        (20, 4),
        choose(rng, titles),
        page.title,
        float(rng.uniform(4.5, 6)),
        page.accent,
        stretch=1,
    )
    if rng.random() < 0.6:
        _device(rng, page, 5, 3, 11)
    right = rng.random() < 0.5
    parts.photograph(rng, page, 60 if right else 5, 17, 20, 26)
    x = 6 if right else 29
    for index, label in enumerate(("姓名", "社会保障号码", "卡号", "发卡日期")):
        page.canvas.text((x, 17 + 6 * index), label, page.chinese, 2.4, page.ink)
        page.canvas.text(
            (x + 3 + 2.5 * len(label), 17 + 6 * index),
            words.value_for(rng, label),
            page.chinese,
            2.6,
            page.ink,
        )
    if rng.random() < 0.6:
        parts.chip(rng, page, x + 12, 41)
    return finish(page)
