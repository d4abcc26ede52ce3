//! Findings about XML archive packages (XAIP, BSI TR-03125 Annex F).

finding_codes! { TABLE:
    XAIP_MALFORMED Error "TR-03125-F §3" {
        en: "The archive package cannot be read: {0}.",
        ja: "保管パッケージを読み取れません: {0}。" }
    XAIP_OTHER_FORM Error "TR-03125-F §3" {
        en: "This form of archive package ({0}) is recognised but not judged yet.",
        ja: "この形式の保管パッケージ ({0}) は認識しますが、まだ検証しません。" }
    XAIP_UNKNOWN_PART Error "TR-03125-F §3" {
        en: "The archive package has a part that is not known here and that nothing was concluded from: {0}.",
        ja: "保管パッケージに対応していない部分があり、判定には使用していません: {0}。" }
    XAIP_OBJECT_MISSING Error "TR-03125-F §3" {
        en: "Version {0} protects the object {1}, which is missing.",
        ja: "版 {0} が保護対象とする {1} がありません。" }
    XAIP_OBJECT_NOT_AT_HAND Error "TR-03125-F §3" {
        en: "The bytes of the object {0} that a record covers are not known: they are kept elsewhere, or have no canonical form that is known here.",
        ja: "証拠記録の対象となる {0} のバイト列が分かりません。別の場所にあるか、対応している正規形がありません。" }
    XAIP_CHECKSUM_MISMATCH Error "TR-03125-F §3" {
        en: "The object {0} does not have the check sum that stands beside it ({1}).",
        ja: "{0} が、併記されたチェックサム ({1}) と一致しません。" }
    XAIP_AOID_DIFFERS Error "TR-03125-F §3" {
        en: "The evidence record is for the archive object {0}, but the package is that of {1}.",
        ja: "証拠記録は保管対象 {0} のものですが、パッケージは {1} のものです。" }
    XAIP_VERSION_UNKNOWN Error "TR-03125-F §3" {
        en: "The evidence record does not belong to one version of the package: {0}.",
        ja: "証拠記録がパッケージの一つの版に対応していません: {0}。" }
    XAIP_VERSION_WITHOUT_RECORD Error "TR-03125-F §3" {
        en: "No evidence record covers version {0} of the package.",
        ja: "パッケージの版 {0} を対象とする証拠記録がありません。" }
    XAIP_UNPROTECTED Info "TR-03125-F §3" {
        en: "No evidence record covers the {0} {1}; nothing was concluded from it.",
        ja: "{0} {1} を対象とする証拠記録はなく、判定には使用していません。" }
    XAIP_RECORD_FORM Error "TR-03125-F §3" {
        en: "The evidence record is written in a way that is not judged here.",
        ja: "証拠記録の書き方に対応していません。" }
    XAIP_SIGNATURE_NOT_JUDGED Error "TR-03125-F §3" {
        en: "The package carries the signature {0}, which this version does not judge yet. What the evidence records prove stands apart from it.",
        ja: "パッケージに署名 {0} がありますが、この版ではまだ検証しません。証拠記録による証明はこれとは別に成り立ちます。" }
}
