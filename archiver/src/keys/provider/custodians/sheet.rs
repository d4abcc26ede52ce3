//! The sheet of one custodian: text for a terminal or a plain file, and a page to be printed.

use formats::id::ArchiveId;
use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};
use time::OffsetDateTime;
use time::macros::{format_description, offset};
use zeroize::Zeroizing;

use super::share::{SHARE_BEGIN, SHARE_END};
use super::{Held, Share, ShareKind};

/// The language of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SheetLanguage {
    /// 日本語.
    Japanese,
    /// English.
    English,
}

/// All that stands on the sheet of one custodian.
#[derive(Debug)]
pub struct Sheet<'a> {
    archive: ArchiveId,
    epoch: u32,
    held_at: OffsetDateTime,
    custodian: &'a str,
    share: &'a Share,
    shares: usize,
}

impl<'a> Sheet<'a> {
    /// The sheets of a ceremony, in the order of the custodians; `epoch` is the current epoch of the key-encryption key.
    pub fn all(archive: ArchiveId, epoch: u32, held: &'a Held) -> impl Iterator<Item = Self> {
        let pairs = held.ceremony.custodians.iter().zip(&held.shares);
        pairs.map(move |(custodian, share)| Self {
            archive,
            epoch,
            held_at: held.ceremony.held_at,
            custodian: &custodian.name,
            share,
            shares: held.shares.len(),
        })
    }

    /// Whose sheet it is.
    #[must_use]
    pub const fn custodian(&self) -> &str {
        self.custodian
    }

