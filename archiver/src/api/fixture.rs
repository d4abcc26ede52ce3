//! A desk over a new archive, and people at it, for tests.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use firmware::clock::SimulatedClock;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;
use tower::ServiceExt;

use crate::access::password::{PasswordCost, PasswordRules};
use crate::access::{AccountFacts, AccountKind, Role, Scope};
use crate::acts::{AccessRules, Desk, DeskParts, JobOrder, Jobs, found_accounts};
use crate::archive::Access;
use crate::audit::AuditTrail;
use crate::cli::fixture::Bench;
use crate::https::Peer;
use crate::openid::OpenidProvider;
use crate::upload::{UploadRules, Uploads};

pub(crate) const NOW: OffsetDateTime = datetime!(2030-04-01 09:00 UTC);
pub(crate) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// A desk, whoever is logged in, and the work that was ordered.
pub(crate) struct Hall {
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) orders: mpsc::Receiver<JobOrder>,
    pub(crate) tokens: BTreeMap<&'static str, String>,
    /// After the desk, whose archive stands in its folder.
    pub(crate) bench: Bench,
}

/// Deriving a password costs next to nothing here: how dear it is stands in its own tests.
pub(crate) fn rules() -> PasswordRules {
    PasswordRules {
        cost: PasswordCost {
            memory_kib: 8,
            passes: 1,
            lanes: 1,
        },
        ..PasswordRules::default()
    }
}

impl Hall {
    /// Two administrators, `sato` and `suzuki`, with their first passwords.
    pub(crate) fn founded() -> (Self, BTreeMap<String, String>) {
        Self::founded_of("", None)
    }

    /// The same where people may log in by a provider.
    pub(crate) fn founded_with(openid: Option<OpenidProvider>) -> (Self, BTreeMap<String, String>) {
        Self::founded_of("", openid)
    }

    /// The same with more of a configuration.
    fn founded_of(more: &str, openid: Option<OpenidProvider>) -> (Self, BTreeMap<String, String>) {
        let clock = Arc::new(SimulatedClock::new(NOW));
        let bench = Bench::with(clock.clone(), "data = [\"data\"]", more);
        let archive = bench.open(Access::Write);
        let facts = |name: &str| AccountFacts {
            display_name: name.to_uppercase(),
            kind: AccountKind::Person,
            roles: [Role::Administrator, Role::Operator].into(),
            scope: Scope::default(),
            mail: None,
            certificates: Default::default(),
            openid: None,
        };
        let founders = ["sato", "suzuki"].map(|name| (name.to_owned(), facts(name)));
        let first = found_accounts(&archive, "tester", &founders, &rules()).unwrap();
        let first = first
            .into_iter()
            .map(|one| (one.account, one.password.to_string()));
        let first = first.collect();
        let archive = Arc::new(archive);
        let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
        let uploads = Uploads::open(&archive, UploadRules::of_hours(24)).unwrap();
        let (sender, orders) = mpsc::channel();
        let desk = Desk::new(DeskParts {
            archive,
            trail,
            rules: AccessRules {
                password: rules(),
                ..AccessRules::default()
            },
            jobs: Jobs::new(sender, Arc::default()),
            deposit_bytes_max: 100_000,
            uploads,
            openid,
            paper: None,
        });
        let hall = Self {
            clock,
            desk: Arc::new(desk.unwrap()),
            orders,
            tokens: BTreeMap::new(),
            bench,
        };
        (hall, first)
    }

    /// One account for each role, named as the role, all logged in.
    pub(crate) async fn with_everybody() -> Self {
        Self::with_everybody_and("").await
    }

    /// The same with more of a configuration.
    pub(crate) async fn with_everybody_and(more: &str) -> Self {
        let (mut hall, first) = Self::founded_of(more, None);
        for name in ["sato", "suzuki"] {
            let token = hall.settle(name, &first[name]).await;
            hall.tokens.insert(name, token);
        }
        for role in Role::ALL {
            let token = hall
                .join(role.code(), json!([role.code()]), json!({}))
                .await;
            hall.tokens.insert(role.code(), token);
        }
        hall
    }

