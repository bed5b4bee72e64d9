//! How a client asks and what it writes down: one operation, with its times by the test's clock.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use http::{Method, Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use stagedoor_tests::{Body, PASSWORD, Visitor, body_of};

use crate::history::{Answer, Deed, Micros, Operation, Page, Way};
use crate::stage::{Stage, micros};

/// After this long a client gives up.
const GIVES_UP: Duration = Duration::from_secs(6);
/// Of an account: older ones are shown no more.
const SHOWN_MAX: usize = 4;

/// Where a door is reached.
#[derive(Debug, Clone)]
struct Place {
    http: SocketAddr,
    host: String,
    admin: SocketAddr,
    token: String,
}

/// A session that somebody opened.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) number: usize,
    pub(crate) account: String,
    pub(crate) cookie: String,
}

/// What all clients share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) began: Instant,
    pub(crate) seed: u64,
    places: Vec<Place>,
    log: Mutex<Vec<Operation>>,
    opened: Mutex<Vec<Opened>>,
    over: AtomicBool,
}

/// An answer as a client takes it.
struct Told {
    status: u16,
    retry_after: bool,
    revision: Option<u64>,
    body: Value,
}

impl World {
    pub(crate) fn new(stage: &Stage, seed: u64, began: Instant) -> Self {
        let place = |door: &stagedoor_tests::Door| Place {
            http: door.address(),
            host: format!("console.localhost:{}", door.http),
            admin: door.admin_address(),
            token: door.admin().token().to_owned(),
        };
        Self {
            began,
            seed,
            places: stage.doors.iter().map(place).collect(),
            log: Mutex::default(),
            opened: Mutex::default(),
            over: AtomicBool::new(false),
        }
    }

    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub(crate) fn now(&self) -> Micros {
        micros(self.began)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Vec<Operation>> {
        self.log.lock().expect("nobody panics while holding it")
    }

    fn opened(&self) -> MutexGuard<'_, Vec<Opened>> {
        self.opened.lock().expect("nobody panics while holding it")
    }

    /// The newest sessions of an account, the newest first.
    pub(crate) fn newest(&self, account: &str) -> Vec<Opened> {
        let opened = self.opened();
        let of_the_account = opened.iter().rev().filter(|session| session.account == account);
        of_the_account.take(SHOWN_MAX).cloned().collect()
    }

