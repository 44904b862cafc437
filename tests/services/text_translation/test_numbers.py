from __future__ import annotations

import pytest

from tandem.services.text_translation.numbers import lost_identities, lost_numbers, lost_units


@pytest.mark.parametrize(
    ("source", "translation"),
    [
        ("包裹重3.5公斤。", "The parcel weighs 3.5 kg."),
        ("总价1200元", "1,200 yuan in all"),
        ("人口3.5万", "a population of 35,000"),
        ("共2亿元", "200 million yuan"),
        ("We sold 1.2 million tickets.", "我们卖出了120万张票。"),
        ("9月20日上午10点", "ten a.m. on September 20"),
        ("一共有5个人", "There are five people."),
        ("It takes 25 minutes.", "需要二十五分钟。"),
        ("2 tickets", "两张票"),
        ("第3章", "the third chapter"),
        ("没有数字", "anything at all, 7"),
        ("in room 12", "在十二号房间"),
    ],
)
def test_numbers_that_survive(source: str, translation: str) -> None:
    assert not lost_numbers(source, translation)


@pytest.mark.parametrize(
    ("source", "translation"),
    [
        ("包裹重3.5公斤。", "The parcel weighs 35 kg."),
        ("总价1200元", "120 yuan in all"),
        ("人口3.5万", "a population of 3.5"),
        ("It takes 25 minutes.", "需要二十分钟。"),
        ("2024年", "last year"),
        ("订单123和456", "order 123"),
    ],
)
def test_numbers_that_are_lost(source: str, translation: str) -> None:
    assert lost_numbers(source, translation)


def test_identity_numbers_must_be_there_digit_by_digit() -> None:
    source = "身份证号码是11010119900307451X，电话13800138000。"
    assert not lost_identities(source, "ID 11010119900307451X, phone 13800138000")
    assert lost_identities(source, "ID 110101199003074511, phone 13800138000")
    assert lost_identities(source, "ID 11010119900307451X, phone 1380013800")
    assert lost_identities("call 400123456", "拨打400-123-456")


@pytest.mark.parametrize(
    ("source", "translation", "language", "lost"),
    [
        ("重3.5公斤", "it weighs 3.5 kg", "zh", False),
        ("重3.5公斤", "it weighs 3.5 kilograms", "zh", False),
        ("重3.5公斤", "it weighs 3.5 pounds", "zh", True),
        ("长20厘米", "20 cm long", "zh", False),
        ("长20厘米", "20 m long", "zh", True),
        ("a 20-kilometre walk", "步行20公里", "en", False),
        ("a 20 km walk", "步行20 km", "en", False),
        ("a 20 km walk", "步行20米", "en", True),
        ("5 metres", "5米", "en", False),
        ("it has 5 members", "有5个成员", "en", False),
        ("28元", "28 yuan", "zh", False),
        ("28元", "28 dollars", "zh", True),
        ("$30", "30美元", "en", False),
        ("发烧39度", "a fever of 39 degrees", "zh", False),
        ("打8折，剩50%", "20% off, 50% left", "zh", False),
    ],
)
def test_units(source: str, translation: str, language: str, lost: bool) -> None:
    assert lost_units(source, translation, language) is lost
