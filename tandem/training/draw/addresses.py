"""Addresses below the county: town, village, street, building and room, as households register them."""

from __future__ import annotations

import numpy as np

from tandem.training.draw import pools
from tandem.training.draw.pools import RARE_SHARE, Pool, choose
from tandem.training.draw.regions import Region

# Characters of place names, the rare ones included.
PLACE = (
    "东西南北中上下前后大小新老高平安宁和兴福泰吉祥瑞丰富康乐民众国建设解放胜利红旗前进团结友谊光明朝阳春华秋实金银铜铁石玉珠宝龙凤虎鹤马牛羊鸡鱼鹿"
    "山河江湖海溪泉井塘坝桥渡口湾滩洲岛岭峰坡沟谷坪坳冲洞崖岩林松柏柳杨桃李梅杏桂竹兰菊荷莲花草田园庄村店铺集市营屯堡寨关城楼台庙寺观塔桥头尾"
    "王张李刘陈赵周吴郑孙马朱胡郭何罗梁宋唐许邓韩冯曹彭曾萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹"
    "文武崇德尚善仁义礼智信忠孝永长久恒昌盛顺利通达广远清秀丽美景云霞雪雨露霜风雷电天地日月星辰五六七八九十百千万"
)
RARE_PLACE = (
    "圪垯塬峁砦埔圳沄垸畲塅岽崀峒峪崮崂岙嶂墕墚墩圩圲坂坜坨坭坻垌垍垓垟垡垣垤垭垱垴垵埂埇埌埕埗埝埠埭埯埸堉堌堍堎堙堠堽塄塍塝塥塬塱墀墉墘墡漖涌"
    "浜浦浃涘涠淀淓淜渑渚渫湫湴溇溆滆滘漈漤潞澧澴濉濮瀍瀛灞灏泖洣洨洮洱浉浐浛浠涑鄌鄚鄠鄣郯郾邗邛邡邳邽邾郐郓郝鄄鄱酂酃甪硚碶磜磡磴礌禤稹窎窠筻"
    "簰粜綦缙芗芷苴茌茛茳荏莒莘菏萏葑蒗蓟蔺蕲薛藁蠡衢觯谯赉赣轵轱邕阌阆陉隰雩霅颍鲘鲅鲴鳌鸠麇黟黾亳僰儋冼厐叵坼夼妫嵊嵩嵬巂庹斛旴昃杞枞枧柘柞栟桕桠"
)
TOWN_ENDINGS = ("镇", "镇", "镇", "乡", "乡", "街道", "苏木", "民族乡")
VILLAGE_ENDINGS = ("村", "村", "村", "屯", "庄", "寨", "嘎查", "村委会")
STREET_ENDINGS = (
    "路",
    "路",
    "路",
    "街",
    "街",
    "大道",
    "大街",
    "巷",
    "胡同",
    "里",
    "弄",
    "东路",
    "西街",
    "南路",
    "北里",
)
ESTATE_ENDINGS = (
    "小区",
    "花园",
    "新村",
    "苑",
    "家园",
    "公寓",
    "大厦",
    "广场",
    "社区",
    "生活区",
    "家属院",
    "名城",
)
BUILDING_ENDINGS = ("栋", "幢", "号楼", "座", "号院", "楼")
CIRCLED_DIGITS = "〇一二三四五六七八九"


def _place(rng: np.random.Generator, pool: Pool, rare_share: float, low: int = 2, high: int = 3) -> str:
    usual, rare = pools.characters(PLACE, pool), pools.characters(RARE_PLACE, pool)
    length = int(rng.integers(low, high + 1))
    return "".join(choose(rng, rare if rng.random() < rare_share else usual) for _ in range(length))


def _number(rng: np.random.Generator, below: int) -> str:
    """A house number: digits, sometimes Chinese numerals with 〇, sometimes with -, 甲 or a letter."""
    value = str(int(rng.integers(1, below)))
    kind = rng.random()
    if kind < 0.08:
        return "".join(CIRCLED_DIGITS[int(digit)] for digit in value)
    if kind < 0.14:
        return f"{value}-{int(rng.integers(1, 30))}"
    if kind < 0.17:
        return f"{choose(rng, '甲乙丙附')}{value}"
    if kind < 0.2:
        return f"{choose(rng, 'ABCDEFGH')}{value}"
    return value


def _room(rng: np.random.Generator) -> str:
    floor, room = int(rng.integers(1, 34)), int(rng.integers(1, 12))
    forms = (
        f"{floor}{room:02d}室",
        f"{int(rng.integers(1, 7))}单元{floor}{room:02d}室",
        f"{int(rng.integers(1, 7))}单元{floor}{room:02d}号",
        f"{int(rng.integers(1, 5))}-{floor}-{room}",
        f"{floor}层{room}号",
        f"{floor}{room:02d}",
        f"#{floor}{room:02d}",
    )
    return forms[int(rng.choice(len(forms), p=[0.35, 0.2, 0.15, 0.12, 0.08, 0.07, 0.03]))]


def _rural(rng: np.random.Generator, pool: Pool, rare_share: float) -> str:
    text = (
        _place(rng, pool, rare_share)
        + choose(rng, TOWN_ENDINGS)
        + _place(rng, pool, rare_share)
        + choose(rng, VILLAGE_ENDINGS)
    )
    if rng.random() < 0.3:
        text += _place(rng, pool, rare_share) + choose(rng, ("自然村", "小组", "组", "屯", "湾", "组"))
    elif rng.random() < 0.5:
        text += choose(rng, "一二三四五六七八九") + choose(rng, ("组", "社", "队", "村民小组"))
    if rng.random() < 0.8:
        text += _number(rng, 300) + "号"
    return text


def _urban(rng: np.random.Generator, pool: Pool, rare_share: float) -> str:
    text = _place(rng, pool, rare_share) + choose(rng, STREET_ENDINGS) + _number(rng, 2000) + "号"
    if rng.random() < 0.45:
        text += _place(rng, pool, rare_share) + choose(rng, ESTATE_ENDINGS)
    if rng.random() < 0.6:
        text += _number(rng, 60) + choose(rng, BUILDING_ENDINGS)
    if rng.random() < 0.65:
        text += _room(rng)
    return text


def draw_address(
    rng: np.random.Generator,
    pool: Pool,
    region: Region,
    *,
    rare_share: float = RARE_SHARE,
    longest: int = 42,
) -> str:
    """An address in a region, of at most `longest` characters (four lines of a card)."""
    prefix = region.full_name()
    if rng.random() < 0.1:
        # Older cards leave the province or the prefecture out.
        prefix = region.city + region.county if region.city else region.county
    local = (_rural if rng.random() < 0.45 else _urban)(rng, pool, rare_share)
    return (prefix + local)[:longest]
