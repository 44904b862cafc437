"""Cards that borrow a resident identity card's layout under another title, and regional residence permits.

A health card, a licence or a pass on the same sheet, with the same emblem and the same two rows, differs in
its title alone. Titles come from lists and, for those nobody thought of, from chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tandem.training.draw import confuser_parts as parts
from tandem.training.draw import confuser_text as words
from tandem.training.draw.confuser_forms import Drawing, Form, emblem_form, identity_form
from tandem.training.draw.confuser_permits import address_lines
from tandem.training.draw.people import draw_emblem_text, draw_portrait_text
from tandem.training.draw.pools import Pool, choose

#: Titles of `other_card`; those of kinds with a name of their own are asked for by the kind.
OTHER_TITLES = (
    "居民健康卡", "学生证", "工作证", "会员卡", "出入证", "借书证", "老年人优待证", "残疾人证", "军人证",
    "退役军人优待证", "记者证", "执业证", "教师资格证", "往来港澳通行证", "台湾居民来往大陆通行证", "海员证",
    "港澳居民来往内地通行证", "边境通行证", "电子健康卡", "市民卡", "公交卡", "校园卡", "导游证",
    "荣誉市民证", "居民体验卡", "居民优待证", "身份登记卡", "居民会员证", "身份识别卡", "居民服务证",
    "人才居住卡",
)  # fmt: skip
RESIDENCE_TITLES = (
    "居住证",
    "广东省居住证",
    "北京市居住证",
    "上海市居住证",
    "深圳经济特区居住证",
    "人才居住证",
)
_PLACES = ("市居住证", "省居住证", "县居住证")
#: What chance makes titles of: the resident card's own characters too, in other company.
_SYLLABLES = (
    "居民",
    "身份",
    "证",
    "卡",
    "健康",
    "社会",
    "优待",
    "临时",
    "人员",
    "工作",
    "资格",
    "学生",
    "居住",
    "公民",
    "国际",
    "医保",
)
_STATES = (
    "中华人民共和国",
    "中华人民共和国",
    "中华人民共和国",
    "中国",
    "湖北省人民政府",
    "国家卫生健康委员会",
)
#: What often stands where 身份 does, and the endings of titles that other kinds have.
_MIDDLES = ("健康", "优待", "服务", "社保", "会员", "医疗", "交通", "就诊", "福利", "信用", "登记", "养老")
_NAMED = ("居住证", "驾驶证", "身份证")
_FORBIDDEN = ("居民身份证", "临时居民身份证")
_BACK_LABELS = ("签发机关", "有效期限", "发卡机构", "发证单位", "编号", "卡号", "发证日期", "服务电话")
_FRONT_LABELS = (
    "姓名",
    "性别",
    "单位",
    "部门",
    "学号",
    "卡号",
    "出生日期",
    "职务",
    "证件号码",
    "有效期",
    "编号",
    "院系",
    "电话",
    "级别",
)


def near_title(rng: np.random.Generator) -> str:
    """A title of a resident card's length that shares some of its characters, never all."""
    own = "居民身份证"
    while True:
        kept = rng.random(len(own)) < 0.55
        title = "".join(c if k else words.sentence(rng, 1) for c, k in zip(own, kept, strict=True))
        if rng.random() < 0.5:
            title = title[:2] + choose(rng, _MIDDLES) + title[4:]
        if rng.random() < 0.3:
            title = title[:4] + choose(rng, "卡册本号")
        if title != own and not title.endswith(_NAMED):
            return title


def invented_title(rng: np.random.Generator) -> str:
    """A title that is no resident card's: from the list, or put together by chance."""
    sort = rng.random()
    if sort < 0.35:
        return choose(rng, OTHER_TITLES)
    if sort < 0.65:
        return near_title(rng)
    while True:
        text = "".join(choose(rng, _SYLLABLES) for _ in range(int(rng.integers(2, 4))))
        title = text + choose(rng, "证卡")
        if rng.random() < 0.3:
            title = words.sentence(rng, int(rng.integers(1, 4))) + title
        if title not in _FORBIDDEN and not title.endswith(_NAMED):
            return title


def titled_emblem(
    rng: np.random.Generator, width_px: int, pool: Pool, titles: Sequence[str] | None = None
) -> Drawing:
    """An emblem side under another title; None: any of `invented_title`."""
    form = emblem_form(rng, width_px, pool, device=0.85)
    title = invented_title(rng) if titles is None else choose(rng, titles)
    if rng.random() < 0.85:
        form.title(choose(rng, _STATES), 6.2, 5.2, (30.2, 75.3))
    reach = min(float(rng.uniform(0.8, 1.0)) * 52.6, 11.5 * len(title))
    middle = float(rng.uniform(50, 54))
    form.title(title, 14.7, float(rng.uniform(5.5, 7.8)), (middle - reach / 2, middle + reach / 2))
    issue = draw_emblem_text(rng, pool)
    if rng.random() < 0.7:
        labels, values = ("签发机关", "有效期限"), (issue.authority[:14], issue.validity)
    else:
        labels = (choose(rng, _BACK_LABELS), choose(rng, _BACK_LABELS))
        values = (words.company(rng), words.value_for(rng, labels[1]))
    for index in range(2):
        form.black_label(labels[index], (20.9, 38.7 + 6.6 * index))
        form.value(values[index], (35.6, 38.7 + 6.6 * index))
    return form.finish()


