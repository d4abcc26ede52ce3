//! What custodians and tokens are told in Japanese.

use crate::keys::provider::custodians::{SHARE_WORDS, ShareError};
use crate::keys::provider::token::TokenError;

/// What is wrong with a share.
pub(super) fn share(error: &ShareError) -> String {
    match error {
        ShareError::Words { count } => {
            format!("分散片は {SHARE_WORDS} 語ですが、{count} 語でした。用紙と見比べてください")
        }
        ShareError::Unknown { word } => {
            format!("{word} 語目は単語表にありません。用紙と見比べてください")
        }
        ShareError::Mistyped => {
            "この分散片は検査に合いません。誤った語があるか、語が入れ替わっています。用紙と見比べてください".to_owned()
        }
        ShareError::Version => "この分散片の形式を、このプログラムは知りません".to_owned(),
        ShareError::OtherArchive { number, found, expected } => {
            format!("分散片 {number}({found})は別の保管庫のものです。この保管庫には {expected} の分散片が要ります")
        }
        ShareError::OtherCeremony { number, found, expected } => {
            format!("分散片 {number}({found})は別の儀式のもので、何も開けません。{expected} の分散片が要ります")
        }
        ShareError::Twice { number, custodian } => {
            format!("分散片 {number}({custodian})はすでに入力されています")
        }
        ShareError::Wrong { number, custodian } => {
            format!("分散片 {number} は {custodian} のために作られたものではありません。偽造されたか、改められています")
        }
        ShareError::Missing { missing } => format!("分散片があと {missing} 枚要ります"),
        ShareError::DoNotOpen => {
            "分散片は正しいのですが、kek.json が開きません。書き換えられています。鍵媒体の写しから戻してください".to_owned()
        }
        ShareError::Numbers => {
            "儀式で作る分散片は 2 から 16 枚、開くのに要る枚数は 2 からその枚数までです".to_owned()
        }
        ShareError::Names => {
            "分散片一枚につき鍵管理者が一人要ります。枚数と同じ数の、互いに異なる 1 から 64 文字の名前を与えてください".to_owned()
        }
    }
}

/// What is wrong with a token.
pub(super) fn token(error: &TokenError) -> String {
    match error {
        TokenError::Module { path, reason } => format!(
            "PKCS#11 ライブラリ {} を使えません({reason})。トークンのソフトウェアを入れるか、パスを直してください",
            path.display()
        ),
        TokenError::ModuleNotTrusted { path, reason } => {
            format!(
                "PKCS#11 ライブラリ {} は読み込みません({reason})",
                path.display()
            )
        }
        TokenError::Missing { label, serial } if serial.is_empty() => {
            format!("トークン「{label}」がありません。差し込んでください")
        }
        TokenError::Missing { label, serial } => {
            format!("トークン「{label}」(製造番号 {serial})がありません。差し込んでください")
        }
        TokenError::Ambiguous { label } => {
            format!(
                "「{label}」という名のトークンが複数あります。--token-serial で指定するか、ほかを外してください"
            )
        }
        TokenError::WrongPin {
            label,
            nearly_locked: false,
        } => {
            format!("トークン「{label}」の PIN が違います")
        }
        TokenError::WrongPin {
            label,
            nearly_locked: true,
        } => {
            format!(
                "トークン「{label}」の PIN が違います。まもなくロックされます。PIN を確かめてから、もう一度試してください"
            )
        }
        TokenError::PinLocked { label } => {
            format!(
                "トークン「{label}」の PIN は誤入力でロックされています。トークンの管理者(SO)に設定し直してもらってください"
            )
        }
        TokenError::PinNotUsable { label } => {
            format!(
                "トークン「{label}」は、まず PIN の設定か変更を求めています。トークンのソフトウェアで行ってください"
            )
        }
        TokenError::PinNeeded => {
            "鍵暗号鍵はトークンにあります。分散片ではなく PIN を与えてください".to_owned()
        }
        TokenError::KeyMissing { token, key } => {
            format!(
                "トークン「{token}」に鍵「{key}」がありません。それを持つトークンを差し込むか、トークンの控えから戻してください"
            )
        }
        TokenError::KeyExposed { key } => {
            format!("トークンの鍵「{key}」は読み出せる設定です。使いません")
        }
        TokenError::NoCipher { label } => {
            format!(
                "トークン「{label}」は AES-GCM (CKM_AES_GCM) の AES-256 鍵を作れません。鍵暗号鍵を置けません"
            )
        }
        TokenError::Gone { label, code } => {
            format!(
                "トークン「{label}」がなくなりました({code})。差し込んで、もう一度始めてください"
            )
        }
        TokenError::Refused { act, code } => format!("トークンが拒みました({act}): {code}"),
    }
}
