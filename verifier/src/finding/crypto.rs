//! Findings about algorithms and their end (EN 319 102-1 §5.2.8).

finding_codes! { TABLE:
    ALGORITHM_NOT_TRUSTED Error "EN 319 102-1 §5.2.8" {
        en: "{0} is trusted until {1} only, but what it protects is only proven to exist at {2} (source: {3}).",
        ja: "{0} が信頼されるのは {1} までですが、保護対象の存在は {2} の時点でしか証明できません (出典: {3})。" }
    ALGORITHM_NOT_LISTED Error "EN 319 102-1 §5.2.8" {
        en: "The policy says nothing about {0}, so it is not trusted.",
        ja: "検証ポリシーに {0} の記載がないため、信頼できません。" }
    ALGORITHM_ENDS Info "EN 319 102-1 §5.2.8" {
        en: "{0} is trusted until {1} (source: {2}).",
        ja: "{0} は {1} まで信頼されます (出典: {2})。" }
}
