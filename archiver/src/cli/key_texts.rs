//! What is said of keys, shares and tokens in Japanese.

use super::output::day;
use crate::keys::KeyError;
use crate::keys::provider::custodians::{SHARE_WORDS, ShareError, ShareKind};
use crate::keys::provider::token::TokenError;

/// What is wrong with keys. Every error has its text: a new one does not compile without.
#[allow(clippy::too_many_lines, reason = "one arm per variant")]
pub(crate) fn key(error: &KeyError) -> String {
    match error {
        KeyError::MediumMissing { path } => format!(
            "鍵媒体が {} にありません。接続してマウントするか、設定のパスを直してください",
            path.display()
        ),
        KeyError::WrongPassphrase => "パスフレーズが違います。もう一度確かめてください".to_owned(),
        KeyError::Damaged { path, part } => format!(
            "{} が壊れています({})。鍵媒体の写しから戻してください",
            path.display(),
            part_of_file(part)
        ),
        KeyError::UnsupportedFormat { path } => format!(
            "{} の形式を、このプログラムは知りません。新しいプログラムを使ってください",
            path.display()
        ),
        KeyError::OtherArchive { path, expected, found } => format!(
            "{} の鍵媒体は別の保管庫 {found} のものです({expected} のものではありません)。正しい媒体を接続してください",
            path.display()
        ),
        KeyError::NotAKeyMedium { path } => format!(
            "{} はデータ媒体のラベルです。鍵媒体を接続するか、パスを直してください",
            path.display()
        ),
        KeyError::AlreadyCreated { path } => format!(
            "{} はすでにあります。鍵媒体は上書きしません。空のフォルダを指定してください",
            path.display()
        ),
        KeyError::InUse { path } => format!(
            "{} には別のプロセスが書き込んでいます。終わるのを待つか、終わらせてください",
            path.display()
        ),
        KeyError::UnknownEpoch { epoch } => format!(
            "この鍵媒体には世代 {epoch} の鍵暗号鍵がありません。それを持つ鍵媒体を接続してください"
        ),
        KeyError::EpochInUse { epoch } => format!(
            "鍵暗号鍵の世代 {epoch} は使用中です。廃棄する前に鍵を交替してください"
        ),
        KeyError::KeyMissing { owner, damaged_entries: 0 } => format!(
            "鍵台帳に {owner} の鍵がありません。廃棄されたか、受領を返していないものです"
        ),
        KeyError::KeyMissing { owner, damaged_entries } => format!(
            "鍵台帳に読める {owner} の鍵がなく、壊れた項目が {damaged_entries} 件あります。鍵媒体の写しから戻してください"
        ),
        KeyError::KeyDestroyed { owner, at } => format!(
            "{owner} の鍵は {} に廃棄されました。内容は戻りません",
            day(*at)
        ),
        KeyError::CopiesMissing { missing, copies_min } => {
            let missing: Vec<String> = missing.iter().map(|one| one.display().to_string()).collect();
            format!(
                "鍵媒体が {copies_min} 個要りますが、{} がありません。接続するか、失ったものは archiver keys copy で作り直してください",
                missing.join("、")
            )
        }
        KeyError::CopiesDiverge { path, keys } => format!(
            "{} の鍵媒体とほかの写しが食い違っています(そこにしかない鍵 {keys} 個)。どちらが正しいかを確かめ、もう一方を archiver keys copy で作り直してください",
            path.display()
        ),
        KeyError::DestructionsUnknown { path, keys } => format!(
            "鍵媒体 {} は、ほかの媒体にまだある鍵 {keys} 個の廃棄を知っているので、上書きしません。この媒体からほかの媒体を作り直してください",
            path.display()
        ),
        KeyError::KeysDiverge { one, other } => format!(
            "{} と {} は別々に使われ、違う鍵暗号鍵を持っています。何も書いていません。どちらか一方だけを接続し、もう一方は残しておいてください。それと預け入れたものの鍵がそこにしかないおそれがあります",
            one.display(),
            other.display()
        ),
        KeyError::KeyDamaged { owner } => format!(
            "{owner} の鍵が壊れています。鍵台帳を鍵媒体の写しから戻してください"
        ),
        KeyError::EntriesDamaged { path, entries } => format!(
            "鍵媒体 {} の鍵台帳に壊れた項目が {entries} 件あり、接続されているどの鍵媒体でも開けません。このまま進めると永久に失われるので、何も変えていません。先に、壊れていない写しを接続するか、それからこの鍵媒体を archiver keys copy で作り直してください。諦めるなら --give-up-damaged を付けてください",
            path.display()
        ),
        KeyError::MediumUnlisted { medium } => format!(
            "媒体 {medium} は一覧にありません。archiver keys inventory で確かめてください"
        ),
        KeyError::MediumStillThere { path } => format!(
            "その媒体は {} にまだあります。先に廃棄してください",
            path.display()
        ),
        KeyError::AlreadyHasKey { owner } => format!("{owner} にはすでに鍵があります"),
        KeyError::SecretDamaged { label } => format!(
            "封じた秘密({label})が壊れています。鍵媒体の写しから戻してください"
        ),
        KeyError::CustodyDiverges(one) => format!(
            "{} を封じているのは {}{}、もう一つの鍵媒体を封じているのは {} です。別々に変えられたので、揃えると一方が他方を戻してしまいます。何も変えていません。それぞれいつ定めたかは archiver keys inventory に出ます。正しい方だけを接続し、他方を archiver keys copy --replace で作り直してください",
            one.path.display(),
            one.sealed_by,
            if one.is_newer { "(新しい方)" } else { "" },
            one.kept
        ),
        KeyError::Share(error) => share(error),
        KeyError::Token(error) => token(error),
        KeyError::ProvidersDiffer { one, other } => format!(
            "{} と {} は種類の違う鍵媒体のもので、一方が他方を上書きしてはなりません。この保管庫のものでない方を外すか、key_copies から除いてください",
            one.display(),
            other.display()
        ),
        KeyError::WriteOnly => "預入専用の鍵媒体です。預け入れるだけで、読むことはできません。保管庫の鍵媒体を使ってください".to_owned(),
        KeyError::IntakeFull => "預入専用の鍵媒体がいっぱいです。保管庫で引き取ってから(archiver keys intake accept)、作り直してください".to_owned(),
        KeyError::NotAnIntake { path } => format!(
            "{} は、この保管庫の預入専用の鍵媒体のものではありません",
            path.display()
        ),
        KeyError::NoCustodians => "この鍵媒体は分散片ではなくパスフレーズで開きます。パスフレーズを与えてください".to_owned(),
        KeyError::HeldKeyStale => "保持している鍵ではこの鍵媒体を開けません。パスフレーズか鍵管理者が変わりました。もう一度 archiver keys unlock を実行してください".to_owned(),
        KeyError::KeyDerivation => "鍵の導出の設定が受け入れられません。kek.json を鍵媒体の写しから戻してください".to_owned(),
        KeyError::TwoPeople => "廃棄には二人が要ります。行う人(--by)と、承認した別の人(--approved-by)を指定してください".to_owned(),
        KeyError::TooMany { max } => format!("一度に廃棄できるのは {max} 版までです。分けて行ってください"),
        KeyError::CopiesOnOneDevice { one, other } => format!(
            "鍵媒体 {} と {} が同じ装置にあります。写しには別の装置を使うか、試用なら --evaluation を付けてください",
            one.display(),
            other.display()
        ),
        KeyError::ReadOnly => "鍵台帳は読み取り専用で開かれています".to_owned(),
        KeyError::Stopped => "鍵媒体への前の書き込みが失敗しています。原因を取り除いて、もう一度始めてください".to_owned(),
        KeyError::SameDevice { keys, data } => format!(
            "鍵媒体 {} とデータ媒体 {} が同じ装置にあります。別の装置を使うか、試用なら --evaluation を付けてください",
            keys.display(),
            data.display()
        ),
        KeyError::PassphraseMissing => "パスフレーズがありません。--passphrase-file かクレデンシャル fumikura-passphrase で与えるか、入力してください".to_owned(),
        KeyError::PassphraseTooLong => "パスフレーズが長すぎます。1024 バイトまでです".to_owned(),
        KeyError::PassphrasesDiffer => "二度入力されたパスフレーズが違います。もう一度入力してください".to_owned(),
        KeyError::Full { path } => format!(
            "鍵媒体がいっぱいで、{} に書けません。空きを作ってください",
            path.display()
        ),
        KeyError::Io { path, act, source } => {
            format!("{}: {}({source})", path.display(), failed_act(act))
        }
        KeyError::Entropy(source) => format!("乱数源が使えません({source})"),
        KeyError::Media(source) => format!("装置を調べられません({source})"),
    }
}

