//! What can be done, each with a code for programs and a title for people.

use crate::cli::lang::Lang;

macro_rules! acts {
    ($($name:ident $code:literal $ja:literal $en:literal),* $(,)?) => {
        /// What somebody did, or tried to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Act {
            $(#[doc = $en] $name,)*
        }

        impl Act {
            /// All of them, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its code: what stands in the trail.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// Its name for people.
            #[must_use]
            pub fn title(self, lang: Lang) -> &'static str {
                match self {
                    $(Self::$name => lang.pick($ja, $en),)*
                }
            }
        }
    };
}

acts! {
    SessionBegin "session.begin" "ログイン" "Log-in",
    SessionRefuse "session.refuse" "ログイン失敗" "Failed log-in",
    SessionEnd "session.end" "ログアウト" "Log-out",
    PasswordChange "password.change" "パスワード変更" "Change of password",
    AuthenticatorSet "authenticator.set" "認証アプリの登録" "Authenticator set up",
    RecordDeposit "record.deposit" "預入" "Deposit",
    UploadBegin "upload.begin" "分割送信の開始" "Upload in parts begun",
    UploadAbandon "upload.abandon" "分割送信の取り消し" "Upload in parts given up",
    RecordSearch "record.search" "検索" "Search",
    RecordRead "record.read" "記録の表示" "Record shown",
    RecordRetrieve "record.retrieve" "内容の取り出し" "Content fetched",
    RecordVerify "record.verify" "検証" "Verification",
    EvidenceExport "evidence.export" "証拠パッケージの取り出し" "Evidence handed over",
    ReceiptRetrieve "receipt.retrieve" "受領証の取り出し" "Receipt fetched",
    SearchRetrieve "search.retrieve" "検索結果の内容の一括取り出し" "All contents of a search fetched",
    PackageJudge "package.judge" "証拠パッケージの検証" "Evidence package judged",
    QuarantineRead "quarantine.read" "隔離の表示" "Quarantine shown",
    QuarantineRequest "quarantine.request" "隔離解除の申請" "Release from quarantine asked for",
    QuarantineRelease "quarantine.release" "隔離解除の承認" "Released from quarantine",
    QuarantineRefuse "quarantine.refuse" "隔離解除の申請の却下" "Release from quarantine refused or withdrawn",
    SearchKeep "search.keep" "検索条件の保存" "Search kept",
    SearchDrop "search.drop" "保存した検索条件の削除" "Kept search dropped",
    SearchExport "search.export" "検索結果の書き出し" "Search results exported",
    JobStamp "job.stamp" "タイムスタンプ付与の指示" "Stamping ordered",
    JobRenew "job.renew" "証拠更新の指示" "Renewal ordered",
    ApprovalsRead "approvals.read" "承認待ちの表示" "What waits for approval shown",
    PeopleRead "people.read" "アカウントの表示" "Accounts shown",
    PeopleRequest "people.request" "アカウントの申請" "Account asked for",
    PeopleApprove "people.approve" "アカウントの承認" "Account approved",
    PeopleRefuse "people.refuse" "申請の却下" "Request refused",
    PeopleSuspend "people.suspend" "アカウントの停止" "Account suspended",
    PeopleResume "people.resume" "アカウントの再開" "Account resumed",
    PeopleClose "people.close" "アカウントの終了" "Account closed",
    PeopleReview "people.review" "アカウントの棚卸し" "Accounts reviewed",
    PeopleExport "people.export" "アカウント一覧の書き出し" "List of accounts exported",
    PeopleReset "people.reset" "認証情報の再発行" "First password issued anew",
    MediaRead "media.read" "媒体台帳の表示" "Media ledger shown",
    MediaChange "media.change" "媒体の変更" "Medium changed",
    KeysRead "keys.read" "鍵目録の表示" "Key inventory shown",
    KeysChange "keys.change" "鍵の変更" "Keys changed",
    SystemRead "system.read" "システム状態の表示" "System state shown",
    SystemChange "system.change" "設定の変更" "Settings changed",
    AuditRead "audit.read" "監査証跡の表示" "Audit trail shown",
    AuditClose "audit.close" "監査証跡の日次締め" "Day of the audit trail closed",
    AuditExport "audit.export" "監査証跡の書き出し" "Audit trail exported",
    AlarmRaise "alarm.raise" "警報の発生" "Alarm raised",
    AlarmSolve "alarm.solve" "警報の解消" "Alarm over",
    EventRead "event.read" "事象の表示" "Events shown",
    EventAnswer "event.answer" "事象への対応の記入" "Answer to events",
    JournalRead "journal.read" "運用日誌の表示" "Operation journal shown",
    JournalNote "journal.note" "運用日誌への記入" "Note in the operation journal",
    JournalClose "journal.close" "運用日誌の日次締め" "Day of the operation journal closed",
    JournalConfirm "journal.confirm" "運用日誌の確認" "Operation journal confirmed",
    JournalInspect "journal.inspect" "運用日誌の検査" "Operation journal inspected",
    ReportMake "report.make" "月次分析の作成" "Monthly analysis made",
    ServiceStart "service.start" "サービス開始" "Service started",
    ServiceStop "service.stop" "サービス停止" "Service stopped",
    ApiDenied "api.denied" "権限のない操作" "Refused for want of a right",
}

impl Act {
    /// The act of a code; `None` for one of another version of the program.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|act| act.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_are_read_back() {
        let codes: BTreeSet<&str> = Act::ALL.iter().map(|act| act.code()).collect();
        assert_eq!(codes.len(), Act::ALL.len());
        for act in Act::ALL {
            assert_eq!(Act::from_code(act.code()), Some(*act));
            assert!(!act.title(Lang::Ja).is_ascii() && act.title(Lang::En).is_ascii());
        }
        assert_eq!(Act::from_code("record.forget"), None);
    }
}
