"""Words for documents that are no resident identity cards: titles, labels and values, Chinese and English."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from tandem.training.draw.addresses import PLACE, draw_address
from tandem.training.draw.names import draw_name
from tandem.training.draw.pools import choose
from tandem.training.draw.regions import draw_region

ENGLISH = (
    "Name Sex Date of Birth Nationality Address Valid Period Class Issue Authority Card No Type "
    "Vehicle Owner Model Engine Register Department Position Company Member Since Student Employee "
    "Library Phone Email Website Total Amount Thank You Please keep this receipt Welcome Service "
    "Hotline Terms and conditions apply The quick brown fox jumps over lazy dog"
)
ENGLISH_WORDS = tuple(ENGLISH.split())
BANKS = ("商业银行", "农村信用社", "发展银行", "城市银行", "储蓄银行", "合作银行", "BANK")
COMPANY_ENDINGS = (
    "科技有限公司", "大学", "中学", "医院", "集团", "贸易公司", "研究院", "酒店", "超市", "图书馆",
    "健身俱乐部", "学院",
)  # fmt: skip
PASS_TITLES = (
    "往来港澳通行证", "港澳居民来往内地通行证", "台湾居民来往大陆通行证", "往来台湾通行证",
    "大陆居民往来台湾通行证",
)  # fmt: skip
WORK_TITLES = (
    "学生证", "工作证", "员工证", "借书证", "出入证", "校园一卡通", "会员卡", "教师资格证",
    "记者证", "参会证", "STAFF", "STUDENT ID",
)  # fmt: skip
SECURITY_TITLES = ("社会保障卡", "中华人民共和国社会保障卡", "社会保险卡", "医疗保险卡")
WELFARE_TITLES = ("市民卡", "居民健康卡", "老年人优待证", "残疾人证")
SOCIAL_TITLES = (*SECURITY_TITLES, *WELFARE_TITLES)
WORK_LABELS = (
    "姓名", "部门", "职务", "工号", "学号", "院系", "专业", "班级", "编号", "电话", "单位",
    "有效期至", "入职日期",
)  # fmt: skip
CARD_LABELS = (
    "姓名", "性别", "国籍", "出生日期", "证件号码", "有效期限", "签发机关", "签发地点", "换证次数",
    "卡号", "发卡日期", "社会保障号码",
)  # fmt: skip


def sentence(rng: np.random.Generator, length: int) -> str:
    """A line of `length` Chinese characters that mean nothing."""
    return "".join(choose(rng, PLACE) for _ in range(length))


def english(rng: np.random.Generator, words: int) -> str:
    """A line of English words."""
    return " ".join(choose(rng, ENGLISH_WORDS) for _ in range(words))


def digits(rng: np.random.Generator, count: int) -> str:
    """Digits without a meaning."""
    return "".join(str(int(digit)) for digit in rng.integers(0, 10, count))


def day(rng: np.random.Generator, separator: str = ".") -> str:
    """A date of these decades."""
    when = date(1960, 1, 1) + timedelta(days=int(rng.integers(28000)))
    return separator.join((f"{when.year}", f"{when.month:02d}", f"{when.day:02d}"))


def company(rng: np.random.Generator) -> str:
    """An invented company, school or shop."""
    return sentence(rng, int(rng.integers(2, 5))) + choose(rng, COMPANY_ENDINGS)


def person(rng: np.random.Generator) -> str:
    """An invented Chinese name."""
    return draw_name(rng, "train", female=bool(rng.random() < 0.5), nation="汉")


def latin_name(rng: np.random.Generator) -> str:
    """An invented name in capitals, as machine-readable documents print it."""
    syllables = (
        "ZHANG",
        "WEI",
        "LI",
        "NA",
        "CHEN",
        "MEI",
        "SMITH",
        "ANNA",
        "IVAN",
        "KIM",
        "YU",
        "HAO",
        "LEE",
        "MARIA",
    )
    return f"{choose(rng, syllables)}, {choose(rng, syllables)}{choose(rng, syllables)}"


def address(rng: np.random.Generator) -> str:
    """An invented address."""
    return draw_address(rng, "train", draw_region(rng, "train"))


def value_for(rng: np.random.Generator, label: str) -> str:
    """Something that may stand behind a label."""
    if label in {"姓名", "Name"}:
        return person(rng)
    if "期" in label:
        return day(rng)
    if label == "性别":
        return choose(rng, "男女")
    if "号" in label or label in {"电话", "卡号"}:
        return digits(rng, int(rng.integers(6, 19)))
    return sentence(rng, int(rng.integers(2, 8)))
