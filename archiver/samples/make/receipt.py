"""A receipt that came as a PDF: one page, selectable text, both tax rates."""

from pathlib import Path

from paper import HEIGHT, WIDTH, canvas, millimetres as mm, yen
from parties import OURS, VENUE

# Name, quantity, unit, price without tax, rate.
LINES = [
    ("会議室利用料（小会議室A・3時間）", 3, "時間", 6_600, 10),
    ("プロジェクター利用料", 1, "式", 2_200, 10),
    ("持ち帰り弁当 ※", 8, "個", 1_000, 8),
]

NUMBER = "R-20261105-0042"


def taxable(rate: int) -> int:
    return sum(quantity * price for _, quantity, _, price, line_rate in LINES if line_rate == rate)


def tax(rate: int) -> int:
    return taxable(rate) * rate // 100


TOTAL = sum(taxable(rate) + tax(rate) for rate in (10, 8))


def write(folder: Path) -> None:
    # 2026-11-05T18:12:00+09:00
    page = canvas(str(folder / "receipt.pdf"), "領収書", VENUE.name, 1_793_869_920)
    heading(page)
    amount(page)
    table(page, HEIGHT - mm(112))
    issuer(page)
    page.save()


def heading(page) -> None:
    page.setFont("Gothic-Bold", 22)
    page.drawCentredString(WIDTH / 2, HEIGHT - mm(32), "領　収　書")
    page.setFont("Gothic", 9.5)
    page.drawRightString(WIDTH - mm(22), HEIGHT - mm(44), f"領収書番号　{NUMBER}")
    page.drawRightString(WIDTH - mm(22), HEIGHT - mm(50), "発行日　2026年11月5日")
    page.setFont("Gothic", 14)
    page.drawString(mm(22), HEIGHT - mm(58), f"{OURS.name}　御中")
    page.line(mm(22), HEIGHT - mm(60.5), mm(110), HEIGHT - mm(60.5))


def amount(page) -> None:
    page.setFillGray(0.93)
    page.rect(mm(22), HEIGHT - mm(84), WIDTH - mm(44), mm(16), stroke=0, fill=1)
    page.setFillGray(0)
    page.setFont("Gothic", 11)
    page.drawString(mm(28), HEIGHT - mm(78), "領収金額（税込）")
    page.setFont("Gothic-Bold", 20)
    page.drawRightString(WIDTH - mm(30), HEIGHT - mm(79), f"￥{yen(TOTAL)}－")
    page.setFont("Gothic", 10)
    page.drawString(mm(22), HEIGHT - mm(93), "但し　会議室利用料および弁当代として")
    page.drawString(mm(22), HEIGHT - mm(99), "上記正に領収いたしました。　お支払方法：銀行振込（2026年11月5日着金）")


def table(page, top: float) -> None:
    columns = [mm(24), mm(106), mm(130), mm(146), WIDTH - mm(24)]
    page.setFont("Gothic-Bold", 9.5)
    page.drawString(columns[0], top, "内訳")
    for x, text in zip(columns[1:], ["数量", "単価（税抜）", "税率", "金額（税抜）"]):
        page.drawRightString(x, top, text)
    y = top - mm(2.5)
    page.line(mm(22), y, WIDTH - mm(22), y)
    page.setFont("Gothic", 9.5)
    for name, quantity, unit, price, rate in LINES:
        y -= mm(6)
        page.drawString(columns[0], y, name)
        for x, text in zip(columns[1:], [f"{quantity}{unit}", yen(price), f"{rate}％", yen(quantity * price)]):
            page.drawRightString(x, y, text)
    y -= mm(2.5)
    page.line(mm(22), y, WIDTH - mm(22), y)
    for rate in (10, 8):
        y -= mm(6)
        page.drawString(mm(92), y, f"{rate}％対象（税抜）")
        page.drawRightString(columns[3], y, yen(taxable(rate)))
        page.drawString(mm(154), y, "消費税等")
        page.drawRightString(columns[4], y, yen(tax(rate)))
    y -= mm(7)
    page.setFont("Gothic-Bold", 10.5)
    page.drawString(mm(92), y, "合計（税込）")
    page.drawRightString(columns[4], y, f"￥{yen(TOTAL)}")
    page.setFont("Gothic", 8.5)
    page.drawString(mm(24), y, "※は軽減税率対象品目です。")


def issuer(page) -> None:
    y = HEIGHT - mm(182)
    lines = [
        VENUE.name,
        f"〒{VENUE.postcode}　{VENUE.address}　{VENUE.building}",
        f"電話 {VENUE.telephone}　{VENUE.mail}",
        f"登録番号　{VENUE.registration_number}",
    ]
    page.setFont("Gothic-Bold", 12)
    page.drawString(mm(98), y, lines[0])
    page.setFont("Gothic", 9)
    for line in lines[1:]:
        y -= mm(5.5)
        page.drawString(mm(98), y, line)
    page.setFont("Gothic", 8)
    page.setFillGray(0.35)
    page.drawString(mm(22), mm(24), "電子データにより発行しているため、収入印紙の貼付はありません。")
    page.drawString(mm(22), mm(19), "この領収書は見本であり、登場する会社・人物・番号はすべて架空のものです。")
    page.setFillGray(0)
