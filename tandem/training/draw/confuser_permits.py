"""Documents on a resident identity card's own paper and in its layout: what is most easily taken for one.

Residence permits of Hong Kong, Macao and Taiwan residents (no 民族, numbers from 81, 82, 83), foreigners'
permanent residence cards (bilingual), temporary cards (all rows on one side), cards of the first generation.
"""

from __future__ import annotations

import numpy as np

from tandem.training.draw import confuser_text as words
from tandem.training.draw.addresses import draw_address
from tandem.training.draw.canvas import Canvas
from tandem.training.draw.confuser_forms import (
    HEIGHT_MM,
    WIDTH_MM,
    Drawing,
    Form,
    emblem_form,
    identity_form,
    tinted,
    varied_style,
)
from tandem.training.draw.people import check_digit, draw_emblem_text, draw_portrait_text
from tandem.training.draw.pools import Pool, choose
from tandem.training.draw.regions import draw_region

_TITLE_SPAN, _STATE_SPAN = (26.3, 78.9), (30.2, 75.3)
_MEASURE = 11  # characters a line of an address
_COUNTRIES = (
    "加拿大 / CAN", "美国 / USA", "法国 / FRA", "日本 / JPN", "韩国 / KOR", "英国 / GBR", "德国 / DEU",
    "新加坡 / SGP", "俄罗斯 / RUS", "澳大利亚 / AUS", "越南 / VNM",
)  # fmt: skip


def address_lines(rng: np.random.Generator, pool: Pool) -> list[str]:
    """An invented address on one to three lines."""
    text = draw_address(rng, pool, draw_region(rng, pool))
    return [text[start : start + _MEASURE] for start in range(0, len(text), _MEASURE)][:3]


def numbered(rng: np.random.Generator, first_6: str) -> str:
    """A citizen's number that begins with six digits, its check digit right."""
    born = words.day(rng, "")
    return first_6 + born + (tail := words.digits(rng, 3)) + check_digit(first_6 + born + tail)


def _row(form: Form, label: str, value: str, y: float, x: float = 6.9, value_x: float = 15.6) -> None:
    form.label(label, (x, y), pitch=4.4 if len(label) == 2 else None)
    form.value(value, (value_x, y - 0.2))


def _born(form: Form, y: float, born: str) -> None:
    """The date of birth, with 年月日 as labels between its parts, or all in one ink."""
    year, month, day = (part.lstrip("0") for part in born.split("."))
    if form.rng.random() < 0.3:
        form.value(f"{year}年{month}月{day}日", (15.6, y))
        return
    for text, x in ((year, 15.6), (month, 30.4), (day, 39.6)):
        form.value(text, (x, y))
    for text, x in (("年", 25.9), ("月", 34.8), ("日", 43.7)):
        form.label(text, (x, y))


def _address(form: Form, pool: Pool, y: float, pitch: float = 4.5, value_x: float = 15.6) -> float:
    """住址; returns where its last line stands."""
    form.label("住址", (6.9, y), pitch=4.4)
    lines = address_lines(form.rng, pool)
    for index, line in enumerate(lines):
        form.value(line, (value_x, y - 0.1 + index * pitch))
    return y + (len(lines) - 1) * pitch