    /// The number of the share.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.share.number()
    }

    /// The sheet as text, with the QR code in half blocks; `None` when no QR code can be made.
    #[must_use]
    pub fn text(&self, language: SheetLanguage) -> Option<Zeroizing<String>> {
        let code = Zeroizing::new(
            self.code()?
                .render::<unicode::Dense1x2>()
                .dark_color(unicode::Dense1x2::Dark)
                .light_color(unicode::Dense1x2::Light)
                .build(),
        );
        let mut text = Zeroizing::new(String::with_capacity(SHEET_TEXT_BYTES));
        text.push_str(self.words(language).title);
        text.push_str("\n\n");
        for (name, value) in self.facts(language) {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text.push('\n');
        text.push_str(SHARE_BEGIN);
        text.push('\n');
        self.numbered(&mut text);
        text.push_str(SHARE_END);
        text.push_str("\n\n");
        text.push_str(&code);
        text.push_str("\n\n");
        for line in self.words(language).advice {
            text.push_str(&format!("- {line}\n"));
        }
        Some(text)
    }

    /// The sheet as a page of HTML that needs nothing else, for one side of A4; `None` when no QR code can be made.
    #[must_use]
    pub fn html(&self, language: SheetLanguage) -> Option<Zeroizing<String>> {
        let code = Zeroizing::new(
            self.code()?
                .render::<svg::Color<'_>>()
                .min_dimensions(240, 240)
                .build(),
        );
        // The declaration of an XML file has no place inside a page.
        let image = code.find("<svg").and_then(|at| code.get(at..))?;
        let texts = self.words(language);
        let mut page = Zeroizing::new(String::with_capacity(SHEET_PAGE_BYTES));
        page.push_str(&format!(
            "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}</style></head>\n<body>\n<h1>{}</h1>\n<table>\n",
            texts.code, texts.title, texts.title
        ));
        for (name, value) in self.facts(language) {
            let value = escaped(&value);
            page.push_str(&format!("<tr><th>{name}</th><td>{value}</td></tr>\n"));
        }
        page.push_str("</table>\n<ol>\n");
        let share = self.share.words();
        for word in share.split(' ') {
            page.push_str("<li>");
            page.push_str(word);
            page.push_str("</li>\n");
        }
        page.push_str("</ol>\n<div class=\"code\">");
        page.push_str(image);
        page.push_str("</div>\n<ul>\n");
        for line in texts.advice {
            page.push_str(&format!("<li>{line}</li>\n"));
        }
        page.push_str("</ul>\n</body>\n</html>\n");
        Some(page)
    }

    const fn words(&self, language: SheetLanguage) -> Words {
        let words = words(language);
        match self.share.kind() {
            ShareKind::Keys => words,
            ShareKind::Backups => for_backups(words, language),
        }
    }

    /// The code holds the words in capitals, which the alphanumeric mode of ISO/IEC 18004 takes in 5.5 bits each.
    fn code(&self) -> Option<QrCode> {
        let words = self.share.words();
        let capitals = Zeroizing::new(words.to_ascii_uppercase());
        QrCode::with_error_correction_level(capitals.as_bytes(), EcLevel::M).ok()
    }

    fn facts(&self, language: SheetLanguage) -> [(&'static str, String); 7] {
        let [custodian, archive, number, epoch, date, origin, check] = self.words(language).facts;
        let threshold = self.share.threshold();
        let shares = self.shares;
        let numbered = match language {
            SheetLanguage::Japanese => {
                format!(
                    "{} / {shares}(どれか {threshold} 枚で開きます)",
                    self.number()
                )
            }
            SheetLanguage::English => {
                format!(
                    "{} of {shares} (any {threshold} of them unlock)",
                    self.number()
                )
            }
        };
        [
            (custodian, self.custodian.to_owned()),
            (archive, self.archive.to_string()),
            (number, numbered),
            (epoch, self.epoch.to_string()),
            (date, moment(self.held_at)),
            (origin, self.share.origin().to_string()),
            (check, self.share.check_digits()),
        ]
    }

    fn numbered(&self, text: &mut String) {
        let words = self.share.words();
        for (place, word) in (1_usize..).zip(words.split(' ')) {
            text.push_str(&format!("{place:>2}. "));
            text.push_str(word);
            let end = place % WORDS_IN_A_LINE == 0;
            let padding = WORD_COLUMN.saturating_sub(word.len());
            text.push_str(if end {
                "\n"
            } else {
                SPACES.get(..padding).unwrap_or_default()
            });
        }
    }
}

/// The texts of a sheet.
struct Words {
    code: &'static str,
    title: &'static str,
    facts: [&'static str; 7],
    advice: [&'static str; 4],
}

const fn words(language: SheetLanguage) -> Words {
    match language {
        SheetLanguage::Japanese => Words {
            code: "ja",
            title: "文蔵(Fumikura) 鍵の分散片",
            facts: [
                "鍵管理者",
                "保管庫",
                "分散片の番号",
                "鍵の世代",
                "作成日時",
                "儀式の符号",
                "検査数字",
            ],
            advice: [
                "この用紙の三十二語が秘密です。ほかの人に見せず、写真に撮らず、封をして保管してください。",
                "使うとき: archiver keys unlock に三十二語を入力するか、QR コードを読み取ります。四文字目までで足ります。",
                "用紙を失くした、または人に見られたときは、すぐに鍵管理の責任者に知らせてください。新しい儀式の後、この用紙は何も開けません。",
                "保管場所を鍵管理簿に記し、定めた時期に archiver keys share で点検してください。",
            ],
        },
        SheetLanguage::English => Words {
            code: "en",
            title: "Fumikura key share",
            facts: [
                "Custodian",
                "Archive",
                "Share",
                "Key epoch",
                "Made",
                "Ceremony code",
                "Check digits",
            ],
            advice: [
                "The 32 words on this sheet are the secret. Show them to nobody, take no photograph, keep the sheet sealed.",
                "To use it: type the 32 words at 'archiver keys unlock', or scan the QR code. The first four letters of each word are enough.",
                "If the sheet is lost or was seen, tell the person responsible for the keys at once. After a new ceremony this sheet opens nothing.",
                "Write down in the register of keys where it is kept, and check it at the set times with 'archiver keys share'.",
            ],
        },
    }
}

/// The same on the sheet of a share that opens backups.
const fn for_backups(words: Words, language: SheetLanguage) -> Words {
    let [secret, ..] = words.advice;
    let [custodian, archive, number, _, date, origin, check] = words.facts;
    let (title, epoch, using, lost, keeping) = match language {
        SheetLanguage::Japanese => (
            "文蔵(Fumikura) バックアップの分散片",
            "バックアップの鍵",
            "使うとき: archiver restore に三十二語を入力するか、QR コードを読み取ります。四文字目までで足ります。鍵媒体はこの用紙では開きません。",
            "用紙を失くした、または人に見られたときは、すぐに鍵管理の責任者に知らせてください。新しい儀式の後も、それまでのバックアップはこの用紙で開きます。",
            "保管場所を鍵管理簿に記し、定めた時期に復元訓練で点検してください。",
        ),
        SheetLanguage::English => (
            "Fumikura backup share",
            "Backup key",
            "To use it: type the 32 words at 'archiver restore', or scan the QR code. The first four letters of each word are enough. It does not open the key medium.",
            "If the sheet is lost or was seen, tell the person responsible for the keys at once. After a new ceremony this sheet still opens the backups made before.",
            "Write down in the register of keys where it is kept, and check it at the set times with a restore drill.",
        ),
    };
    Words {
        code: words.code,
        title,
        facts: [custodian, archive, number, epoch, date, origin, check],
        advice: [secret, using, lost, keeping],
    }
}

/// The time in Japan and in UTC.
fn moment(time: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let japan = time
        .to_offset(offset!(+9))
        .format(&form)
        .unwrap_or_default();
    let utc = time
        .to_offset(offset!(UTC))
        .format(&form)
        .unwrap_or_default();
    format!("{japan} JST ({utc} UTC)")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

const STYLE: &str = "@page{size:A4;margin:18mm}body{font:11pt/1.5 sans-serif;max-width:170mm;margin:auto}h1{font-size:16pt}\
th{text-align:left;padding-right:6mm;font-weight:normal;color:#444}ol{columns:4;font:12pt/1.9 monospace;border:1px solid #000;\
padding:4mm 4mm 4mm 12mm}.code{text-align:center}.code svg{width:55mm;height:55mm}";
const WORDS_IN_A_LINE: usize = 4;
/// The longest words of the list have eight letters.
const WORD_COLUMN: usize = 10;
const SPACES: &str = "          ";
/// Room for a whole sheet, so that a growing text leaves no copies behind.
const SHEET_TEXT_BYTES: usize = 16 * 1024;
const SHEET_PAGE_BYTES: usize = 256 * 1024;
