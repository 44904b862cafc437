"""Names as identity cards print them: common, rare and double surnames, and long names with a middle dot."""

from __future__ import annotations

import numpy as np

from tandem.training.draw import pools
from tandem.training.draw.pools import Pool

COMMON_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹"
    "孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁"
    "尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费"
    "卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
RARE_SURNAMES = (
    "亓仉佴俎冼冮厍厙呙妫乜郏郄郗郜郦鄢鄞酆阚隗雒麴黧禚缑璩昝晁晷笪訾谌谯蹇逄逯遆麹儴仝伏侬俱僧光公刑别剧化匡卑卓卡厉句召吾员告哈唤商啜喇园圣地"
    "坤堵塔壤备多奇奉奔契妙委姒孛孝宓宝宣寸封射尉尧尼岐峗巢巧帅干年并库延开弋弓张弭归彤律徒後徕怀怡恭悟惠愚戈才扈承投折抗揭"
)
_DOUBLE_SURNAMES = (
    "欧阳 上官 司马 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 宇文 长孙 司徒 端木 夏侯 轩辕 闻人 澹台 濮阳 淳于 "
    "单于 太史 公羊 赫连 呼延 独孤 南宫 拓跋 完颜 第五 申屠 司空 钟离 百里 东郭 西门 南门 纳兰 叶赫 爱新觉罗"
)
DOUBLE_SURNAMES = tuple(_DOUBLE_SURNAMES.split())
GIVEN_MALE = (
    "伟强磊军洋勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林欢成建国志文海东晓峰亮庆振永新博子轩浩然梓豪天佑泽昊晨睿德福贵财根生柱铁钢山河"
    "江湖川岩石松柏竹木森栋梁才俊彦邦兴旺盛昌隆荣光耀祖继承宗绍先启元亨利贞仁义礼智信忠孝廉勤俭朴诚实立业安康乐寿延年长春发进来喜"
)
GIVEN_FEMALE = (
    "芳娜秀英敏静丽艳娟霞燕玲婷雪梅红玉兰萍莉丹洁颖琳倩慧莹晶欣怡佳雅琪瑶梦思雨涵嘉诗梓萱一诺可馨若曦依彤语婉清妍媛姝娴婕妮姗嫣蓉薇莲菊桂香翠珍"
    "珠凤云月春夏秋冬桃杏柳叶青碧紫彩霓裳如意美善淑贤惠爱巧心素芬芝荷茜茹菲萌蕾芷苒芮苗苑蓓蕊"
)
GIVEN_RARE = (
    "彧祎翀赟昶炜烨煜堃淼垚鑫犇骉羴焱燚晔晟旻昱昕曌翊翎翾劼勍卉喆嘉婞嫄孜宸寤岫峣峤嵘嵩巍彣彬忞恺悫惇惟懿戬扬抒揆旎昉昳晗暄暐杼枞柽桉桓梃棣棽"
    "楷榛榕樾橦欸毓沄沅沐沛泓泠泮洵洺浔浠浥涞涪淏淙渌渝湜湝溦滢漪潆潇澍澔濛灏炅炆炘烜焜熠燊爻牧犀玎玓玕玙玞玢玥玦玮珂珅珈珏珑珝珣珥珩珺珽琎琏琛"
    "琤琦琨琬琮琰琲瑀瑄瑗瑛瑜瑢瑭璁璇璐璟璞璨瓅畅畋畯皓皞皦盈睎睢矞砚硕磬祐祚祜祺禛禹稷穗竑竣笙笃筠筱箐箴簌綦纮纾绚绛绡绮绶缃缇缈羲翔翥翯翰耘聿聪"
    "胤臻舸舫苡茗茵荃莘菀萧葳蒨蓁蔚蕙薏藜蘅虢蜺衍衡裕襄觅訢诠诩谖谟谦豫贇赓赫趯跃踔轶轩辰迅迪逸遥邈郁酉野钊钎钏钧钰铄铎铖铭铮锟锴镕镝镠镱闱闳阖"
    "隽霁霈霖霏霓靓靖鞒韬韵頔颀颉颋颐颖颢飏飒馥骁骄骅骋骐骞骥髯魁鲲鳌鸣鸾鹄鹍鹤麒麟黛黻鼐龢"
)
# Syllables of transcribed names (Uyghur, Kazakh, Tibetan, Mongolian, Yi).
SYLLABLES = (
    "阿布都克里木买提江古丽努尔艾力吐逊热合曼依明玉素甫卡斯木托乎提孜亚森沙拉买尔旦帕提曼迪力夏提萨比尔哈那提别克巴合特汗叶尔江胡安木拉提加娜"
    "扎西多吉次仁卓玛央金旺堆索朗平措罗布格桑德吉达瓦尼玛边巴普布拉姆丹增洛桑强巴白玛晋美嘎玛旦增曲珍"
    "巴特尔斯琴其木格乌兰图雅那仁满都拉哈斯额尔敦朝克图苏日娜阿拉坦宝音呼和娜仁花吉日嘎拉"
    "吉克阿呷沙马拉且日黑木果洛海来尔古莫色惹曲比阿依"
)
MIDDLE_DOT = "·"
MAX_NAME_LENGTH = 15
_DOTTED_NATIONS = "维吾尔 哈萨克 柯尔克孜 塔吉克 乌孜别克 塔塔尔 俄罗斯"
DOTTED_NATIONS = frozenset(_DOTTED_NATIONS.split())
_OTHER_TRANSCRIBED = "藏 蒙古 彝 门巴 珞巴 裕固 达斡尔 鄂温克 鄂伦春"
TRANSCRIBED_NATIONS = DOTTED_NATIONS | frozenset(_OTHER_TRANSCRIBED.split())


def _part(rng: np.random.Generator, pool: Pool, low: int, high: int) -> str:
    syllables = pools.characters(SYLLABLES, pool)
    return "".join(pools.choose(rng, syllables) for _ in range(int(rng.integers(low, high + 1))))


def _transcribed(rng: np.random.Generator, pool: Pool, nation: str) -> str:
    if nation in DOTTED_NATIONS or rng.random() < 0.2:
        parts = [_part(rng, pool, 2, 6) for _ in range(3 if rng.random() < 0.1 else 2)]
        return MIDDLE_DOT.join(parts)[:MAX_NAME_LENGTH].rstrip(MIDDLE_DOT)
    return _part(rng, pool, 3, 5)


def _surname(rng: np.random.Generator, pool: Pool) -> str:
    kind = rng.random()
    if kind < 0.06:
        return pools.choose(rng, pools.words(DOUBLE_SURNAMES, pool))
    return pools.choose(rng, pools.characters(COMMON_SURNAMES if kind < 0.85 else RARE_SURNAMES, pool))


def draw_name(
    rng: np.random.Generator, pool: Pool, *, female: bool, nation: str, rare_share: float = pools.RARE_SHARE
) -> str:
    """A name of 2 to 15 characters that suits the sex and the nation."""
    if nation in TRANSCRIBED_NATIONS and rng.random() < 0.75:
        return _transcribed(rng, pool, nation)
    usual = pools.characters(GIVEN_FEMALE if female else GIVEN_MALE, pool)
    rare = pools.characters(GIVEN_RARE, pool)
    length = int(rng.choice([1, 2, 3], p=[0.25, 0.73, 0.02]))
    given = [pools.choose(rng, rare if rng.random() < rare_share else usual) for _ in range(length)]
    return _surname(rng, pool) + "".join(given)
