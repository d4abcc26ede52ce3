//! Findings about the accreditation of time-stamping services. None of them changes a verdict: whether the law takes a time-stamp is
//! another question than whether it holds.

finding_codes! { TABLE:
    TSA_ACCREDITED Info "電帳法規則 2⑥二ロ" {
        en: "The time-stamp counts as statutory: {0} of {1} was accredited at its time ({2}).",
        ja: "法定のタイムスタンプです。{1} の {0} は、この時刻に認定を受けていました ({2})。" }
    TSA_NOT_REGISTERED Warning "電帳法規則 2⑥二ロ" {
        en: "The time-stamp does not count as statutory: its certificate is not in the registry of accredited services.",
        ja: "法定のタイムスタンプではありません。証明書が認定業務の登録簿にありません。" }
    TSA_BEFORE_ACCREDITATION Warning "電帳法規則 2⑥二ロ" {
        en: "The time-stamp does not count as statutory: {0} is accredited from {1}.",
        ja: "法定のタイムスタンプではありません。{0} の認定は {1} からです。" }
    TSA_AFTER_ACCREDITATION Warning "電帳法規則 2⑥二ロ" {
        en: "The time-stamp does not count as statutory: {0} was accredited until {1}.",
        ja: "法定のタイムスタンプではありません。{0} の認定は {1} までです。" }
    TSA_POLICY_NOT_ACCREDITED Warning "電帳法規則 2⑥二ロ" {
        en: "The time-stamp does not count as statutory: the policy {1} is not part of the accreditation of {0}.",
        ja: "法定のタイムスタンプではありません。ポリシー {1} は {0} の認定に含まれません。" }
    TSA_SCHEME_NOT_RECOGNISED Warning "電帳法規則 2⑥二ロ" {
        en: "The time-stamp does not count as statutory: the law did not take the scheme of {0} ({1}) at that time.",
        ja: "法定のタイムスタンプではありません。{0} の認定制度 ({1}) は、その時点の法令で認められていません。" }
    TSA_ACCREDITATION_UNKNOWN Warning "電帳法規則 2⑥二ロ" {
        en: "Whether the time-stamp counts as statutory cannot be told: its certificate or its integrity is not proven.",
        ja: "法定のタイムスタンプかどうか分かりません。証明書または完全性を確認できません。" }
}
