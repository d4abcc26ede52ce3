//! Every endpoint and the roles that may ask it: the description tells it, and a test asks all of them as everybody.

/// What each endpoint takes, as it is called by everybody, and who may call it. `person`: everybody who is logged in.
pub(super) const ENDPOINTS: &[(&str, &str, &str)] = &[
    ("GET", "/api/v1/session", "person"),
    (
        "GET",
        "/api/v1/records",
        "retriever records-manager auditor inspector",
    ),
    (
        "GET",
        "/api/v1/searches",
        "retriever records-manager auditor inspector",
    ),
    (
        "PUT",
        "/api/v1/searches/{name}",
        "retriever records-manager auditor inspector",
    ),
    (
        "DELETE",
        "/api/v1/searches/{name}",
        "retriever records-manager auditor inspector",
    ),
    ("POST", "/api/v1/records", "depositor"),
    ("POST", "/api/v1/uploads", "depositor"),
    ("GET", "/api/v1/uploads/{upload}", "depositor"),
    ("PATCH", "/api/v1/uploads/{upload}", "depositor"),
    ("DELETE", "/api/v1/uploads/{upload}", "depositor"),
    (
        "GET",
        "/api/v1/records/{record}",
        "retriever records-manager auditor inspector",
    ),
    (
        "GET",
        "/api/v1/records/{record}/versions/{version}",
        "retriever records-manager auditor inspector",
    ),
    (
        "GET",
        "/api/v1/records/{record}/versions/{version}/objects/{object}",
        "retriever inspector",
    ),
    (
        "GET",
        "/api/v1/records/{record}/versions/{version}/evidence",
        "retriever inspector",
    ),
    (
        "GET",
        "/api/v1/records/{record}/versions/{version}/receipt",
        "depositor retriever inspector",
    ),
    (
        "POST",
        "/api/v1/records/{record}/versions/{version}/verification",
        "retriever records-manager auditor inspector",
    ),
    (
        "POST",
        "/api/v1/verification",
        "retriever records-manager auditor inspector",
    ),
    (
        "GET",
        "/api/v1/jobs",
        "records-manager auditor operator administrator",
    ),
    ("POST", "/api/v1/jobs/stamp", "operator"),
    ("POST", "/api/v1/jobs/renew", "operator"),
    ("GET", "/api/v1/events", "auditor operator administrator"),
    ("POST", "/api/v1/events/answers", "operator administrator"),
    (
        "GET",
        "/api/v1/journal/{day}",
        "auditor operator administrator",
    ),
    (
        "POST",
        "/api/v1/journal/{day}/notes",
        "operator administrator",
    ),
    (
        "POST",
        "/api/v1/journal/{day}/confirmation",
        "administrator",
    ),
    ("POST", "/api/v1/journal/{day}/inspection", "auditor"),
    ("GET", "/api/v1/quarantine", "records-manager auditor"),
    (
        "POST",
        "/api/v1/records/{record}/versions/{version}/release",
        "records-manager",
    ),
    (
        "POST",
        "/api/v1/quarantine/{request}/approval",
        "records-manager",
    ),
    (
        "POST",
        "/api/v1/quarantine/{request}/refusal",
        "records-manager",
    ),
    (
        "GET",
        "/api/v1/approvals",
        "records-manager auditor administrator",
    ),
    ("GET", "/api/v1/people", "auditor administrator"),
    ("POST", "/api/v1/people/requests", "administrator"),
    (
        "POST",
        "/api/v1/people/requests/{request}/approval",
        "administrator",
    ),
    (
        "POST",
        "/api/v1/people/requests/{request}/refusal",
        "administrator",
    ),
    (
        "POST",
        "/api/v1/people/{account}/suspension",
        "administrator",
    ),
    (
        "DELETE",
        "/api/v1/people/{account}/suspension",
        "administrator",
    ),
    ("POST", "/api/v1/people/{account}/closing", "administrator"),
    ("POST", "/api/v1/people/{account}/reset", "administrator"),
    ("GET", "/api/v1/people/review", "auditor administrator"),
    ("POST", "/api/v1/people/review", "administrator"),
    (
        "GET",
        "/api/v1/classes",
        "depositor retriever records-manager auditor inspector",
    ),
    ("GET", "/api/v1/media", "auditor operator"),
    ("GET", "/api/v1/keys", "key-custodian auditor"),
    ("GET", "/api/v1/audit", "auditor"),
    ("GET", "/api/v1/audit/lines", "auditor"),
    (
        "GET",
        "/api/v1/system",
        "key-custodian auditor operator administrator",
    ),
];

/// Endpoints that change what the table is asked with, and have tests of their own.
pub(super) const OF_THE_SESSION: &[(&str, &str)] = &[
    ("POST", "/api/v1/session"),
    ("DELETE", "/api/v1/session"),
    ("POST", "/api/v1/session/password"),
    ("POST", "/api/v1/session/authenticator"),
    ("PUT", "/api/v1/session/authenticator"),
];

/// Who may ask an endpoint: codes of roles, `person` for everybody who is logged in, `anybody` where no session is wanted.
pub(super) fn may_ask(method: &str, path: &str) -> Vec<&'static str> {
    if (method, path) == LOG_IN {
        return vec!["anybody"];
    }
    if OF_THE_SESSION.contains(&(method, path)) {
        return vec!["person"];
    }
    let found = ENDPOINTS
        .iter()
        .find(|one| (one.0, one.1) == (method, path));
    found.map_or_else(Vec::new, |one| one.2.split(' ').collect())
}

const LOG_IN: (&str, &str) = ("POST", "/api/v1/session");
