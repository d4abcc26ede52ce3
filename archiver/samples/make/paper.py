"""What both PDF samples share: fonts, fixed dates, tables."""

import os

from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

# Debian packages fonts-morisawa-bizud-gothic and fonts-morisawa-bizud-mincho (SIL Open Font License 1.1).
FONTS = {
    "Gothic": "/usr/share/fonts/truetype/bizud-gothic/BIZUDPGothic-Regular.ttf",
    "Gothic-Bold": "/usr/share/fonts/truetype/bizud-gothic/BIZUDPGothic-Bold.ttf",
    "Mincho": "/usr/share/fonts/truetype/bizud-mincho/BIZUDPMincho-Regular.ttf",
}

WIDTH, HEIGHT = A4


def canvas(path: str, title: str, author: str, epoch: int) -> Canvas:
    """A canvas whose bytes depend on what is drawn only: `epoch` (seconds since 1970) is its date."""
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
    rl_config.invariant = 1
    for name, file in FONTS.items():
        pdfmetrics.registerFont(TTFont(name, file))
    page = Canvas(path, pagesize=A4, invariant=1, lang="ja-JP", initialFontName="Gothic")
    page.setTitle(title)
    page.setAuthor(author)
    page.setCreator("archiver/samples/make")
    return page


def millimetres(value: float) -> float:
    return value * mm


def yen(value: int) -> str:
    return f"{value:,}"
