"""Pages of books: a passport's data page, a household register's pages, the second pages of licences."""

from __future__ import annotations

import numpy as np

from tandem.training.draw import confuser_parts as parts
from tandem.training.draw import confuser_text as words
from tandem.training.draw.confuser_cards import Drawing, finish
from tandem.training.draw.confuser_forms import tinted
from tandem.training.draw.devices import draw_state_device
from tandem.training.draw.pools import Pool, choose

_PASSPORT_LABELS = (
    "姓名/Name", "性别/Sex", "国籍/Nationality", "出生日期/Date of birth", "出生地点/Place of birth",
    "签发日期/Date of issue", "签发地点/Place of issue", "有效期至/Date of expiry", "签发机关/Authority",
)  # fmt: skip
_STATES = (
    ("中华人民共和国", "PEOPLE'S REPUBLIC OF CHINA", "CHN"),
    ("", "REPUBLIC OF UTOPIA", "UTO"),
    ("", "KINGDOM OF FREEDONIA", "FRD"),
)
_HOUSE_LABELS = (
    "户别",
    "户主姓名",
    "户号",
    "住址",
    "省级公安机关户口专用章",
    "户口登记机关户口专用章",
    "承办人签章",
)
_PERSON_LABELS = (
    "姓名", "户主或与户主关系", "曾用名", "性别", "出生地", "民族", "籍贯", "出生日期",
    "本市(县)其他住址", "宗教信仰",
    "公民身份号码", "身高", "血型", "文化程度", "婚姻状况", "兵役状况", "服务处所", "职业",
    "何时由何地迁来本市(县)",
)  # fmt: skip


