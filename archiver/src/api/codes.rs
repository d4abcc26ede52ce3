//! The stable codes of problems, by status, as the description tells them.

/// The codes that a problem of a status can have. Tests compare each problem that they meet.
pub(super) fn codes_of(status: u16) -> &'static [&'static str] {
    CODES
        .iter()
        .find(|(one, _)| *one == status)
        .map_or(&[], |(_, codes)| codes)
}

const CODES: &[(u16, &[&str])] = &[
    (400, &["cut-off"]),
    (401, &["login-wanted", "login-wrong", "code-wanted"]),
    (
        403,
        &[
            "not-allowed",
            "password-change-wanted",
            "authenticator-wanted",
            "form-token",
            "second-person-wanted",
            "quarantined",
        ],
    ),
    (404, &["not-found", "account"]),
    (405, &["method-not-allowed"]),
    (409, &["account", "not-stamped", "busy", "upload-offset"]),
    (410, &["destroyed"]),
    (412, &["changed"]),
    (413, &["too-large", "unreadable-request"]),
    (415, &["unreadable-request", "content-encoding"]),
    (
        422,
        &[
            "invalid-value",
            "unreadable-request",
            "metadata",
            "intake",
            "account",
            "password-refused",
            "idempotency-key-reused",
            "upload-length",
            "upload-digest",
        ],
    ),
    (429, &["too-many", "too-many-uploads"]),
    (
        500,
        &[
            "internal",
            "account",
            "archive",
            "evidence",
            "unreadable",
            "upload-damaged",
        ],
    ),
    (
        503,
        &[
            "audit-stopped",
            "index-filling",
            "archive",
            "upload-storage",
        ],
    ),
    (507, &["archive", "upload-storage"]),
];
