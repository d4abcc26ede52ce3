"""A JP PINT invoice: UBL 2.1 as the Peppol specification for Japan wants it, with both rates of the consumption tax."""

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from parties import OURS, STATIONER, Company


@dataclass(frozen=True)
class Line:
    name: str
    quantity: int
    unit: str
    price: int
    rate: int

    @property
    def amount(self) -> int:
        return self.quantity * self.price


LINES = [
    Line("複合機用トナーカートリッジ 黒", 4, "本", 12_800, 10),
    Line("コピー用紙 A4 2,500枚", 10, "箱", 2_480, 10),
    Line("会議用飲料水 500ml 24本入 ※", 6, "箱", 1_980, 8),
    Line("来客用緑茶 ティーバッグ 50袋入 ※", 5, "箱", 756, 8),
]

# Codes of UNCL 5305 that JP PINT uses: standard rate and lower rate (軽減税率).
CATEGORY = {10: "S", 8: "AA"}

NUMBER = "KJ-2026-1031"


def taxable(rate: int) -> int:
    return sum(line.amount for line in LINES if line.rate == rate)


def tax(rate: int) -> int:
    """Rounded down, once for each rate, as the qualified invoice system wants it."""
    return taxable(rate) * rate // 100


def category(element: str, rate: int) -> str:
    return (
        f"<cac:{element}><cbc:ID>{CATEGORY[rate]}</cbc:ID><cbc:Percent>{rate}</cbc:Percent>"
        f"<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:{element}>"
    )


def party(element: str, company: Company) -> str:
    return f"""
  <cac:{element}>
    <cac:Party>
      <cbc:EndpointID schemeID="0188">{company.corporate_number}</cbc:EndpointID>
      <cac:PartyName>
        <cbc:Name>{escape(company.name)}</cbc:Name>
      </cac:PartyName>
      <cac:PostalAddress>
        <cbc:StreetName>{escape(company.street)}</cbc:StreetName>
        <cbc:AdditionalStreetName>{escape(company.building)}</cbc:AdditionalStreetName>
        <cbc:CityName>{escape(company.city)}</cbc:CityName>
        <cbc:PostalZone>{company.postcode.replace("-", "")}</cbc:PostalZone>
        <cbc:CountrySubentity>{escape(company.prefecture)}</cbc:CountrySubentity>
        <cac:Country>
          <cbc:IdentificationCode>JP</cbc:IdentificationCode>
        </cac:Country>
      </cac:PostalAddress>
      <cac:PartyTaxScheme>
        <cbc:CompanyID>{company.registration_number}</cbc:CompanyID>
        <cac:TaxScheme>
          <cbc:ID>VAT</cbc:ID>
        </cac:TaxScheme>
      </cac:PartyTaxScheme>
      <cac:PartyLegalEntity>
        <cbc:RegistrationName>{escape(company.name)}</cbc:RegistrationName>
        <cbc:CompanyID schemeID="0188">{company.corporate_number}</cbc:CompanyID>
      </cac:PartyLegalEntity>
      <cac:Contact>
        <cbc:Telephone>{company.telephone}</cbc:Telephone>
        <cbc:ElectronicMail>{company.mail}</cbc:ElectronicMail>
      </cac:Contact>
    </cac:Party>
  </cac:{element}>"""


def subtotal(rate: int) -> str:
    return f"""
    <cac:TaxSubtotal>
      <cbc:TaxableAmount currencyID="JPY">{taxable(rate)}</cbc:TaxableAmount>
      <cbc:TaxAmount currencyID="JPY">{tax(rate)}</cbc:TaxAmount>
      {category("TaxCategory", rate)}
    </cac:TaxSubtotal>"""


