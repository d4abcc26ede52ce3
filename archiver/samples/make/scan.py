"""A till receipt on a flatbed scanner: 200 dpi, 24-bit colour, a little askew, as the rules for scanned tax documents ask."""

import random
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from parties import OURS, SHOP

DPI = 200
FONT = "/usr/share/fonts/truetype/bizud-gothic/BIZUDGothic-Regular.ttf"
BOLD = "/usr/share/fonts/truetype/bizud-gothic/BIZUDGothic-Bold.ttf"

# Name and price with tax, rate.
ITEMS = [
    ("ボールペン 黒 10本", 1_100, 10),
    ("クリアファイル 20枚", 880, 10),
    ("印鑑マット", 660, 10),
    ("缶入り緑茶 24本 ※", 2_160, 8),
]

TOTAL = sum(price for _, price, _ in ITEMS)
PAID = 5_000


def inside(rate: int) -> tuple[int, int]:
    """Amount with tax at a rate, and the tax in it."""
    amount = sum(price for _, price, item_rate in ITEMS if item_rate == rate)
    return amount, amount * rate // (100 + rate)


def pixels(millimetres: float) -> int:
    return round(millimetres * DPI / 25.4)


def write(folder: Path) -> None:
    generator = random.Random(20261112)
    bed = scanner_bed(generator)
    slip = printed_slip(generator)
    place(bed, slip)
    grain(bed, generator).save(folder / "receipt-scan.jpg", quality=82, subsampling=0, dpi=(DPI, DPI), optimize=True)


def scanner_bed(generator: random.Random) -> Image.Image:
    """A sheet of A6 of the lid, not quite white and darker towards one edge."""
    width, height = pixels(105), pixels(148)
    column = Image.linear_gradient("L").resize((width, height)).rotate(180)
    shade = column.point(lambda value: 232 + value // 32)
    return Image.merge("RGB", (shade, shade, shade.point(lambda value: value - 3)))


def rows() -> list[tuple[str, str, str]]:
    """Left text, right text, style."""
    out = [
        (SHOP.name, "", "title"),
        (f"{SHOP.prefecture}{SHOP.city}{SHOP.street}", "", "centre"),
        (f"TEL {SHOP.telephone}", "", "centre"),
        (f"登録番号 {SHOP.registration_number}", "", "centre"),
        ("領　収　証", "", "heading"),
        (f"{OURS.name} 様", "", "left"),
        ("2026年11月12日(木) 14:07", "レジ02", "left"),
        ("", "", "rule"),
    ]
    out += [(name, f"¥{price:,}", "left") for name, price, _ in ITEMS]
    out += [("", "", "rule"), ("合計", f"¥{TOTAL:,}", "total")]
    for rate in (10, 8):
        amount, tax = inside(rate)
        out.append((f" {rate}%対象 ¥{amount:,}", f"(内税 ¥{tax:,})", "left"))
    out += [
        ("お預り", f"¥{PAID:,}", "left"),
        ("お釣り", f"¥{PAID - TOTAL:,}", "left"),
        ("", "", "rule"),
        ("※印は軽減税率対象商品です", "", "left"),
        ("No.0212-004471", "責:005", "left"),
        ("(見本・架空の店舗です)", "", "centre"),
    ]
    return out


def printed_slip(generator: random.Random) -> Image.Image:
    """Thermal print on paper of 80 mm: RGBA, so that it can lie askew."""
    width, height = pixels(80), pixels(126)
    ink = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(ink)
    y = pixels(5)
    for left, right, style in rows():
        y += row(draw, width, y, left, right, style)
    stamp = Image.new("L", (width, height), 0)
    seal(ImageDraw.Draw(stamp), pixels(60), pixels(31), pixels(7.5))
    slip = Image.new("RGB", (width, height), (251, 250, 245))
    slip.paste((62, 60, 74), mask=streaked(ink, generator))
    slip.paste((196, 52, 46), mask=streaked(stamp.rotate(-6, center=(pixels(60), pixels(31))), generator).point(lambda value: value * 4 // 5))
    slip = slip.convert("RGBA")
    slip.putalpha(torn(width, height, generator))
    return slip


def row(draw: ImageDraw.ImageDraw, width: int, y: int, left: str, right: str, style: str) -> int:
    """Draws one row and tells its height."""
    margin = pixels(5)
    if style == "rule":
        for x in range(margin, width - margin, 10):
            draw.line((x, y + 14, x + 5, y + 14), fill=210, width=2)
        return 30
    size, advance = {"title": (30, 44), "heading": (40, 76), "total": (38, 56)}.get(style, (25, 36))
    font = ImageFont.truetype(BOLD if style in ("title", "heading", "total") else FONT, size)
    top = y + (20 if style == "heading" else 0)
    if style in ("title", "centre", "heading"):
        draw.text((width / 2, top), left, fill=255, font=font, anchor="ma")
    else:
        draw.text((margin, top), left, fill=255, font=font)
    draw.text((width - margin, top), right, fill=255, font=font, anchor="ra")
    return advance


def seal(draw: ImageDraw.ImageDraw, x: int, y: int, radius: int) -> None:
    """The round seal of the shop."""
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=255, width=5)
    font = ImageFont.truetype(BOLD, 34)
    draw.text((x, y - 34), "見本", fill=255, font=font, anchor="ma")
    draw.text((x, y + 4), "印", fill=255, font=font, anchor="ma")


def streaked(ink: Image.Image, generator: random.Random) -> Image.Image:
    """A thermal head prints some rows and columns fainter than others."""
    noise = Image.frombytes("L", (ink.width // 3, 12), bytes(generator.randrange(150, 256) for _ in range(ink.width // 3 * 12)))
    return ImageChops.multiply(ink, noise.resize(ink.size, Image.Resampling.BICUBIC))


def torn(width: int, height: int, generator: random.Random) -> Image.Image:
    """The outline of the slip: straight sides, a cutter's teeth at both ends."""
    alpha = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(alpha)
    for x in range(0, width, 12):
        depth = generator.randrange(4, 9)
        draw.polygon([(x, 0), (x + 6, depth), (x + 12, 0)], fill=0)
        draw.polygon([(x, height), (x + 6, height - depth), (x + 12, height)], fill=0)
    return alpha


def place(bed: Image.Image, slip: Image.Image) -> None:
    """Puts the slip on the bed, with the shadow of its edge."""
    turned = slip.rotate(0.9, expand=True, resample=Image.Resampling.BICUBIC)
    at = ((bed.width - turned.width) // 2, (bed.height - turned.height) // 2)
    shadow = Image.new("L", bed.size, 0)
    shadow.paste(turned.getchannel("A").point(lambda value: value // 3), (at[0] + 5, at[1] + 6))
    bed.paste((120, 120, 126), mask=shadow.filter(ImageFilter.GaussianBlur(5)))
    bed.paste(turned.convert("RGB"), at, turned.getchannel("A"))


def grain(image: Image.Image, generator: random.Random) -> Image.Image:
    """The softness and the noise of the sensor."""
    soft = image.filter(ImageFilter.GaussianBlur(0.6))
    noise = Image.frombytes("L", soft.size, generator.randbytes(soft.width * soft.height))
    noise = noise.point(lambda value: 124 + value // 32).filter(ImageFilter.GaussianBlur(0.5))
    return ImageChops.add(soft, Image.merge("RGB", (noise,) * 3), offset=-128)