fn part_of_file(part: &str) -> &str {
    match part {
        "checksum" => "検査値",
        "host key" => "機械の鍵",
        "label" => "ラベル",
        "public key" => "公開鍵",
        "salt" => "ソルト",
        "the file is missing" => "ファイルがありません",
        other => other,
    }
}

fn failed_act(act: &str) -> &str {
    match act {
        "read" | "read again" | "read the share" | "read the passphrase" | "read the directory" => {
            "読めません"
        }
        "read the sheet back" => "用紙を読み返せません",
        "write" | "prepare for writing" | "synchronise" | "overwrite" => "書けません",
        "write sheets" | "write the sheet" => "用紙を書けません",
        "make the directory" => "フォルダを作れません",
        "lock" => "ロックできません",
        "listen" => "ソケットで待てません",
        "find" => "見つかりません",
        "ask for the held key" | "ask to forget the held key" => "鍵を保持するプロセスと話せません",
        "open the terminal" | "show the sheet" | "ask" | "clear the screen" => "端末を使えません",
        "ask for a share" | "ask for the passphrase" => "入力を受け取れません",
        other => other,
    }
}

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
        ShareError::OtherKind { number, found, expected: ShareKind::Keys } => {
            format!("分散片 {number}({found})はバックアップのもので、鍵媒体は開けません。鍵媒体の分散片が要ります")
        }
        ShareError::OtherKind { number, found, expected: ShareKind::Backups } => {
            format!("分散片 {number}({found})は鍵媒体のもので、バックアップは開けません。バックアップの分散片が要ります")
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
        ShareError::BackupDoesNotOpen => {
            "分散片は正しいのですが、このバックアップは開きません。書き換えられています。別の世代か写しを使ってください".to_owned()
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
#[allow(clippy::too_many_lines, reason = "one arm per variant")]
pub(super) fn token(error: &TokenError) -> String {
    match error {
        TokenError::Module { path, reason } => format!(
            "PKCS#11 ライブラリ {} を使えません({reason})。トークンのソフトウェアを入れるか、パスを直してください",
            path.display()
        ),
        TokenError::ModuleNotTrusted { path, reason } => {
            format!(
                "PKCS#11 ライブラリ {} は読み込みません({})",
                path.display(),
                distrust(reason)
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
        TokenError::Refused { act, code } => {
            format!("トークンが拒みました({}): {code}", refused_act(act))
        }
    }
}

fn distrust(reason: &str) -> &str {
    match reason {
        "its path is not absolute" => "絶対パスではありません",
        "it stands on the key medium" => "鍵媒体の上にあります",
        "it, or its folder, belongs to another user" => "本体かフォルダが別の利用者のものです",
        "it, or its folder, can be written by others" => {
            "本体かフォルダにほかの利用者が書き込めます"
        }
        other => other,
    }
}

fn refused_act(act: &str) -> &str {
    match act {
        "accept the PIN" => "PIN の受け付け",
        "describe a key" => "鍵の属性",
        "destroy a key" => "鍵の廃棄",
        "keep a key" => "鍵の保管",
        "list the slots" => "スロットの一覧",
        "list what it can do" => "機能の一覧",
        "look for a key" => "鍵の検索",
        "make a key" => "鍵の生成",
        "open a session" => "セッションの開始",
        "unwrap a key" => "鍵を開くこと",
        "wrap a key" => "鍵を包むこと",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use super::*;

    fn is_japanese(text: &str) -> bool {
        text.chars().any(|one| ('ぁ'..='ヿ').contains(&one))
    }

    #[test]
    fn errors_of_keys_are_told_in_japanese_with_what_they_are_about() {
        let path = || PathBuf::from("/media/keys/kek.json");
        let io = |act| KeyError::io(path(), act, io::ErrorKind::PermissionDenied.into());
        let mut errors = vec![
            KeyError::Damaged {
                path: path(),
                part: "checksum",
            },
            KeyError::NotAnIntake { path: path() },
            KeyError::EntriesDamaged {
                path: path(),
                entries: 1,
            },
            KeyError::AlreadyCreated { path: path() },
            KeyError::CopiesMissing {
                missing: vec![path()],
                copies_min: 2,
            },
            KeyError::ProvidersDiffer {
                one: path(),
                other: PathBuf::from("/media/copy/kek.json"),
            },
        ];
        errors.extend(["read", "write", "make the directory", "lock", "listen"].map(io));
        for error in errors {
            let text = key(&error);
            assert!(is_japanese(&text) && text.contains("/media/keys"), "{text}");
        }
        for error in [
            KeyError::IntakeFull,
            KeyError::TwoPeople,
            KeyError::ReadOnly,
        ] {
            assert!(is_japanese(&key(&error)));
        }
        // What the library says of itself and its acts is not left in English either.
        let refused = TokenError::Refused {
            act: "destroy a key",
            code: "DeviceError".to_owned(),
        };
        assert_eq!(
            token(&refused),
            "トークンが拒みました(鍵の廃棄): DeviceError"
        );
        let distrusted = TokenError::ModuleNotTrusted {
            path: PathBuf::from("lib.so"),
            reason: "its path is not absolute",
        };
        assert!(!token(&distrusted).contains("absolute"));
    }
}