def invoice_line(number: int, line: Line) -> str:
    return f"""
  <cac:InvoiceLine>
    <cbc:ID>{number}</cbc:ID>
    <cbc:InvoicedQuantity unitCode="H87">{line.quantity}</cbc:InvoicedQuantity>
    <cbc:LineExtensionAmount currencyID="JPY">{line.amount}</cbc:LineExtensionAmount>
    <cac:Item>
      <cbc:Name>{escape(line.name)}</cbc:Name>
      {category("ClassifiedTaxCategory", line.rate)}
      <cac:AdditionalItemProperty>
        <cbc:Name>表示単位名称</cbc:Name>
        <cbc:Value>{line.unit}</cbc:Value>
      </cac:AdditionalItemProperty>
    </cac:Item>
    <cac:Price>
      <cbc:PriceAmount currencyID="JPY">{line.price}</cbc:PriceAmount>
      <cbc:BaseQuantity unitCode="H87">1</cbc:BaseQuantity>
    </cac:Price>
  </cac:InvoiceLine>"""


def document() -> str:
    net = sum(line.amount for line in LINES)
    total_tax = tax(10) + tax(8)
    lines = "".join(invoice_line(number, line) for number, line in enumerate(LINES, 1))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
         xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
         xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:CustomizationID>urn:peppol:pint:billing-1@jp-1</cbc:CustomizationID>
  <cbc:ProfileID>urn:peppol:bis:billing</cbc:ProfileID>
  <cbc:ID>{NUMBER}</cbc:ID>
  <cbc:IssueDate>2026-10-31</cbc:IssueDate>
  <cbc:DueDate>2026-11-30</cbc:DueDate>
  <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
  <cbc:Note>※は軽減税率（8％）対象品目です。架空の請求書見本です。</cbc:Note>
  <cbc:DocumentCurrencyCode>JPY</cbc:DocumentCurrencyCode>
  <cac:InvoicePeriod>
    <cbc:StartDate>2026-10-01</cbc:StartDate>
    <cbc:EndDate>2026-10-31</cbc:EndDate>
  </cac:InvoicePeriod>
  <cac:OrderReference>
    <cbc:ID>PO-2026-0987</cbc:ID>
  </cac:OrderReference>{party("AccountingSupplierParty", STATIONER)}{party("AccountingCustomerParty", OURS)}
  <cac:PaymentMeans>
    <cbc:PaymentMeansCode name="Credit transfer">30</cbc:PaymentMeansCode>
    <cac:PayeeFinancialAccount>
      <cbc:ID>0000:000:1:0000202</cbc:ID>
      <cbc:Name>ｶ){to_half_width(STATIONER.kana)}</cbc:Name>
    </cac:PayeeFinancialAccount>
  </cac:PaymentMeans>
  <cac:PaymentTerms>
    <cbc:Note>月末締め翌月末払い</cbc:Note>
  </cac:PaymentTerms>
  <cac:TaxTotal>
    <cbc:TaxAmount currencyID="JPY">{total_tax}</cbc:TaxAmount>{subtotal(10)}{subtotal(8)}
  </cac:TaxTotal>
  <cac:LegalMonetaryTotal>
    <cbc:LineExtensionAmount currencyID="JPY">{net}</cbc:LineExtensionAmount>
    <cbc:TaxExclusiveAmount currencyID="JPY">{net}</cbc:TaxExclusiveAmount>
    <cbc:TaxInclusiveAmount currencyID="JPY">{net + total_tax}</cbc:TaxInclusiveAmount>
    <cbc:PayableAmount currencyID="JPY">{net + total_tax}</cbc:PayableAmount>
  </cac:LegalMonetaryTotal>{lines}
</Invoice>
"""


def to_half_width(kana: str) -> str:
    """Half-width katakana, as bank accounts are written."""
    full = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンー"
    half = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｰ"
    voiced = str.maketrans({"ガ": "カﾞ", "ギ": "キﾞ", "グ": "クﾞ", "ジ": "シﾞ", "ダ": "タﾞ", "ブ": "フﾞ"})
    return kana.translate(voiced).translate(str.maketrans(full, half))


def write(folder: Path) -> None:
    (folder / "invoice-jp-pint.xml").write_text(document(), encoding="utf-8", newline="\n")
