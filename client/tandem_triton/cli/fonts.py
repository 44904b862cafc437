"""A font file of this machine that has Chinese glyphs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from tandem_triton.core.errors import TandemError

COMMON_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "C:/Windows/Fonts/msyh.ttc",
    "C:/Windows/Fonts/simsun.ttc",
)
"""Where Debian, Arch, Fedora, macOS and Windows keep one."""

_FONTCONFIG_TIMEOUT_S = 10  # the first call on a machine builds fontconfig's cache


class NoChineseFontError(TandemError):
    """This machine has no font with Chinese glyphs that we can find."""

    code = "FAILED_PRECONDITION"


def find_chinese_font(common: Iterable[str] | None = None) -> Path:
    """The file of a font that has Chinese glyphs: fontconfig's choice, else a usual place.

    Args:
        common: the usual places; None takes `COMMON_FONTS`.

    Raises:
        NoChineseFontError: there is none; says what to install.
    """
    for path in (*_ask_fontconfig(), *map(Path, COMMON_FONTS if common is None else common)):
        if path.is_file():
            return path
    raise NoChineseFontError(
        "no font with Chinese glyphs was found, so --draw can't write the fields; install one, "
        "e.g. apt-get install fonts-noto-cjk, or fonts-wqy-zenhei"
    )


def _ask_fontconfig() -> list[Path]:
    """The fonts fontconfig knows for Simplified Chinese, upright ones of regular weight first."""
    patterns = (":lang=zh-cn:weight=80:slant=0", ":lang=zh-cn")
    try:
        lists = [
            subprocess.run(
                ["fc-list", pattern, "file"],
                capture_output=True,
                text=True,
                check=True,
                timeout=_FONTCONFIG_TIMEOUT_S,
            ).stdout
            for pattern in patterns
        ]
    except (OSError, subprocess.SubprocessError):
        return []
    return [
        Path(line.split(": ")[0].rstrip(":").strip()) for text in lists for line in sorted(text.splitlines())
    ]