    /// Makes an account, asked for by one administrator and approved by the other, and logs it in.
    pub(crate) async fn join(&mut self, name: &str, roles: Value, more: Value) -> String {
        let mut form = json!({
            "account": name, "display_name": name, "kind": "person", "roles": roles, "reason": "new",
        });
        for (key, value) in more.as_object().unwrap() {
            form[key] = value.clone();
        }
        let (sato, suzuki) = (self.tokens["sato"].clone(), self.tokens["suzuki"].clone());
        let (status, asked) = self
            .send("POST", "/api/v1/people/requests", &sato, Some(form))
            .await;
        assert_eq!(status, 201, "{asked}");
        let request = asked["request"].as_str().unwrap();
        let path = format!("/api/v1/people/requests/{request}/approval");
        let (status, approved) = self.send("POST", &path, &suzuki, None).await;
        assert_eq!(status, 200, "{approved}");
        let password = approved["password"].as_str().unwrap().to_owned();
        self.settle(name, &password).await
    }

    /// Logs in for the first time: another password, an authenticator.
    pub(crate) async fn settle(&mut self, name: &str, first: &str) -> String {
        let entered = json!({ "name": name, "password": first });
        let (status, session) = self
            .send("POST", "/api/v1/session", "", Some(entered))
            .await;
        assert_eq!(
            (status, &session["standing"]),
            (200, &json!("must-change-password"))
        );
        let token = session["token"].as_str().unwrap().to_owned();
        let change = json!({ "old": first, "new": password_of(name) });
        let path = "/api/v1/session/password";
        let (status, session) = self.send("POST", path, &token, Some(change)).await;
        assert_eq!(
            (status, &session["standing"]),
            (200, &json!("must-set-authenticator"))
        );
        let token = session["token"].as_str().unwrap().to_owned();
        let path = "/api/v1/session/authenticator";
        let (status, shown) = self.send("POST", path, &token, None).await;
        assert_eq!(status, 200);
        assert!(
            shown["address"]
                .as_str()
                .unwrap()
                .starts_with("otpauth://totp/")
        );
        let code = json!({ "code": self.code(name) });
        let (status, session) = self.send("PUT", path, &token, Some(code)).await;
        assert_eq!(
            (status, &session["standing"]),
            (200, &json!("full")),
            "{session}"
        );
        session["token"].as_str().unwrap().to_owned()
    }

    /// Logs an account in once more: its session is over.
    pub(crate) async fn again(&mut self, name: &str) -> String {
        self.clock.advance(time::Duration::seconds(60));
        let code = self.code(name);
        let entered = json!({ "name": name, "password": password_of(name), "code": code });
        let (status, session) = self
            .send("POST", "/api/v1/session", "", Some(entered))
            .await;
        assert_eq!(status, 200, "{session}");
        session["token"].as_str().unwrap().to_owned()
    }

    /// What the authenticator of an account shows now.
    pub(crate) fn code(&self, name: &str) -> String {
        self.desk.code_of(name).unwrap()
    }

    pub(crate) fn router(&self) -> Router {
        super::guarded(super::router(Arc::clone(&self.desk)))
    }

    /// Asks with a bearer token (none if empty), and gives status and JSON.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            None => Body::empty(),
            Some(value) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(value.to_string())
            }
        };
        let response = self.ask(request.body(body).unwrap()).await;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if let Some(code) = answer["code"].as_str().filter(|_| status >= 400) {
            let known = super::codes::codes_of(status);
            assert!(
                known.contains(&code),
                "{method} {path}: {status} {code} is in no list"
            );
        }
        (status, answer)
    }

    /// Asks as a client that shows no certificate.
    pub(crate) async fn ask(&self, mut request: Request<Body>) -> Response<Body> {
        request.extensions_mut().insert(Peer {
            address: SocketAddr::from((HERE, 40_000)),
            certificate: None,
        });
        self.router().oneshot(request).await.unwrap()
    }
}

pub(crate) fn password_of(name: &str) -> String {
    format!("Kumo to hoshi 9 {}", name.chars().rev().collect::<String>())
}