    /// Somebody with an empty jar, from an address of their own.
    pub(crate) fn visitor(&self, door: usize, account: &str) -> Visitor {
        let place = &self.places[door];
        let last = account
            .bytes()
            .fold(2_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte))
            .max(2);
        Visitor::new(place.http, place.host.clone()).from(&format!("127.0.1.{last}"))
    }

    pub(crate) fn with_cookie(&self, door: usize, session: &Opened) -> Visitor {
        let visitor = self.visitor(door, &session.account);
        visitor.put_cookie("stagedoor", &session.cookie);
        visitor
    }

    pub(crate) async fn sign_in(&self, door: usize, account: &str) -> Answer {
        let visitor = self.visitor(door, account);
        let form = json!({ "username": account, "password": PASSWORD });
        let (began, told) = (self.now(), tell(&visitor, login(&form)).await);
        let ended = self.now();
        let answer = answer_of(told.as_ref());
        let number = (answer == Answer::Done).then(|| {
            let mut opened = self.opened();
            let number = opened.len();
            let cookie = visitor.cookie("stagedoor").expect("a sign-in gives a cookie");
            let account = account.to_owned();
            opened.push(Opened {
                number,
                account,
                cookie,
            });
            number
        });
        self.note(door, began, ended, account, Deed::SignIn(number), answer.clone(), None);
        answer
    }

    pub(crate) async fn guess(&self, door: usize, account: &str) -> Answer {
        let form = json!({ "username": account, "password": "not the right one at all" });
        let (began, told) = (self.now(), tell(&self.visitor(door, account), login(&form)).await);
        let answer = answer_of(told.as_ref());
        self.note(door, began, self.now(), account, Deed::Guess, answer.clone(), None);
        answer
    }

    pub(crate) async fn use_code(&self, door: usize, account: &str, step: u64, code: &str) -> Answer {
        let form = json!({ "username": account, "password": PASSWORD, "code": code });
        let (began, told) = (self.now(), tell(&self.visitor(door, account), login(&form)).await);
        let answer = answer_of(told.as_ref());
        self.note(
            door,
            began,
            self.now(),
            account,
            Deed::UseCode(step),
            answer.clone(),
            None,
        );
        answer
    }

    pub(crate) async fn sign_out(&self, door: usize, session: &Opened) -> Answer {
        let request = Request::post("/.stagedoor/logout").header(header::CONTENT_TYPE, "application/json");
        let request = request.body(body_of("{}")).expect("a request");
        let (began, told) = (self.now(), tell(&self.with_cookie(door, session), request).await);
        let answer = answer_of(told.as_ref());
        let deed = Deed::SignOut(session.number);
        self.note(door, began, self.now(), &session.account, deed, answer.clone(), None);
        answer
    }

    pub(crate) async fn ask(&self, door: usize, session: &Opened, page: Page) -> Answer {
        let path = match page {
            Page::Any => "/page",
            Page::Private => "/private/page",
            Page::Changing => "/changing/page",
        };
        let request = Request::get(path).body(body_of("")).expect("a request");
        let (began, told) = (self.now(), tell(&self.with_cookie(door, session), request).await);
        let ended = self.now();
        let answer = answer_of(told.as_ref());
        let known_as = told.and_then(|told| match answer {
            Answer::Done => request_id(&told.body),
            _ => Some(told.body["support_code"].as_str()?.to_owned()),
        });
        let (session, account) = (session.number, &session.account);
        let deed = Deed::Ask {
            session,
            page,
            way: Way::Request,
        };
        self.note(door, began, ended, account, deed, answer.clone(), known_as);
        answer
    }

    /// A message over an open WebSocket that was answered.
    pub(crate) fn note_message(&self, door: usize, session: &Opened, began: Micros) {
        let deed = Deed::Ask {
            session: session.number,
            page: Page::Any,
            way: Way::Message,
        };
        self.note(door, began, self.now(), &session.account, deed, Answer::Done, None);
    }

    /// A call of the admin API about an account.
    pub(crate) async fn administer(
        &self,
        door: usize,
        (method, path): (Method, &str),
        body: Option<Value>,
        account: &str,
        deed: Deed,
    ) -> Answer {
        let mut request = self.call(door, method, path);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body_of(body.map_or_else(String::new, |body| body.to_string())));
        let (began, told) = (self.now(), self.tell_admin(door, request.expect("a request")).await);
        let answer = answer_of(told.as_ref());
        self.note(door, began, self.now(), account, deed, answer.clone(), None);
        answer
    }

    pub(crate) async fn put_policy(&self, door: usize, edition: u64, text: String) -> Answer {
        let request = self.call(door, Method::PUT, "/v1/policy");
        let request = request
            .header(header::CONTENT_TYPE, "text/plain")
            .header(header::IF_MATCH, "*");
        let request = request.body(body_of(text)).expect("a request");
        let (began, told) = (self.now(), self.tell_admin(door, request).await);
        let answer = answer_of(told.as_ref());
        let deed = Deed::PutPolicy(edition, told.and_then(|told| told.revision));
        self.note(door, began, self.now(), "", deed, answer.clone(), None);
        answer
    }

    pub(crate) async fn read_policy(&self, door: usize) -> Answer {
        let request = self
            .call(door, Method::GET, "/v1/policy")
            .body(body_of(""))
            .expect("a request");
        let (began, told) = (self.now(), self.tell_admin(door, request).await);
        let answer = answer_of(told.as_ref());
        let deed = Deed::ReadPolicy(told.and_then(|told| told.revision));
        self.note(door, began, self.now(), "", deed, answer.clone(), None);
        answer
    }

    fn call(&self, door: usize, method: Method, path: &str) -> http::request::Builder {
        let token = format!("Bearer {}", self.places[door].token);
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, token)
    }

    async fn tell_admin(&self, door: usize, request: Request<Body>) -> Option<Told> {
        let at = self.places[door].admin;
        tell(&Visitor::new(at, at.to_string()), request).await
    }

    #[expect(clippy::too_many_arguments, reason = "an operation is what it is")]
    fn note(
        &self,
        door: usize,
        began: Micros,
        ended: Micros,
        account: &str,
        deed: Deed,
        answer: Answer,
        known_as: Option<String>,
    ) {
        self.log().push(Operation {
            door,
            began,
            ended,
            account: account.to_owned(),
            deed,
            answer,
            known_as,
        });
    }
}

fn login(form: &Value) -> Request<Body> {
    let request = Request::post("/.stagedoor/login").header(header::CONTENT_TYPE, "application/json");
    request.body(body_of(form.to_string())).expect("a request")
}

/// Asks once, of a door that may be gone, stuck or dying.
async fn tell(visitor: &Visitor, request: Request<Body>) -> Option<Told> {
    let asked = async { read(visitor.try_open(request).await.ok()?).await };
    tokio::time::timeout(GIVES_UP, asked).await.ok().flatten()
}

async fn read(answer: Response<Incoming>) -> Option<Told> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    let revision = head
        .headers
        .get("stagedoor-revision")
        .and_then(|value| value.to_str().ok());
    Some(Told {
        status: head.status.as_u16(),
        retry_after: head.headers.contains_key(header::RETRY_AFTER),
        revision: revision.and_then(|revision| revision.parse().ok()),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

fn answer_of(told: Option<&Told>) -> Answer {
    let Some(told) = told else { return Answer::Unanswered };
    match told.status {
        200..=299 => Answer::Done,
        503 => Answer::Unavailable {
            retry_after: told.retry_after,
        },
        status => {
            let code = ["error", "code", "type"]
                .iter()
                .find_map(|field| told.body[field].as_str());
            Answer::Refused(status, code.unwrap_or_default().to_owned())
        }
    }
}

/// As the console saw it.
fn request_id(seen: &Value) -> Option<String> {
    let headers = seen["headers"].as_array()?;
    let ours = headers.iter().find(|pair| pair[0] == "x-stagedoor-request-id")?;
    Some(ours[1].as_str()?.to_owned())
}