def titled_portrait(
    rng: np.random.Generator, width_px: int, pool: Pool, titles: Sequence[str] | None = None
) -> Drawing:
    """A portrait side with a title on top, or with labels that no identity card has."""
    form = identity_form(rng, width_px, pool)
    title = invented_title(rng) if titles is None else choose(rng, titles)
    y = float(rng.uniform(8.5, 11.5))
    em = float(rng.uniform(3.4, 5.2))
    width = min(len(title) * em * float(rng.uniform(1.0, 1.6)), 60.0)
    left = float(rng.uniform(6, 79 - width))
    form.title(title, float(rng.uniform(2.2, 3.6)), em, (left, left + width))
    form.portrait(float(rng.uniform(53, 59)), float(rng.uniform(9, 15)), 21.0, cut_out=0.6)
    own = draw_portrait_text(rng, pool)
    known = {"姓名": own.name[:6], "性别": own.sex, "出生日期": own.birth}
    labels = ["姓名", *rng.permutation(np.array(_FRONT_LABELS[1:]))[: int(rng.integers(2, 5))]]
    for label in labels:
        form.label(str(label), (6.9, y), 2.5)
        form.value(known.get(str(label), words.value_for(rng, str(label))[:12]), (20.5, y))
        y += float(rng.uniform(5.4, 7.0))
    if rng.random() < 0.4:
        form.number(own.number, (27.0, 45.2))
    if rng.random() < 0.2:
        sheet = parts.Sheet(
            canvas=form.canvas, width=85.6, height=54.0, chinese=form.style.value_face,
            latin=form.style.number_face, title=form.style.title_face, ink=form.style.ink,
            accent=form.style.ink,
        )  # fmt: skip
        parts.chip(rng, sheet, 8, 38)
    return form.finish()


def residence_title(rng: np.random.Generator) -> str:
    """The title of a regional residence permit."""
    if rng.random() < 0.6:
        return choose(rng, RESIDENCE_TITLES)
    return words.sentence(rng, 2) + choose(rng, _PLACES)


def residence_permit(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
    """A regional residence permit: its data side, or its title side."""
    if rng.random() < 0.35:
        return _residence_back(rng, width_px, pool)
    form = identity_form(rng, width_px, pool)
    text = draw_portrait_text(rng, pool)
    title = residence_title(rng)
    em = float(rng.uniform(3.6, 5.4))
    span = len(title) * em * float(rng.uniform(1.05, 1.5))
    left = float(rng.uniform(7, max(8.0, 55 - span)))
    form.title(title, float(rng.uniform(2.6, 4.6)), em, (left, left + span))
    if rng.random() < 0.3:
        form.device(left - 9 if left > 14 else 70, 2.0, 8.0)
    photo_left = bool(rng.random() < 0.25)
    form.portrait(5.0 if photo_left else 58.0, float(rng.uniform(10.5, 14)), 20.5, cut_out=0.5)
    _residence_rows(
        form, pool, 29.0 if photo_left else 6.9, text.name[:6], text.sex, text.nation[:4], text.number
    )
    return form.finish()


def _residence_rows(form: Form, pool: Pool, x: float, name: str, sex: str, nation: str, number: str) -> None:
    rng = form.rng
    y, pitch = float(rng.uniform(10.5, 13)), float(rng.uniform(4.5, 5.3))
    narrow = bool(x > 10)
    rows = [("姓名", name), ("性别", f"{sex}    民族  {nation}"), ("出生", words.day(rng))]
    address = choose(rng, ("住址", "户籍住址", "现居住地", "居住地址"))
    rows += [
        (address, line) if index == 0 else ("", line)
        for index, line in enumerate(address_lines(rng, pool)[:2])
    ]
    tail = [
        ("公民身份号码", number),
        ("签发机关", words.sentence(rng, 3) + "公安局"),
        ("签发日期", words.day(rng)),
    ]
    rows += tail[: int(rng.integers(1, 4))]
    for label, value in rows:
        form.label(label, (x, y), 2.3)
        indent = 2.5 + 2.5 * max(len(label), 4)
        form.value(value[: 14 if narrow else 18], (x + indent, y), 2.5)
        y += pitch


def _residence_back(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
    form = emblem_form(rng, width_px, pool, device=0.6)
    title = residence_title(rng)
    if rng.random() < 0.5:
        form.title("中华人民共和国", 6.2, 5.2, (30.2, 75.3))
    reach = min(50.0, 12.0 * len(title))
    form.title(title, 14.7, float(rng.uniform(5.8, 8.0)), (52 - reach / 2, 52 + reach / 2))
    for index, label in enumerate(("签发机关", "有效期限", "现住址")[: int(rng.integers(1, 4))]):
        form.black_label(label, (18.0, 33.5 + 5.8 * index))
        value = words.day(rng) + "-" + words.day(rng) if index == 1 else words.sentence(rng, 8)
        form.value(value, (33.5, 33.5 + 5.8 * index))
    return form.finish()