def passport_page(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
    """A passport's data page: photograph at the left, labels over values, two machine-readable lines."""
    tint = (228.0, 226.0, 232.0) if rng.random() < 0.5 else None
    page = parts.sheet(
        rng, tinted(rng, round(width_px * float(rng.uniform(0.66, 0.74))), width_px, tint), 125.0
    )
    chinese, latin, code = _STATES[0] if rng.random() < 0.75 else _STATES[int(rng.integers(1, 3))]
    page.canvas.text((float(rng.uniform(6, 34)), 2.6), f"{chinese} {latin}", page.title, 3.4, page.accent)
    page.canvas.text((7, 8), f"{'护照 ' if chinese else ''}PASSPORT", page.title, 3.8, page.accent)
    top = float(rng.uniform(15, 19))
    parts.photograph(rng, page, float(rng.uniform(4, 8)), top, 33, 44, cut_out_share=0.5)
    number = choose(rng, ("E", "EA", "EB", "G")) + words.digits(rng, 8)
    for index, (label, value) in enumerate(
        (("类型/Type", "P"), ("国家码/Country Code", code), ("护照号/Passport No.", number))
    ):
        page.canvas.text((44 + 25 * index, 8.4), label, page.chinese, 1.9, page.accent)
        page.canvas.text((44 + 25 * index, 10.8), value, page.latin, 3.2, page.ink)
    _passport_rows(rng, page)
    for index in range(2):
        line = (
            f"P{code}{words.latin_name(rng)}"
            if index == 0
            else f"{number}<{words.digits(rng, 1)}{code}{words.digits(rng, 14)}"
        )
        machine = line.replace(", ", "<<").replace(" ", "").ljust(44, "<")[:44]
        page.canvas.text((5, page.height - 15.5 + 6.8 * index), machine, page.latin, 3.6, page.ink, pitch=2.6)
    if rng.random() < 0.4:
        parts.photograph(rng, page, 104, top + 16, 15, 20, cut_out_share=1.0)
    return finish(page, float(choose(rng, ("0", "3"))))


def _passport_rows(rng: np.random.Generator, page: parts.Sheet) -> None:
    page.canvas.text((44, 15.5), "姓名/Name", page.chinese, 1.9, page.accent)
    page.canvas.text((44, 17.8), words.person(rng), page.chinese, 3.4, page.ink)
    page.canvas.text((44, 22.0), words.latin_name(rng), page.latin, 3.2, page.ink)
    for index, label in enumerate(_PASSPORT_LABELS[1:]):
        x, y = (44.0, 82.0)[index % 2], 27.5 + 8.2 * (index // 2)
        page.canvas.text((x, y), label, page.chinese, 1.9, page.accent)
        page.canvas.text(
            (x, y + 2.4),
            words.value_for(rng, label[:2] if index else "性别")[:8],
            page.chinese,
            3.1,
            page.ink,
        )


def register_person(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
    """A household register's page of one person: 常住人口登记卡, a ruled table with many cells."""
    page = parts.sheet(
        rng, tinted(rng, round(width_px * float(rng.uniform(0.68, 0.76))), width_px, _book_tint(rng)), 143.0
    )
    page.canvas.text(
        (float(rng.uniform(42, 52)), 5.5), "常住人口登记卡", page.title, 6.2, page.ink, stretch=1.2
    )
    top, rows = 15.0, 10
    step = (page.height - top - 9) / rows
    for index, label in enumerate(_PERSON_LABELS):
        row, right = divmod(index, 2)
        x, width = (7.0, 68.0) if not right else (75.0, 61.0)
        y = top + step * row
        parts.rectangle(page, (x, y, width, step), None, page.ink)
        em = min(2.9, 24.0 / len(label))
        page.canvas.text((x + 1.2, y + step * 0.3), label, page.chinese, em, page.ink)
        parts.rectangle(page, (x + 25, y, 0.2, step), page.ink)
        page.canvas.text(
            (x + 26.5, y + step * 0.28), words.value_for(rng, label)[:9], page.chinese, 3.1, page.ink
        )
    page.canvas.text((10, page.height - 6.5), "承办人签章：", page.chinese, 2.8, page.ink)
    _red_seal(rng, page, float(rng.uniform(86, 110)), page.height - 36)
    return finish(page, float(choose(rng, ("0", "2"))))


def register_house(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
    """A household register's first page: 户别, 户主姓名, 户号, 住址, seals."""
    page = parts.sheet(
        rng, tinted(rng, round(width_px * float(rng.uniform(0.68, 0.76))), width_px, _book_tint(rng)), 143.0
    )
    y, step = float(rng.uniform(10, 16)), float(rng.uniform(11, 14))
    for index, label in enumerate(_HOUSE_LABELS[:4]):
        x = 8.0 if index % 2 == 0 or index == 3 else 74.0
        row = (0, 0, 1, 2)[index]
        parts.rectangle(page, (x, y + row * step, 61 if index < 2 else 128, step), None, page.ink)
        page.canvas.text((x + 2, y + row * step + step * 0.3), label, page.chinese, 3.6, page.ink)
        value = words.address(rng)[:20] if label == "住址" else words.value_for(rng, label)[:9]
        page.canvas.text((x + 26, y + row * step + step * 0.3), value, page.chinese, 3.6, page.ink)
    for x in (12.0, 78.0):
        page.canvas.text((x, y + 3.3 * step), choose(rng, _HOUSE_LABELS[4:6]), page.chinese, 3.0, page.ink)
        _red_seal(rng, page, x + 8, y + 3.6 * step)
    page.canvas.text((88, page.height - 8), f"{words.day(rng, '-')} 签发", page.chinese, 3.2, page.ink)
    return finish(page, 0.0)


def licence_second_page(rng: np.random.Generator, width_px: int, pool: Pool, *, vehicle: bool) -> Drawing:
    """The second page of a driving or a vehicle licence: 副页, labels, a record, a bar code."""
    tint = (222.0, 238.0, 226.0) if rng.random() < 0.6 else None
    page = parts.sheet(rng, tinted(rng, round(width_px * 0.68), width_px, tint), 88.0)
    title = "中华人民共和国机动车" + ("行驶证副页" if vehicle else "驾驶证副页")
    page.canvas.text((float(rng.uniform(12, 20)), 3), title, page.title, 3.8, page.ink)
    labels = (
        ("号牌号码", "档案编号", "核定载人数", "总质量", "整备质量", "外廓尺寸", "检验记录")
        if vehicle
        else ("证号", "姓名", "档案编号", "记录")
    )
    y = 9.5
    for label in labels:
        page.canvas.text((4, y), label, page.chinese, 2.2, page.ink)
        value = (
            words.value_for(rng, label)[:12] if label != "记录" else "请于每个记分周期结束后三十日内接受审验"
        )
        page.canvas.text((6 + 2.4 * len(label), y - 0.2), value, page.chinese, 2.7, page.ink)
        parts.rectangle(page, (4, y + 3.4, 80, 0.1), (90, 120, 100))
        y += 5.6 if vehicle else float(rng.uniform(6, 9))
    parts.bars(rng, page, 20, page.height - 8, 48, 5)
    return finish(page, float(choose(rng, ("0", "2", "3"))))


def _book_tint(rng: np.random.Generator) -> tuple[float, ...] | None:
    return (238.0, 232.0, 214.0) if rng.random() < 0.5 else (236.0, 240.0, 238.0)


def _red_seal(rng: np.random.Generator, page: parts.Sheet, x: float, y: float) -> None:
    if rng.random() < 0.7:
        picture, alpha = draw_state_device(rng, max(round(float(rng.uniform(24, 34)) * page.canvas.scale), 8))
        page.canvas.paste(picture, (alpha * 0.55).astype(np.uint8), (x, y))
