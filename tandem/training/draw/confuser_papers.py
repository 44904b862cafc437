"""Papers with a pattern, a seal or a number that are no identity cards: tickets, licences, registers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tandem.training.draw import confuser_parts as parts
from tandem.training.draw import confuser_text as words
from tandem.training.draw import guilloche
from tandem.training.draw.confuser_cards import finish
from tandem.training.draw.confuser_parts import Sheet
from tandem.training.draw.devices import draw_state_device
from tandem.training.draw.pools import choose
from tandem.training.draw.portraits import draw_portrait

Drawing = tuple[NDArray[np.uint8], NDArray[np.uint8]]

BLUES = ((200.0, 224.0, 240.0), (226.0, 238.0, 248.0))
PINKS = ((250.0, 220.0, 220.0), (250.0, 236.0, 232.0))
LICENCES = (
    "营业执照",
    "不动产权证书",
    "毕业证书",
    "荣誉证书",
    "结婚证",
    "食品经营许可证",
    "开户许可证",
    "出生医学证明",
)
LICENCE_LABELS = (
    "统一社会信用代码", "名称", "类型", "法定代表人", "经营范围", "注册资本", "成立日期",
    "营业期限", "住所", "登记机关",
)  # fmt: skip
REGISTER_LABELS = (
    "姓名", "户主或与户主关系", "曾用名", "性别", "出生地", "民族", "籍贯", "出生日期",
    "公民身份号码", "身高", "血型", "文化程度", "婚姻状况", "服务处所", "职业",
)  # fmt: skip


def train_ticket(rng: np.random.Generator, width_px: int) -> Drawing:
    """A railway ticket: card-sized, pale blue or pink, with a masked number, a name and a square code."""
    left, right = BLUES if rng.random() < 0.7 else PINKS
    stops, inks = [left, right], [left, (170.0, 200.0, 220.0)]
    paper = guilloche.sheet(rng, round(width_px * 0.63), width_px, stops=stops, inks=inks)
    page = parts.sheet(rng, paper, 85.6)
    serial = words.digits(rng, 2) + choose(rng, "ABCD") + words.digits(rng, 6)
    page.canvas.text((5, 3), serial, page.latin, 3.6, (190, 60, 60))
    places = words.sentence(rng, 2), words.sentence(rng, 2)
    page.canvas.text((9, 9), places[0] + "站", page.title, 5.2, page.ink)
    page.canvas.text((36, 9), choose(rng, "GDCK") + words.digits(rng, 4), page.latin, 4.4, page.ink)
    page.canvas.text((58, 9), places[1] + "站", page.title, 5.2, page.ink)
    page.canvas.text((6, 18), f"{words.day(rng, '-')}  08:15 开", page.chinese, 3.4, page.ink)
    page.canvas.text((56, 18), "05车12A号", page.chinese, 3.4, page.ink)
    page.canvas.text((6, 24), f"¥{words.digits(rng, 3)}.0元", page.chinese, 3.4, page.ink)
    page.canvas.text((56, 24), "二等座", page.chinese, 3.4, page.ink)
    number = words.digits(rng, 10) + "****" + words.digits(rng, 4)
    page.canvas.text((6, 36), f"{number} {words.person(rng)}", page.chinese, 3.4, page.ink)
    parts.matrix_code(rng, page, 66, 34, 15)
    return finish(page, float(choose(rng, ("0", "2"))))


def _round_seal(rng: np.random.Generator, page: Sheet, x: float, y: float, size: float) -> None:
    picture, alpha = draw_state_device(rng, max(round(size * page.canvas.scale), 8))
    page.canvas.paste(picture, (alpha * 0.6).astype(np.uint8), (x, y))


def licence(rng: np.random.Generator, width_px: int) -> Drawing:
    """A framed licence or certificate: state device on top, a large title, labelled lines, a seal."""
    page_ratio = float(choose(rng, ("0.7", "0.75", "1.4")))
    paper = parts.patterned(rng, round(width_px * page_ratio), width_px, 215, 254)
    page = parts.sheet(rng, paper, 210.0)
    frame = parts.colour(rng, 90, 220)
    for inset in (6, 9, 10.5):
        parts.rectangle(page, (inset, inset, 210 - 2 * inset, page.height - 2 * inset), None, frame)
    if rng.random() < 0.7:
        _round_seal(rng, page, 94, 14, 22)
    page.canvas.text((70, 40), choose(rng, LICENCES), page.title, 15, page.accent, stretch=4)
    y = 66.0
    for label in LICENCE_LABELS:
        if y > page.height - 26 or rng.random() < 0.2:
            continue
        page.canvas.text((22, y), label, page.chinese, 5, page.ink)
        page.canvas.text((66, y), words.value_for(rng, label), page.chinese, 5, page.ink)
        y += 9.5
    parts.seal(rng, page, 150, page.height - 50, 34)
    if rng.random() < 0.5:
        parts.matrix_code(rng, page, 24, 18, 22)
    return finish(page, 0.0)


def register_page(rng: np.random.Generator, width_px: int) -> Drawing:
    """A page of a household register: a ruled table with a person's labels and values."""
    paper = parts.identity_like(rng, round(width_px * 0.72), width_px)
    page = parts.sheet(rng, paper, 143.0)
    page.canvas.text((48, 6), "常住人口登记卡", page.title, 6, page.ink)
    rows, top = 8, 18.0
    step = (page.height - top - 8) / rows
    for index, label in enumerate(REGISTER_LABELS):
        x, y = (8.0, top + step * index) if index < rows else (74.0, top + step * (index - rows))
        parts.rectangle(page, (x, y, 62, step), None, page.ink)
        page.canvas.text((x + 1.5, y + step * 0.3), label, page.chinese, 2.9, page.ink)
        page.canvas.text(
            (x + 28, y + step * 0.3), words.value_for(rng, label)[:11], page.chinese, 3.2, page.ink
        )
    if rng.random() < 0.6:
        _round_seal(rng, page, 100, page.height - 40, 30)
    return finish(page, 0.0)


def photo_print(rng: np.random.Generator, width_px: int) -> Drawing:
    """A passport photograph on its own, or a strip of them."""
    columns = int(choose(rng, ("1", "1", "2", "4")))
    width = width_px // columns
    picture, _ = draw_portrait(rng, round(width * 1.35), width, cut_out=False)
    strip = np.concatenate([picture] * columns, axis=1)
    tone = int(rng.uniform(225, 256))
    canvas = np.full((strip.shape[0], width_px, 3), tone, np.uint8)
    canvas[:, : strip.shape[1]] = strip
    return finish(parts.sheet(rng, canvas, 35.0 * columns), 0.0)


def blank_card(rng: np.random.Generator, width_px: int) -> Drawing:
    """A card with an identity card's pattern or another, and nothing on it but perhaps a stripe or a chip."""
    page = parts.sheet(rng, parts.identity_like(rng, round(width_px * 54 / 85.6), width_px), 85.6)
    if rng.random() < 0.4:
        parts.rectangle(page, (0, float(rng.uniform(4, 9)), 85.6, 12), (30, 28, 30))
    if rng.random() < 0.3:
        parts.chip(rng, page, 9, 20)
    if rng.random() < 0.3:
        parts.photograph(rng, page, float(rng.uniform(5, 60)), float(rng.uniform(6, 18)), 21, 28)
    return finish(page)
