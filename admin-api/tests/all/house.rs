//! A house to call at: a real store and real files in a temporary folder, a clock moved by hand, the API as a function.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use stagedoor_admin_api::{AdminParts, Alone, router};
use stagedoor_config::{Environment, Inline, Live, Sources};
use stagedoor_identity::port::{ApiToken, SharedStore};
use stagedoor_identity::sign_in::{Attempt, Origin, Progress, SignInRefusal};
use stagedoor_identity::testing::SwappableLetterhead;
use stagedoor_identity::{Actor, Clock, Doorkeeper, Parts, Password, SystemChance};
use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::time::Timestamp;
use stagedoor_store::Embedded;
use tower::ServiceExt as _;

pub(crate) const BUILDING: &str = r#"
[site.console]
hosts = ["console.example"]
upstream = "http://127.0.0.1:8000"

[store]
data_dir = "data"
"#;

pub(crate) const POLICY: &str = r#"
[site.console.areas]
home = { paths = ["/"], open_to = "signed-in" }
devices = { paths = ["/devices/**"] }
settings = { paths = ["/settings/**"] }

[role.owner]
may = { "*" = "all" }

[role.viewer]
default = true
may = { devices = "view" }

[inactivity]
block_after = "30d"
"#;

#[derive(Debug)]
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct House {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) door: Arc<Doorkeeper>,
    pub(crate) live: Arc<Live>,
    pub(crate) letterhead: Arc<SwappableLetterhead>,
    clock: Arc<HandClock>,
    router: Router,
    root: String,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with_metrics(|| "stagedoor_sessions_live 0\n".to_owned()).await
    }

    pub(crate) async fn with_metrics(metrics: impl Fn() -> String + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("stagedoor.toml"), BUILDING).unwrap();
        std::fs::write(folder.path().join("policy.toml"), POLICY).unwrap();
        let clock = Arc::new(HandClock(AtomicI64::new(1_795_000_000_000_000)));
        let store: SharedStore = Arc::new(Embedded::open(&folder.path().join("data")).unwrap());
        let sources = Sources {
            building: Some(folder.path().join("stagedoor.toml")),
            policy: Some(folder.path().join("policy.toml")),
            inline: Inline::default(),
        };
        let live = Live::open(sources, Environment::new([]), Arc::clone(&store), clock.clone())
            .await
            .unwrap();
        let letterhead = Arc::new(SwappableLetterhead::default());
        let door = Doorkeeper::open(Parts {
            store,
            clock: clock.clone(),
            chance: Arc::new(SystemChance),
            policy: live.clone(),
            hashes_in_flight: 1,
            issuer: "Stagedoor".to_owned(),
            letterhead: letterhead.clone(),
            links_under: "/.stagedoor/".to_owned(),
        })
        .await
        .unwrap();
        let router = router(AdminParts {
            door: door.clone(),
            live: live.clone(),
            nodes: Arc::new(Alone(live.clone())),
            metrics: Arc::new(metrics),
        });
        let mut house = Self {
            folder,
            door,
            live,
            letterhead,
            clock,
            router,
            root: String::new(),
        };
        house.root = house.token("root", &["*"]).await;
        house
    }

    /// The secret of a new token.
    pub(crate) async fn token(&self, name: &str, scopes: &[&str]) -> String {
        let token = ApiToken {
            name: name.to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            created_at: self.clock.now(),
            expires_at: None,
            account: None,
        };
        let secret = self.door.create_token(token, &setup()).await.unwrap();
        secret.expose_text().to_owned()
    }

    pub(crate) fn pass(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap();
        self.clock.0.fetch_add(micros, Ordering::SeqCst);
    }

    pub(crate) fn policy_file(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("policy.toml")).unwrap()
    }

    /// Makes an account that can sign in with `correct horse battery`.
    pub(crate) async fn account(&self, name: &str, role: &str) -> Value {
        let body = serde_json::json!({
            "name": name, "role": role, "password": PASSWORD, "password_temporary": false
        });
        let made = self.post("/v1/accounts", body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.body
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Result<Progress, SignInRefusal> {
        let from = Origin {
            address: ClientAddress::of_peer("192.0.2.7".parse().unwrap()),
            user_agent: "a browser".to_owned(),
        };
        let attempt = Attempt {
            name: name.to_owned(),
            password: Password::new(password).unwrap(),
            code: None,
            channel: "browser".to_owned(),
            right: None,
            device_key: None,
            from,
        };
        self.door.sign_in(attempt).await
    }

    pub(crate) async fn signed_in(&self, name: &str) {
        match self.sign_in(name, PASSWORD).await {
            Ok(Progress::Open(_)) => {}
            other => panic!("{name} is not in: {other:?}"),
        }
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        Call {
            house: self,
            method,
            path: path.to_owned(),
            headers: vec![
                (HOST.to_string(), "localhost:9080".to_owned()),
                (AUTHORIZATION.to_string(), format!("Bearer {}", self.root)),
            ],
            body: Body::empty(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path).json(&body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path).json(&body).send().await
    }

    /// The kinds of what happened, newest first, with their actors.
    pub(crate) async fn happened(&self) -> Vec<(String, String)> {
        let events = self.get("/v1/audit?limit=1000").await;
        let text = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
        let items = events.body["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|event| (text(event, "kind"), text(event, "actor")))
            .collect()
    }

    pub(crate) async fn expect_event(&self, kind: &str) {
        let happened = self.happened().await;
        let by_root = (kind.to_owned(), "token:root".to_owned());
        assert!(happened.contains(&by_root), "no {kind} by token:root in {happened:?}");
    }
}

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) fn setup() -> Actor {
    Actor::operator("setup")
}

/// A call that is being made up; by default with the token that may do everything.
pub(crate) struct Call<'a> {
    house: &'a House,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Body,
}

impl Call<'_> {
    /// In place of what was there.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(there, _)| !there.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(there, _)| !there.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) async fn send(self) -> Answer {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(self.body).unwrap();
        let peer: SocketAddr = "127.0.0.1:50000".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.house.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Null where it is no JSON.
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A problem with this status and code, well formed.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), self.body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert!(
            self.body["title"].is_string() && self.body["type"].is_string(),
            "{}",
            self.text
        );
    }

    /// The names of the fields that are wrong.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let fields = self.body["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
        fields.iter().map(|fault| fault["field"].as_str().unwrap()).collect()
    }
}
