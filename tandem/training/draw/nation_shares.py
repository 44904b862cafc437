"""The share of the draw that each of the 56 ethnic groups has."""

from __future__ import annotations

from tandem.services.id_card.text.nations import NATIONS

# Nine in ten people are 汉; drawn less often, so that the other 55 are all learnt and all measured.
HAN_SHARE = 0.6
_LARGE = "蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎"
LARGE = frozenset(_LARGE.split())
_LARGE_TO_SMALL = 3.0


def nation_shares() -> list[float]:
    """Each nation's probability, in the order of `NATIONS`; they add up to 1."""
    raw = [_LARGE_TO_SMALL if nation in LARGE else 1.0 for nation in NATIONS[1:]]
    return [HAN_SHARE, *((1 - HAN_SHARE) * weight / sum(raw) for weight in raw)]
