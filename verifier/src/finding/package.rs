//! Findings about input files, containers and packages (EN 319 162-1).

finding_codes! { TABLE:
    INPUT_NOT_RECOGNISED Error "EN 319 102-1 §5.2.2" {
        en: "The content of the file is not a kind of evidence that is known here.",
        ja: "ファイルの内容は、対応している証拠の種類ではありません。" }
    INPUT_EMPTY Error "EN 319 102-1 §5.2.2" {
        en: "The file is empty.",
        ja: "ファイルが空です。" }
    INPUT_TOO_LARGE Error "EN 319 102-1 §5.1.3" {
        en: "The file has {0} bytes or more and was not read: evidence other than a container is judged up to {1} bytes (the largest revocation lists in use have 60 MB).",
        ja: "ファイルは {0} バイト以上あるため読み取っていません。コンテナ以外の証拠は {1} バイトまで検証します (実在する最大の失効リストは 60 MB です)。" }
    INPUT_UNREADABLE Error "EN 319 102-1 §5.1.3" {
        en: "The file cannot be read: {0}.",
        ja: "ファイルを読み取れません: {0}。" }
    INPUT_UNWRAPPED Info "RFC 7468 §2" {
        en: "The file is text (PEM or base64); what it stands for was judged.",
        ja: "ファイルはテキスト (PEM または base64) です。復号した内容を検証しました。" }
    NOT_JUDGED_YET Error "EN 319 102-1 §5.1.3" {
        en: "This is {0}, which this version recognises but does not judge yet.",
        ja: "これは {0} です。この版は種類を認識しますが、まだ検証しません。" }
    DATA_NOT_COVERED Error "EN 319 102-1 §5.2.2" {
        en: "No evidence that was given covers {0}.",
        ja: "{0} を対象とする証拠がありません。" }
    PROOF_PASSED_OVER Warning "EN 319 102-1 §5.6.2" {
        en: "The proof {0} is {1} ({2}). It was passed over: another proof covers the same data completely and has passed.",
        ja: "証拠 {0} は {1} ({2}) です。同じ対象を完全に証明する別の証拠が合格しているため、判定には使用していません。" }
    PACKAGE_MALFORMED Error "EN 319 162-1 §4.2" {
        en: "The container cannot be read: {0}.",
        ja: "コンテナを読み取れません: {0}。" }
    PACKAGE_MEMBER_DAMAGED Error "EN 319 162-1 §4.2" {
        en: "A member of the container cannot be read: {0}.",
        ja: "コンテナの構成ファイルを読み取れません: {0}。" }
    FINDINGS_OMITTED Warning "EN 319 102-1 §5.1.3" {
        en: "More was found than is told here: only the first {0} findings are.",
        ja: "ここに示すのは最初の {0} 件だけで、ほかにもあります。" }
    PACKAGE_MEMBER_TOO_LARGE Error "EN 319 102-1 §5.1.3" {
        en: "The member {0} was not read: evidence is judged up to {1} bytes.",
        ja: "構成ファイル {0} は読み取っていません。証拠は {1} バイトまで検証します。" }
    PACKAGE_TOO_MUCH_EVIDENCE Error "EN 319 102-1 §5.1.3" {
        en: "The container holds more evidence than is judged: the limit is {0}.",
        ja: "コンテナの証拠が検証の上限を超えています。上限: {0}。" }
    PACKAGE_EVIDENCE_NAMED_TWICE Error "EN 319 162-1 §A.4" {
        en: "Two manifests name the evidence {0}: {1} and {2}. It can be over one of them only.",
        ja: "二つの目録 {1} と {2} が同じ証拠 {0} を示しています。証拠の対象はそのうち一つだけです。" }
    PACKAGE_ORDER_WRONG Error "EN 319 102-1 §5.6.2" {
        en: "This proof is of {0}, but a proof that covers it is earlier: of {1}.",
        ja: "この証拠は {0} のものですが、これを対象とする証拠のほうが早い時刻 {1} です。" }
    PACKAGE_META_OTHER Info "EN 319 162-1 §4.4.3.2" {
        en: "The member {0} is not evidence of a kind that is known here; nothing was concluded from it.",
        ja: "構成ファイル {0} は対応している証拠の種類ではなく、判定には使用していません。" }
    PACKAGE_NESTED Info "EN 319 162-1 §4.2" {
        en: "The document {0} is a container itself. It was checked as a document; the evidence inside of it was not judged.",
        ja: "文書 {0} はそれ自体がコンテナです。文書として検査し、その中の証拠は検証していません。" }
    PACKAGE_CONTAINER_ALTERED Error "EN 319 162-1 §4.2" {
        en: "The container is not, bit for bit, as the archive writes it: it was packed anew, or a header was changed.",
        ja: "コンテナがアーカイブの書き出す形とビット単位で一致しません。再圧縮されたか、ヘッダーが変更されています。" }
    PACKAGE_AMBIGUOUS Error "APPNOTE.TXT §4.3" {
        en: "Other programs may see other content in the container: {0}.",
        ja: "ほかのプログラムではコンテナの内容が異なって見える可能性があります: {0}。" }
    PACKAGE_UNUSUAL Info "APPNOTE.TXT §4.3" {
        en: "The container has {0}.",
        ja: "コンテナに特記事項があります: {0}。" }
    PACKAGE_MANIFEST_EXTENSION Error "EN 319 162-1 §A.4" {
        en: "The manifest {0} has an extension that must be understood and is not.",
        ja: "目録 {0} に、理解が必須でありながら未対応の拡張があります。" }
    PACKAGE_MIMETYPE Warning "EN 319 162-1 §A.1" {
        en: "The mimetype member does not follow the standard: {0}.",
        ja: "mimetype が規格に合っていません: {0}。" }
    PACKAGE_MIMETYPE_WRONG Error "EN 319 162-1 §A.1" {
        en: "The mimetype member is not that of an evidence package.",
        ja: "mimetype が証拠パッケージのものではありません。" }
    PACKAGE_WITHOUT_EVIDENCE Error "EN 319 162-1 §4.3" {
        en: "The container holds no evidence.",
        ja: "コンテナに証拠が含まれていません。" }
    PACKAGE_MEMBER_UNLISTED Error "EN 319 162-1 §A.4" {
        en: "The member {0} does not belong to the package: no manifest lists it.",
        ja: "構成ファイル {0} はこのパッケージのものではありません。どの目録にもありません。" }
    PACKAGE_MEMBER_UNCOVERED Error "EN 319 162-1 §A.4" {
        en: "The member {0} is not covered by any evidence.",
        ja: "構成ファイル {0} はどの証拠の対象でもありません。" }
    PACKAGE_INFORMATIVE Info "EN 319 162-1 §A.4" {
        en: "The member {0} is for the reader; the evidence record does not cover it.",
        ja: "構成ファイル {0} は読者のための資料であり、証拠記録の対象ではありません。" }
    PACKAGE_MEMBER_MISSING Error "EN 319 162-1 §A.4" {
        en: "The member {0} is missing.",
        ja: "構成ファイル {0} がありません。" }
    PACKAGE_DIGEST_MISMATCH Error "EN 319 162-1 §A.4" {
        en: "The member {0} does not have the digest that {1} states ({2}): it was altered.",
        ja: "構成ファイル {0} のダイジェストが {1} の記載 ({2}) と一致しません。改変されています。" }
    PACKAGE_SIZE_MISMATCH Error "EN 319 162-1 §A.4" {
        en: "The member {0} has {1} bytes; its manifest states {2}.",
        ja: "構成ファイル {0} は {1} バイトですが、目録の記載は {2} バイトです。" }
    PACKAGE_DIGEST_UNKNOWN Error "EN 319 162-1 §A.4" {
        en: "The digest algorithm that {1} states for {0} is not known here.",
        ja: "{1} が {0} について記載するダイジェストアルゴリズムに対応していません。" }
    PACKAGE_MANIFEST_MALFORMED Error "EN 319 162-1 §A.4" {
        en: "The manifest {0} cannot be read: {1}.",
        ja: "目録 {0} を読み取れません: {1}。" }
    PACKAGE_REFERENCE_UNENCODED Error "EN 319 162-1 §A.4" {
        en: "The manifest {0} names a member by {1} without percent-encoding: other programs find another member or none.",
        ja: "目録 {0} は構成ファイルをパーセント符号化せずに {1} と示しています。ほかのプログラムでは別のファイルが見つかるか、何も見つかりません。" }
    PACKAGE_DIGEST_ALGORITHM_DIFFERS Error "EN 319 162-1 §A.4" {
        en: "The manifest {0} states digests under {1}, but the evidence record is over digests under {2}.",
        ja: "目録 {0} のダイジェストは {1} ですが、証拠記録は {2} のダイジェストに対するものです。" }
    PACKAGE_MANIFEST_WITHOUT_EVIDENCE Error "EN 319 162-1 §A.4" {
        en: "The manifest {0} names the evidence {1}, which is not there.",
        ja: "目録 {0} が示す証拠 {1} がありません。" }
    PACKAGE_REFERENCES_NOT_EXACT Error "EN 319 162-1 §A.4" {
        en: "The evidence manifest does not list exactly the record manifest and its documents: {0}.",
        ja: "証拠目録の記載が、記録の目録と文書に正確には一致しません: {0}。" }
    PACKAGE_EVIDENCE_UNLISTED Error "EN 319 162-1 §4.4" {
        en: "No manifest says what the evidence {0} covers, which this kind of container (ASiC-E) demands.",
        ja: "証拠 {0} の対象を示す目録がありません。この種類のコンテナ (ASiC-E) では必須です。" }
    PACKAGE_RECORD_UNLISTED Warning "EN 319 162-1" {
        en: "The container does not say of which kind it is, and no manifest says what the evidence record {0} covers; it was held against the only document.",
        ja: "コンテナの種類が示されておらず、証拠記録 {0} の対象を示す目録もありません。唯一の文書と照合しました。" }
    PACKAGE_SEVERAL_DATA_OBJECTS Error "EN 319 162-1 §4.3" {
        en: "The container has {0} data objects; a simple container (ASiC-S) has exactly one.",
        ja: "コンテナにデータが {0} 個あります。単純コンテナ (ASiC-S) では 1 個でなければなりません。" }
    RECORD_MANIFEST_MALFORMED Error "RFC 8785 §3" {
        en: "The record manifest cannot be read: {0}.",
        ja: "記録の目録を読み取れません: {0}。" }
    RECORD_MANIFEST_READ Info "RFC 8785 §3" {
        en: "Record {0}, version {1}, with {2} documents, received at {3}.",
        ja: "記録 {0}、版 {1}、文書 {2} 件、受入れ時刻 {3}。" }
}
