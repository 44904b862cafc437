"""The 56 ethnic groups as identity cards print them, each with its share of the draw."""

from __future__ import annotations

# As printed: without 族. Order of GB/T 3304.
_NATIONS = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 "
    "高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 "
    "塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)
NATIONS = tuple(_NATIONS.split())
# Nine in ten people are 汉; drawn less often, so that the other 55 are all learnt and all measured.
HAN_SHARE = 0.6
_LARGE = "蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎"
LARGE = frozenset(_LARGE.split())
_LARGE_TO_SMALL = 3.0


def weights() -> list[float]:
    """Each nation's probability, in the order of `NATIONS`; they add up to 1."""
    raw = [_LARGE_TO_SMALL if nation in LARGE else 1.0 for nation in NATIONS[1:]]
    return [HAN_SHARE, *((1 - HAN_SHARE) * weight / sum(raw) for weight in raw)]
