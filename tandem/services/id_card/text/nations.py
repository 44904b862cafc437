"""The ethnic groups as identity cards print them (GB/T 3304), and how a reader may write them."""

from __future__ import annotations

_TODAY = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 "
    "高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 "
    "塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)
# Names before 1985 and 1986 (today 德昂 and 毛南), peoples that are printed without being of the 56, and what
# GB/T 3304's codes 97 and 98 print.
_ALSO_PRINTED = "崩龙 毛难 穿青人 革家人 僜人 夏尔巴人 克木人 摩梭人 其他 外国血统 外国血统中国籍人士"

NATIONS = tuple(_TODAY.split())
PRINTED_NATIONS = (*NATIONS, *_ALSO_PRINTED.split())

# Forms that the recogniser may choose for a character of the list: it knows both, a card prints one.
_READ_AS = "漢滿壯維爾瑤鄉東納頗達錫烏羅溫獨龍倫門諾薩鮮畬彜彞難"
_PRINTED = "汉满壮维尔瑶乡东纳颇达锡乌罗温独龙伦门诺萨鲜畲彝彝难"
_FORMS = dict(zip(_READ_AS, _PRINTED, strict=True))


def simplified(character: str) -> str:
    """The form that a card's nation is printed in."""
    return _FORMS.get(character, character)
