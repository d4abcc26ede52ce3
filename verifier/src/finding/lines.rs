//! Findings about single lines of a log (RFC 9162 §2.1: the tree over them; `formats::lines`).

finding_codes! { TABLE:
    LINES_PROVEN Info "RFC 9162 §2.1.1" {
        en: "Lines {0} to {1} of {2} are shown, of {3} in all; the package says nothing about the others.",
        ja: "{2} の {0} 行目から {1} 行目までを示しています(全 {3} 行)。ほかの行については何も示していません。" }
    LINE_PROOF_MALFORMED Error "RFC 8785 §3" {
        en: "The proof for the lines cannot be read: {0}.",
        ja: "行の証明を読み取れません: {0}。" }
    LINE_PROOF_OTHER_RECORD Error "RFC 9162 §2.1.1" {
        en: "The proof is for lines of record {0}, but the manifest is that of {1}.",
        ja: "証明は記録 {0} の行に対するものですが、目録は {1} のものです。" }
    LINE_OBJECT_MISSING Error "RFC 9162 §2.1.1" {
        en: "The proof is for lines of content object number {0}; the manifest has {1} objects, numbered from 0.",
        ja: "証明は内容 {0} 番の行に対するものですが、目録にある内容は {1} 個(0 番から)です。" }
    LINE_TREE_MISSING Error "RFC 9162 §2.1.1" {
        en: "The manifest has no line tree for {0}: no single line of it can be proven.",
        ja: "目録に {0} の行の木がありません。行ごとの証明はできません。" }
    LINE_RANGE_BEYOND_END Error "RFC 9162 §2.1.1" {
        en: "The proof is for lines {0} to {1}, but there are {2} lines.",
        ja: "証明は {0} 行目から {1} 行目に対するものですが、行は {2} 行しかありません。" }
    LINE_COUNT_MISMATCH Error "RFC 9162 §2.1.1" {
        en: "{0} has {1} lines; the proof is for {2}: lines were added or removed.",
        ja: "{0} は {1} 行ですが、証明は {2} 行に対するものです。行が追加又は削除されています。" }
    LINE_WITHOUT_END Error "RFC 9162 §2.1.1" {
        en: "Line {0} has no line end and is not the last line of the log: it is not a whole line.",
        ja: "{0} 行目に行末がなく、ログの最後の行でもありません。行の全体ではありません。" }
    LINE_TOO_LONG Error "RFC 9162 §2.1.1" {
        en: "Line {0} has more bytes than a line may have.",
        ja: "{0} 行目の長さが上限を超えています。" }
    LINE_ROOT_WITHOUT_PROOF Error "RFC 9162 §2.1.1" {
        en: "The functions of the proof are not those of the roots in the manifest: {0}.",
        ja: "証明のハッシュ関数が目録にある根のものと一致しません: {0}。" }
    LINE_HASHES_WRONG Error "RFC 9162 §2.1.1" {
        en: "The proof under {0} does not have as many hashes as these lines need: {1}.",
        ja: "{0} による証明のハッシュの個数が、これらの行に必要な数と一致しません: {1}。" }
    LINE_ROOT_MISMATCH Error "RFC 9162 §2.1.1" {
        en: "The lines do not lead to the root in the manifest ({0}): a line, its number, a salt or a hash was altered.",
        ja: "行から目録の根 ({0}) に至りません。行、行番号、ソルト、ハッシュのいずれかが改変されています。" }
}