def hmt_portrait(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
    """A Hong Kong, Macao or Taiwan resident's permit: no 民族, a number from 81, 82 or 83."""
    form = identity_form(rng, width_px, pool)
    text = draw_portrait_text(rng, pool)
    form.portrait()
    rows = (9.9, 16.2, 22.4, 28.8) if rng.random() < 0.8 else (9.0, 14.6, 20.4, 26.4)
    _row(form, "姓名", text.name[:6], rows[0])
    _row(form, "性别", text.sex, rows[1])
    if rng.random() < 0.85:
        form.label("出生", (6.9, rows[2]), pitch=4.4)
        _born(form, rows[2], words.day(rng))
    else:
        _row(form, "出生日期", words.day(rng), rows[2], value_x=19.0)
    _address(form, pool, rows[3])
    form.label(choose(rng, ("公民身份号码", "公民身份号码", "公民身份证号码")), (6.9, 45.3), pitch=3.0)
    form.number(numbered(rng, choose(rng, ("810000", "820000", "830000"))), (form.style.number_x, 45.0))
    return form.finish()


def hmt_emblem(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
    """Its other side: the title, and above issuer and validity the pass's number and the count of issues."""
    form = emblem_form(rng, width_px, pool)
    form.title("中华人民共和国", 6.2, 5.2, _STATE_SPAN)
    taiwan = bool(rng.random() < 0.4)
    title = "台湾居民居住证" if taiwan else "港澳居民居住证"
    form.title(title, 14.7, 6.6, (float(rng.uniform(24, 30)), float(rng.uniform(75, 80))))
    text = draw_emblem_text(rng, pool)
    pass_number = words.digits(rng, 8) if taiwan else choose(rng, "HM") + words.digits(rng, 8)
    y = float(rng.uniform(30.5, 33.5))
    form.black_label("通行证号码", (20.9, y), 2.5)
    form.value(pass_number, (37.0, y))
    if rng.random() < 0.85:
        side = bool(rng.random() < 0.7)
        form.black_label("签发次数", (60.0, y) if side else (20.9, y - 5.0), 2.3)
        form.value(choose(rng, ("1", "01", "2", "02", "3")), (72.5, y) if side else (37.0, y - 5.0))
    _issued(form, text.authority, text.validity)
    return form.finish()


def _issued(form: Form, authority: str, validity: str, first_y: float = 38.7) -> None:
    form.black_label("签发机关", (20.9, first_y))
    form.value(authority[:14], (35.6, first_y))
    form.black_label("有效期限", (20.9, first_y + 6.6))
    form.value(validity, (35.6, first_y + 6.6))


def foreign_portrait(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
    """A foreigner's permanent residence card: bilingual labels above the values."""
    form = identity_form(rng, width_px, pool)
    form.portrait(56.0, 9.0, 22.5, cut_out=0.75)
    low = float(rng.uniform(5.2, 8.2))
    if rng.random() < 0.35:
        form.label("中华人民共和国外国人永久居留身份证", (float(rng.uniform(6, 16)), 2.3), 2.6)
        low += 2.0
    step = float(rng.uniform(6.4, 7.8))
    rows = (
        ("姓名 / Name", words.latin_name(rng), 6.9, low),
        ("性别 / Sex", choose(rng, ("女 / F", "男 / M")), 6.9, low + step * 1.7),
        ("出生日期 / Date of Birth", words.day(rng), 25.5, low + step * 1.7),
        ("国籍 / Nationality", choose(rng, _COUNTRIES), 6.9, low + step * 2.6),
        ("有效期限 / Period of Validity", f"{words.day(rng)} – {words.day(rng)}", 6.9, low + step * 3.5),
    )
    for label, value, x, y in rows:
        form.label(label, (x, y), 1.85)
        form.value(value, (x, y + 2.6), 2.7)
    if rng.random() < 0.8:
        form.value(words.person(rng), (6.9, low + 6.1), 2.9)
    form.label(choose(rng, ("证件号码 / ID No.", "证件号码/Card No.")), (6.9, 46.3), 1.85)
    number = "9" + words.digits(rng, 17) if rng.random() < 0.6 else choose(rng, ("CAN", "USA", "JPN", "FRA"))
    form.number(number if len(number) > 3 else number + words.digits(rng, 12), (26.5, 45.2))
    return form.finish()


def foreign_emblem(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
    """Its other side: 外国人永久居留身份证, with or without English lines."""
    form = emblem_form(rng, width_px, pool)
    english = bool(rng.random() < 0.45)
    form.title("中华人民共和国", 6.0, 5.2, _STATE_SPAN)
    if english:
        form.value("People's Republic of China", (34.0, 11.3), 2.3)
    title = "外国人永久居留身份证" if rng.random() < 0.85 else "外国人永久居留证"
    form.title(title, 15.0, 5.4, (float(rng.uniform(22, 27)), float(rng.uniform(77, 81))))
    if english:
        form.value("Foreign Permanent Resident ID Card", (28.0, 21.2), 2.3)
    issuer = choose(rng, ("国家移民管理局", "中华人民共和国国家移民管理局", "公安部", "中华人民共和国公安部"))
    _issued(form, issuer, f"{words.day(rng)}-{words.day(rng)}")
    return form.finish()


def temporary_portrait(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
    """A temporary identity card: every row on this side, issuer and validity too."""
    form = identity_form(rng, width_px, pool)
    text, issue = draw_portrait_text(rng, pool), draw_emblem_text(rng, pool)
    form.portrait(float(rng.uniform(54, 59)), float(rng.uniform(6, 14)), 20.5, cut_out=0.5)
    y, pitch = float(rng.uniform(4.5, 7.0)), float(rng.uniform(4.6, 5.4))
    wide = bool(rng.random() < 0.5)
    value_x = 19.5 if wide else 15.6
    _row(form, "姓名", text.name[:6], y, value_x=value_x)
    _row(form, "性别", text.sex, y + pitch, value_x=value_x)
    _row(form, "民族", text.nation[:4], y + pitch, x=26.1, value_x=34.0)
    if wide:
        _row(form, "出生日期", text.birth, y + 2 * pitch, value_x=value_x)
    else:
        form.label("出生", (6.9, y + 2 * pitch), pitch=4.4)
        _born(form, y + 2 * pitch, words.day(rng))
    y = _address(form, pool, y + 3 * pitch, 4.0, value_x) + pitch
    start = f"{issue.validity[:10]}-{words.day(rng)}"
    rows = [("公民身份号码", text.number), ("有效期限", start), ("签发机关", issue.authority[:14])]
    if rng.random() < 0.4:
        rows = [rows[2], rows[1], rows[0]] if rng.random() < 0.5 else [rows[1], rows[2], rows[0]]
    for index, (label, value) in enumerate(rows):
        form.label(label, (6.9, y + index * pitch), 2.4)
        form.value(value, (24.5 if len(label) == 6 else 19.5, y - 0.1 + index * pitch))
    return form.finish()


def temporary_emblem(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
    """Its title side: 临时居民身份证 over the wall, mostly without anything else."""
    layout = rng.random()
    form = emblem_form(rng, width_px, pool, device=0.9 if layout < 0.7 else 0.2)
    if layout < 0.7:
        form.title("中华人民共和国", 6.2, 5.2, _STATE_SPAN)
        form.title("临时居民身份证", 14.7, 6.8, (float(rng.uniform(24, 29)), float(rng.uniform(76, 80))))
    elif layout < 0.85:
        form.title("中华人民共和国", float(rng.uniform(10, 16)), 6.0, (18.0, 68.0))
        form.title("临时居民身份证", float(rng.uniform(22, 30)), 7.0, (12.0, 74.0))
    else:
        form.title("中华人民共和国临时居民身份证", float(rng.uniform(8, 18)), 4.6, (12.0, 76.0))
    rest = rng.random()
    if rest < 0.3:
        issue = draw_emblem_text(rng, pool)
        _issued(form, issue.authority, f"{issue.validity[:10]}-{words.day(rng)}")
    elif rest < 0.6:
        _issued(form, "", "")
    return form.finish()


def first_generation(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
    """An identity card of the first generation (1984–2004): greenish, laminated, a grey photograph."""
    height = round(width_px * HEIGHT_MM / WIDTH_MM)
    tint = (208.0, 219.0, 200.0) if rng.random() < 0.7 else (222.0, 222.0, 214.0)
    form = Form(
        canvas=Canvas(tinted(rng, height, width_px, tint), WIDTH_MM), style=varied_style(rng, pool), rng=rng
    )
    text = draw_portrait_text(rng, pool)
    form.portrait(float(rng.uniform(55, 59)), float(rng.uniform(8, 13)), 21.0, cut_out=0.5)
    y, pitch = float(rng.uniform(6, 8)), float(rng.uniform(5.4, 6.3))
    form.black_label("姓名", (9, y))
    form.value(text.name[:4], (19, y))
    form.black_label("性别", (9, y + pitch))
    form.value(f"{text.sex}   民族  {text.nation[:3]}", (19, y + pitch))
    form.value(f"{text.birth}生", (9, y + 2 * pitch))
    form.black_label("住址", (9, y + 3 * pitch))
    for index, line in enumerate(address_lines(rng, pool)[:2]):
        form.value(line, (18, y + (3 + index) * pitch))
    form.value(
        f"{words.day(rng).replace('.', '年', 1)[:7]}月签发   有效期限  长期", (9, y + 5.3 * pitch), 2.1
    )
    form.black_label("编号", (9, 45.5))
    form.value(text.number[:6] + text.number[8:17], (17, 45.5), 3.2)
    return form.finish()
