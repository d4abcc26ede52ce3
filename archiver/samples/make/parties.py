"""The fictitious companies of the samples, and the numbers that belong to them."""

from dataclasses import dataclass


def check_digit(base: str) -> int:
    """Check digit of a corporate number: 9 less the weighted digit sum modulo 9, weights 1 and 2 from the right."""
    assert len(base) == 12 and base.isdigit()
    weighted = sum(int(digit) * (1 if place % 2 == 0 else 2) for place, digit in enumerate(reversed(base)))
    return 9 - weighted % 9


@dataclass(frozen=True)
class Company:
    """A company. `base` starts with 9999: no registry office has that number, so no real company can have this one."""

    name: str
    kana: str
    base: str
    postcode: str
    prefecture: str
    city: str
    street: str
    building: str
    representative: str
    telephone: str
    mail: str

    @property
    def corporate_number(self) -> str:
        return f"{check_digit(self.base)}{self.base}"

    @property
    def registration_number(self) -> str:
        return f"T{self.corporate_number}"

    @property
    def address(self) -> str:
        return f"{self.prefecture}{self.city}{self.street}"


# The company that keeps the archive.
OURS = Company(
    name="見本製作所株式会社",
    kana="ミホンセイサクショ",
    base="999901000101",
    postcode="000-0101",
    prefecture="東京都",
    city="見本区",
    street="例町一丁目2番3号",
    building="見本ビル4階",
    representative="代表取締役　見本 一郎",
    telephone="00-0000-0101",
    mail="keiri@mihon.example.co.jp",
)

STATIONER = Company(
    name="株式会社架空事務器商会",
    kana="カクウジムキシヨウカイ",
    base="999901000202",
    postcode="000-0202",
    prefecture="東京都",
    city="架空区",
    street="仮橋二丁目4番6号",
    building="架空第一ビル",
    representative="代表取締役　架空 花子",
    telephone="00-0000-0202",
    mail="seikyu@kakuu.example.co.jp",
)

VENUE = Company(
    name="例示会館株式会社",
    kana="レイジカイカン",
    base="999901000303",
    postcode="000-0303",
    prefecture="神奈川県",
    city="例示市",
    street="港見町5番地",
    building="例示会館",
    representative="代表取締役　例示 次郎",
    telephone="00-0000-0303",
    mail="uketsuke@reiji.example.co.jp",
)

DEVELOPER = Company(
    name="ひな型システム株式会社",
    kana="ヒナガタシステム",
    base="999901000404",
    postcode="000-0404",
    prefecture="大阪府",
    city="雛形市",
    street="型紙三丁目1番1号",
    building="雛形センタービル8階",
    representative="代表取締役　雛形 三郎",
    telephone="00-0000-0404",
    mail="info@hinagata.example.co.jp",
)

SHOP = Company(
    name="文具のおてほん 見本駅前店",
    kana="ブングノオテホン",
    base="999901000505",
    postcode="000-0101",
    prefecture="東京都",
    city="見本区",
    street="駅前1-1",
    building="",
    representative="",
    telephone="00-0000-0505",
    mail="",
)
