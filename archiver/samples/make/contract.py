"""A contract between two companies, as a PDF of two pages."""

from pathlib import Path

from paper import HEIGHT, WIDTH, canvas, millimetres as mm
from parties import DEVELOPER, OURS

TITLE = "ソフトウェア保守業務委託契約書"

PREAMBLE = (
    f"{OURS.name}（以下「甲」という。）と{DEVELOPER.name}（以下「乙」という。）とは、"
    "甲の生産管理システムの保守業務の委託に関し、次のとおり契約を締結する。"
)

ARTICLES = [
    ("目的", ["甲は、別紙仕様書に定める生産管理システム（以下「本システム」という。）の保守業務（以下「本業務」という。）を乙に委託し、乙はこれを受託する。"]),
    ("業務の内容", ["本業務の内容は、次の各号のとおりとする。",
                "（1）本システムの障害の受付、原因の調査および復旧",
                "（2）本システムの軽微な改修および設定の変更",
                "（3）月次の稼働報告書の作成および提出"]),
    ("契約期間", ["本契約の期間は、2026年10月1日から2027年9月30日までとする。ただし、期間満了の3か月前までに甲乙いずれからも書面による申出がないときは、同一の条件で1年間更新するものとし、以後も同様とする。"]),
    ("委託料", ["委託料は、月額金330,000円（うち消費税および地方消費税の額30,000円）とする。",
             "2　乙は、毎月末日に締め切り、翌月5日までに請求書を電子データで甲に送付し、甲は、請求を受けた月の末日までに乙の指定する銀行口座に振り込んで支払う。"]),
    ("再委託", ["乙は、甲の書面による事前の承諾を得た場合を除き、本業務の全部または一部を第三者に再委託してはならない。"]),
    ("秘密保持", ["甲および乙は、本契約に関して知り得た相手方の秘密情報を、相手方の書面による承諾なく第三者に開示し、または本契約の目的以外に使用してはならない。",
              "2　前項の規定は、本契約の終了後3年間なお効力を有する。"]),
    ("記録の保存", ["乙は、本業務の作業記録および障害対応の記録を作成し、本契約の終了後7年間保存する。",
               "2　甲および乙は、本契約書の電磁的記録に時刻認証を付して保存するものとし、法令の定める期間、その真正性、見読性および検索性を確保する。"]),
    ("損害賠償", ["甲または乙は、本契約に違反して相手方に損害を与えたときは、その損害を賠償する。ただし、賠償の額は、委託料の12か月分に相当する額を上限とする。"]),
    ("解除", ["甲または乙は、相手方が本契約に違反し、相当の期間を定めて催告してもなお是正されないときは、本契約を解除することができる。"]),
    ("反社会的勢力の排除", ["甲および乙は、自らが反社会的勢力に該当しないことを表明し、将来にわたっても該当しないことを確約する。"]),
    ("協議", ["本契約に定めのない事項または疑義が生じた事項については、甲乙誠意をもって協議し、解決する。"]),
    ("管轄", ["本契約に関する紛争については、甲の本店所在地を管轄する地方裁判所を第一審の専属的合意管轄裁判所とする。"]),
]

CLOSING = "本契約の成立を証するため、本書の電磁的記録を作成し、甲乙それぞれが電子署名または記名を行い、各自これを保存する。"

SIZE = 10.5
LEADING = 6.1
LEFT, RIGHT = 27, 183
# Characters that must not begin a line.
CLOSING_CHARACTERS = "、。）」』，．ー・"


def wrap(text: str, width: float, measure) -> list[str]:
    """Breaks Japanese text anywhere but before closing punctuation and inside numbers."""
    lines, line = [], ""
    for character in text:
        if measure(line + character) > width and character not in CLOSING_CHARACTERS:
            tail = ""
            while line and line[-1].isascii() and line[-1] in "0123456789," and character.isascii():
                line, tail = line[:-1], line[-1] + tail
            lines.append(line)
            line = tail
        line += character
    return lines + [line]


class Writer:
    def __init__(self, page):
        self.page = page
        self.number = 1
        self.y = HEIGHT - mm(30)

    def line(self, text: str, x: float = LEFT, font: str = "Mincho", size: float = SIZE) -> None:
        if self.y < mm(28):
            self.end_page()
            self.page.showPage()
            self.number += 1
            self.y = HEIGHT - mm(30)
        self.page.setFont(font, size)
        self.page.drawString(mm(x), self.y, text)
        self.y -= mm(LEADING)

    def paragraph(self, text: str, x: float, hanging: float = 0) -> None:
        measure = lambda part: self.page.stringWidth(part, "Mincho", SIZE)
        first, *rest = wrap(text, mm(RIGHT - x - hanging), measure)
        self.line(first, x)
        for line in rest:
            self.line(line, x + hanging)

    def end_page(self) -> None:
        self.page.setFont("Mincho", 9)
        self.page.drawCentredString(WIDTH / 2, mm(15), f"－ {self.number} －")


def write(folder: Path) -> None:
    # 2026-09-24T10:00:00+09:00
    page = canvas(str(folder / "contract.pdf"), TITLE, OURS.name, 1_790_211_600)
    page.setFont("Gothic-Bold", 15)
    page.drawCentredString(WIDTH / 2, HEIGHT - mm(30), TITLE)
    writer = Writer(page)
    writer.y -= mm(14)
    writer.paragraph("　" + PREAMBLE, LEFT)
    for number, (heading, paragraphs) in enumerate(ARTICLES, 1):
        writer.y -= mm(1.6)
        writer.line(f"第{number}条（{heading}）", font="Gothic", size=10)
        for index, text in enumerate(paragraphs):
            if text.startswith("（"):
                writer.paragraph(text, LEFT + 5, 7)
            else:
                writer.paragraph(text if index else "　" + text, LEFT + 4)
    writer.y -= mm(3)
    writer.paragraph("　" + CLOSING, LEFT)
    signatures(writer)
    writer.end_page()
    page.save()


def signatures(writer: Writer) -> None:
    writer.y -= mm(3)
    writer.line("2026年9月24日", LEFT + 8)
    for side, company in (("甲", OURS), ("乙", DEVELOPER)):
        writer.y -= mm(3)
        writer.page.drawString(mm(84), writer.y, side)
        for text in (company.address, company.name, company.representative):
            writer.line(text, 95)
    writer.y -= mm(4)
    writer.line("（この契約書は見本であり、登場する会社・人物はすべて架空のものです。）", LEFT, "Gothic", 8)
