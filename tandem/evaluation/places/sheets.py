"""What cards lie on and in, drawn flat: forms with tables, copies on a sheet, a plastic sleeve."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from tandem.evaluation.card.draw import DrawnCard
from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM
from tandem.training.draw import fonts
from tandem.training.draw.fonts import Wanted

Image = NDArray[np.uint8]
Field = NDArray[np.float32]

PAGE_MM = (210.0, 297.0)
PX_PER_MM = 8.0
_FACES = (
    Wanted(file="NotoSerifCJK-Regular.ttc", family="Noto Serif CJK SC", train=0, test=2),
    Wanted(file="wqy-microhei.ttc", family="WenQuanYi Micro Hei", train=0, test=1),
)
_WORDS = {
    "title": "入职登记表 开户申请书 房屋租赁合同 人员信息登记表 业务办理申请表 访客登记表 保险投保单",
    "entry": (
        "姓名 性别 出生年月 民族 籍贯 政治面貌 身份证号码 联系电话 现住址 户籍地址 邮政编码 文化程度 "
        "工作单位 职务 紧急联系人 与本人关系 开户银行 银行账号 申请日期 经办人 审核意见 备注 家庭成员 "
        "健康状况 婚姻状况 签名 证件类型 有效期限 签发机关 委托人 受托人 毕业院校 所学专业 身份证复印件粘贴处"
    ),
    "value": "本人 同上 无 良好 2024年5月 已婚 大学本科 中国工商银行 √ 13 北京市 同意",
}
_EMPTY = 0.3  # share of the cells for values that nobody has filled in


def _word(rng: np.random.Generator, kind: str) -> str:
    words = _WORDS[kind].split()
    return words[int(rng.integers(len(words)))]


def _page(shade: float = 252) -> Pillow.Image:
    size = round(PAGE_MM[0] * PX_PER_MM), round(PAGE_MM[1] * PX_PER_MM)
    return Pillow.new("RGB", size, (int(shade),) * 3)


def draw_form(rng: np.random.Generator) -> Image:
    """A printed form, A4: a title and a table of ruled cells; (h, w, 3) uint8 BGR."""
    page = _page(rng.uniform(240, 255))
    pen = ImageDraw.Draw(page)
    face = fonts.pick(rng, _FACES, "test")
    ink = (int(rng.uniform(10, 60)),) * 3
    title = _word(rng, "title")
    pen.text(
        (page.width / 2, 18 * PX_PER_MM),
        title,
        font=fonts.opened(face, 6.5 * PX_PER_MM),
        fill=ink,
        anchor="mm",
    )
    rule = max(1, round(rng.uniform(0.15, 0.5) * PX_PER_MM))
    y, left, right = 30.0, rng.uniform(12, 25), PAGE_MM[0] - rng.uniform(12, 25)
    while y < PAGE_MM[1] - 20:
        tall = float(rng.choice([8.0, 9.5, 11.0, 22.0, 60.0], p=[0.35, 0.3, 0.2, 0.1, 0.05]))
        cells = int(rng.choice([2, 4, 6])) if tall < 20 else 2
        x = left
        for cell in range(cells):
            wide = (right - left) / cells * (0.7 if cell % 2 == 0 else 1.3) if cell < cells - 1 else right - x
            box = [x * PX_PER_MM, y * PX_PER_MM, (x + wide) * PX_PER_MM, (y + tall) * PX_PER_MM]
            pen.rectangle(box, outline=ink, width=rule)
            em = min(3.6, wide / 8)
            empty = cell % 2 == 1 and rng.random() < _EMPTY
            text = "" if empty else _word(rng, "value" if cell % 2 else "entry")
            font = fonts.opened(face, em * PX_PER_MM)
            pen.text(
                ((x + wide / 2) * PX_PER_MM, (y + tall / 2) * PX_PER_MM),
                text,
                font=font,
                fill=ink,
                anchor="mm",
            )
            x += wide
        y += tall
    return np.asarray(cv2.cvtColor(np.asarray(page), cv2.COLOR_RGB2BGR), np.uint8)


def draw_copy(
    rng: np.random.Generator, cards: list[DrawnCard]
) -> tuple[Image, list[tuple[float, float, float]]]:
    """A photocopy of cards on a white sheet, A4, whose edges the copier mostly loses.

    Returns:
        sheet: (h, w, 3) uint8 BGR, grey.
        places: for each card the middle (x, y) in mm from the sheet's own middle, and its turn in degrees.
    """
    page = np.full((round(PAGE_MM[1] * PX_PER_MM), round(PAGE_MM[0] * PX_PER_MM)), 255, np.float32)
    contrast, white = rng.uniform(1.1, 2.0), rng.uniform(175, 215)
    places = []
    for index, card in enumerate(cards):
        grey = cv2.cvtColor(card.image, cv2.COLOR_BGR2GRAY).astype(np.float32)
        grey = np.clip(255 - (white - grey) * contrast, 0, 255)
        x, y = rng.uniform(-30, 30), -60.0 + 85 * index + rng.uniform(-15, 15)
        turn = rng.normal(0, 1.5)
        places.append((float(x), float(y), float(turn)))
        matrix = _onto_page(x, y, turn, grey.shape[1])
        if rng.random() < 0.4:  # a faint edge, as a lid's shadow leaves
            cv2.rectangle(
                grey, (0, 0), (grey.shape[1] - 1, grey.shape[0] - 1), float(rng.uniform(120, 230)), 4
            )
        small = cv2.GaussianBlur(grey, (0, 0), 0.6 * grey.shape[1] / (CARD_WIDTH_MM * PX_PER_MM))
        warped = cv2.warpAffine(small, matrix[:2], page.shape[::-1], borderValue=255)
        mask = cv2.warpAffine(card.alpha, matrix[:2], page.shape[::-1]).astype(np.float32) / 255
        page += mask * (warped - page)
    page += cv2.GaussianBlur(rng.normal(0, 6, page.shape).astype(np.float32), (0, 0), 0.7)
    specks = rng.random(page.shape, np.float32) < rng.uniform(0, 2e-4)
    page[cv2.dilate(specks.astype(np.uint8), np.ones((2, 2), np.uint8)) > 0] = 60
    if rng.random() < 0.3:  # a cheap machine: black or white
        page = np.where(page > rng.uniform(120, 170), 255, 0).astype(np.float32)
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), 0.6), np.float32)
    return np.repeat(np.clip(page, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2), places


def _onto_page(x: float, y: float, turn_deg: float, width_px: int) -> NDArray[np.float64]:
    """The (3, 3) map from a card's pixels to a page's."""
    turn, scale = np.radians(turn_deg), CARD_WIDTH_MM * PX_PER_MM / width_px
    height_px = width_px * CARD_HEIGHT_MM / CARD_WIDTH_MM
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    middle = (PAGE_MM[0] / 2 + x) * PX_PER_MM, (PAGE_MM[1] / 2 + y) * PX_PER_MM
    return np.array(
        [
            [cos, -sin, middle[0] - cos * width_px / 2 + sin * height_px / 2],
            [sin, cos, middle[1] - sin * width_px / 2 - cos * height_px / 2],
            [0, 0, 1],
        ]
    )


def draw_sleeve(rng: np.random.Generator) -> tuple[Image, Image, float]:
    """A clear plastic sleeve: what it adds over a card.

    Returns:
        picture: (h, w, 3) uint8 BGR: haze, welded rim, streaks of light.
        alpha: (h, w) uint8: how much it hides.
        width_mm: how wide it is.
    """
    wide, tall = CARD_WIDTH_MM + rng.uniform(4, 14), CARD_HEIGHT_MM + rng.uniform(4, 12)
    height, width = round(tall * PX_PER_MM), round(wide * PX_PER_MM)
    picture = np.full((height, width, 3), rng.uniform(215, 250), np.float32)
    alpha = np.full((height, width), rng.uniform(0.03, 0.16), np.float32)
    rim = round(rng.uniform(1.0, 2.2) * PX_PER_MM)
    inner = np.zeros((height, width), np.float32)
    cv2.rectangle(inner, (rim, rim), (width - rim, height - rim), 1.0, -1)
    alpha += (1 - inner) * rng.uniform(0.1, 0.3)
    for inset, shade in ((1, 120), (rim, 160), (rim + 4, 255)):
        corners = ((inset, inset), (width - 1 - inset, height - 1 - inset))
        line = np.zeros((height, width), np.float32)
        cv2.rectangle(line, *corners, 1.0, max(1, round(0.2 * PX_PER_MM)), cv2.LINE_AA)
        line *= np.float32(rng.uniform(0.25, 0.6))
        picture += line[:, :, None] * (shade - picture)
        alpha = np.maximum(alpha, line)
    glare = _streaks(rng, height, width)
    picture += glare[:, :, None] * (255 - picture)
    alpha = np.clip(alpha + glare, 0, 0.92)
    return picture.clip(0, 255).astype(np.uint8), (alpha * 255).astype(np.uint8), wide


def _streaks(rng: np.random.Generator, height: int, width: int) -> Field:
    """Reflections on wavy plastic: soft bands, (h, w) float32, mostly weak."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    total = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        way = rng.uniform(0, np.pi)
        across = (
            np.cos(way) * x
            + np.sin(way) * y
            + 0.06 * width * np.sin((x - y) / (0.2 * width) + rng.uniform(0, 6))
        )
        off = (across - rng.uniform(across.min(), across.max())) / (width * rng.uniform(0.01, 0.05))
        total += np.float32(rng.uniform(0.08, 0.4)) * np.exp(-(off**2)).astype(np.float32)
    return total
