"""Numbers, units and identity numbers of a sentence, and whether its translation still has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from tandem.services.text_translation.languages import CHINESE, ENGLISH

#: A number in digits with what may scale it: 1,200 · 3.5 · 3.5万 · 2 million.
_NUMBER = re.compile(
    r"(?P<digits>(?:\d{1,3}(?:[,，]\d{3})+|\d+)(?:\.\d+)?)"
    r"(?P<scale>\s?(?:万亿|千万|百万|[十百千万亿]|hundred|thousand|million|billion|trillion)(?![a-z]))?",
    re.IGNORECASE,
)
_SCALES = {
    "十": 10, "百": 100, "千": 1000, "万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8, "万亿": 10**12,
    "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12,
}  # fmt: skip
#: Digits in a row, with the X that ends some citizens' numbers: nothing of it may change or be rounded.
_IDENTITY = re.compile(r"(?<![\d.,])\d{6,}X?(?![\d.])")
_WORDED_BELOW = 100  # what people write in words, so that a translation may too


def _words(listed: str) -> list[str]:
    return listed.split()


_EN_ONES = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_EN_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
_EN_ORDINALS = _words(
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_MONTHS = _words("january february march april may june july august september october november december")
_ZH_DIGITS = "零一二三四五六七八九"

#: Each line a unit: its spellings in Chinese | in English. The longest that fits counts.
_UNITS = """
公斤 千克 kg|kg kilogram kilograms kilo kilos
克 g|g gram grams gramme grammes
毫克 mg|mg milligram milligrams
斤|jin catty catties
吨 t|t ton tons tonne tonnes
公里 千米 km|km kilometre kilometres kilometer kilometers
米 m|m metre metres meter meters
厘米 公分 cm|cm centimetre centimetres centimeter centimeters
毫米 mm|mm millimetre millimetres millimeter millimeters
平方米 平米 m² ㎡|square m² sqm
升 l|l litre litres liter liters
毫升 ml|ml millilitre millilitres milliliter milliliters
度 ℃ °c °|degree degrees ℃ °c °
% ％ 百分之|% percent per
千瓦时 度电 kwh|kwh kilowatt
千瓦 kw|kw kilowatt kilowatts
伏 伏特 v|v volt volts
元 块 人民币 ¥ ￥|yuan rmb cny ¥ ￥ kuai
美元 $|dollar dollars usd $ us$
欧元 €|euro euros eur €
英镑 £|pound pounds gbp £
小时 钟头|hour hours h hrs
分钟|minute minutes min mins
秒 s|second seconds s sec
mb|mb
gb|gb
"""
_UNIT_ROWS = [tuple(side.split() for side in line.split("|")) for line in _UNITS.strip().splitlines()]
_SIDE = {CHINESE: 0, ENGLISH: 1}


def lost_numbers(source: str, translation: str) -> bool:
    """Whether a number that the source has in digits is missing from the translation.

    3.5万 may become 35,000, and a number below a hundred may be written in words.
    """
    found = set(_values(translation))
    for value in _values(source):
        worded = value < _WORDED_BELOW and value == int(value)
        if value not in found and not (worded and _in_words(int(value), translation)):
            return True
    return False


def lost_identities(source: str, translation: str) -> bool:
    """Whether a long row of digits (an identity number, a telephone number) is not there as it was."""
    return any(row not in translation for row in _IDENTITY.findall(source))


def lost_units(source: str, translation: str, language: str) -> bool:
    """Whether a unit behind a number of the source has no counterpart in the translation.

    Args:
        source: the sentence.
        translation: of it.
        language: of the sentence, `zh` or `en`.
    """
    lowered = translation.lower()
    own, other = _SIDE[language], 1 - _SIDE[language]
    for match in _NUMBER.finditer(source):
        row = _unit_behind(source[match.end() :].lower(), own)
        if row is not None and not any(_holds(lowered, spelling) for spelling in row[other] + row[own]):
            return True
    return False


def _values(text: str) -> Iterator[Decimal]:
    for match in _NUMBER.finditer(text):
        number = Decimal(re.sub("[,，]", "", match["digits"]))
        scale = (match["scale"] or "").strip().lower()
        yield number * _SCALES.get(scale, 1)


def _in_words(value: int, text: str) -> bool:
    lowered = text.lower()
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)?", lowered))
    return bool(words & _english(value)) or any(word in text for word in _chinese(value))


def _english(value: int) -> set[str]:
    if value < len(_EN_ONES):
        month = {_MONTHS[value - 1]} if 1 <= value <= len(_MONTHS) else set()
        return {_EN_ONES[value], _EN_ORDINALS[value]} | month
    tens, ones = _EN_TENS[value // 10 - 2], value % 10
    if not ones:
        return {tens, tens[:-1] + "ieth"}
    return {f"{tens}-{_EN_ONES[ones]}", f"{tens}-{_EN_ORDINALS[ones]}"}


def _chinese(value: int) -> set[str]:
    if value < 10:
        return {_ZH_DIGITS[value]} | ({"两"} if value == 2 else set())
    tens, ones = ("" if value < 20 else _ZH_DIGITS[value // 10]), value % 10
    return {f"{tens}十{_ZH_DIGITS[ones] if ones else ''}"}


def _unit_behind(rest: str, side: int) -> tuple[list[str], ...] | None:
    """The row of the longest unit that stands right behind a number."""
    rest = rest.lstrip(" -")
    best: tuple[int, tuple[list[str], ...] | None] = (0, None)
    for row in _UNIT_ROWS:
        for spelling in row[side]:
            longer = len(spelling) > best[0]
            if longer and rest.startswith(spelling) and not _goes_on(rest, len(spelling)):
                best = len(spelling), row
    return best[1]


def _goes_on(text: str, end: int) -> bool:
    """Whether a Latin word goes on at `end`, so that what ends there is only its beginning."""
    return text[end - 1].isascii() and text[end - 1].isalpha() and text[end : end + 1].isalpha()


def _holds(text: str, spelling: str) -> bool:
    if spelling.isascii() and spelling.isalpha():
        return re.search(rf"(?<![a-z]){spelling}(?![a-z])", text) is not None
    return spelling in text
