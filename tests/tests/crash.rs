//! `kill -9` in the middle of work: what was acknowledged is there after the restart, nobody has two sessions where one is
//! allowed, and every account can sign in.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::{Method, Request, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use stagedoor_tests::{BadWire, Body, Door, FakeConsole, PASSWORD, Redis, Visitor, Weather, body_of, eventually};
use tokio::task::JoinHandle;

const ROUNDS: usize = 25;
const ROUNDS_ON_REDIS: usize = 12;
/// Deeds of all kinds that are acknowledged before a kill, at most.
const DEEDS_BEFORE_MAX: usize = 8;

fn policy(edition: usize) -> String {
    format!(
        "# edition {edition}\n[site.console.areas]\nall = {{ paths = [\"/**\"] }}\n\n[role.operator]\nmay = {{ all = \
         \"all\" }}\n\n[role.watcher]\nmay = {{ all = \"view\" }}\n\n[session]\nper_account = 1\nwhen_full = \
         \"displace\"\n\n[lockout]\nfailures = 1000\nfailures_from_anywhere = 1000\n"
    )
}

/// What was asked for last, and what was acknowledged last. The kill decides which of the two it is.
#[derive(Debug, Clone)]
struct Deed<T> {
    asked: T,
    acknowledged: T,
    acknowledgements: usize,
}

impl<T: Clone + PartialEq> Deed<T> {
    fn shared(value: T) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            asked: value.clone(),
            acknowledged: value,
            acknowledgements: 0,
        }))
    }

    fn is_one_of_both(&self, found: &T) -> bool {
        *found == self.asked || *found == self.acknowledged
    }

    /// After the restart it is known which.
    fn settle(&mut self, found: T) {
        self.asked = found.clone();
        self.acknowledged = found;
    }
}

type Shared<T> = Arc<Mutex<Deed<T>>>;

fn read<T: Clone>(shared: &Shared<T>) -> Deed<T> {
    shared.lock().expect("nobody panics while holding it").clone()
}

fn ask_for<T>(shared: &Shared<T>, value: T) {
    shared.lock().expect("nobody panics while holding it").asked = value;
}

fn acknowledge<T>(shared: &Shared<T>, value: T) {
    let mut deed = shared.lock().expect("nobody panics while holding it");
    deed.acknowledged = value;
    deed.acknowledgements += 1;
}

/// What the workers do: an account each, and the policy.
#[derive(Debug, Clone)]
struct Deeds {
    /// The cookie of `ada`; empty where there is none.
    session: Shared<String>,
    role: Shared<String>,
    password: Shared<String>,
    policy: Shared<String>,
}

impl Deeds {
    /// Of every kind.
    fn all(&self) -> [&Shared<String>; 4] {
        [&self.session, &self.role, &self.password, &self.policy]
    }

    fn acknowledgements(&self) -> usize {
        self.all().iter().map(|deed| read(deed).acknowledgements).sum()
    }
}

/// Asks once, of a door that may die meanwhile; `None` unless the whole answer arrived.
async fn attempt(visitor: &Visitor, request: Request<Body>) -> Option<(u16, Value)> {
    let answer = visitor.try_open(request).await.ok()?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    Some((status, serde_json::from_slice(&body).unwrap_or_default()))
}

fn api_request(door: &ApiPlace, method: Method, path: &str, kind: &str, body: String) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(header::AUTHORIZATION, format!("Bearer {}", door.token));
    let request = request.header(header::CONTENT_TYPE, kind);
    request.body(body_of(body)).expect("a request")
}

#[derive(Debug, Clone)]
struct ApiPlace {
    visitor: Visitor,
    token: String,
}

impl ApiPlace {
    async fn json(&self, method: Method, path: &str, body: Value) -> Option<(u16, Value)> {
        let request = api_request(self, method, path, "application/json", body.to_string());
        attempt(&self.visitor, request).await
    }

    async fn put_policy(&self, text: &str) -> Option<u16> {
        let request = api_request(self, Method::PUT, "/v1/policy", "text/plain", text.to_owned());
        let (mut parts, body) = request.into_parts();
        let current = api_request(self, Method::GET, "/v1/policy", "text/plain", String::new());
        let tag = self
            .visitor
            .try_open(current)
            .await
            .ok()?
            .headers()
            .get("etag")
            .cloned()?;
        parts.headers.insert(header::IF_MATCH, tag);
        let answered = attempt(&self.visitor, Request::from_parts(parts, body)).await;
        answered.map(|(status, _)| status)
    }
}

async fn sign_in_again_and_again(door: std::net::SocketAddr, host: String, session: Shared<String>) {
    loop {
        let visitor = Visitor::new(door, host.clone());
        let body = json!({ "username": "ada", "password": PASSWORD }).to_string();
        let request = Request::post("/.stagedoor/login").header(header::CONTENT_TYPE, "application/json");
        let request = request.body(body_of(body)).expect("a request");
        match attempt(&visitor, request).await {
            Some((200, _)) => acknowledge(&session, visitor.cookie("stagedoor").expect("a cookie")),
            Some(other) => panic!("refused: {other:?}"),
            None => return,
        }
    }
}

async fn change_the_role_again_and_again(api: ApiPlace, role: Shared<String>) {
    loop {
        let wanted = match read(&role).acknowledged.as_str() {
            "operator" => "watcher",
            _ => "operator",
        };
        ask_for(&role, wanted.to_owned());
        match api
            .json(Method::PATCH, "/v1/accounts/bea", json!({ "role": wanted }))
            .await
        {
            Some((200, _)) => acknowledge(&role, wanted.to_owned()),
            Some(other) => panic!("refused: {other:?}"),
            None => return,
        }
    }
}

async fn reset_the_password_again_and_again(api: ApiPlace, password: Shared<String>, round: usize) {
    for number in 0.. {
        let wanted = format!("{PASSWORD}, round {round}, {number}");
        ask_for(&password, wanted.clone());
        let body = json!({ "password": wanted });
        match api.json(Method::POST, "/v1/accounts/cid/password", body).await {
            Some((200 | 204, _)) => acknowledge(&password, wanted),
            Some(other) => panic!("refused: {other:?}"),
            None => return,
        }
    }
}

async fn put_the_policy_again_and_again(api: ApiPlace, text: Shared<String>, round: usize) {
    for number in 0.. {
        let wanted = policy(round * 1_000_000 + number);
        ask_for(&text, wanted.clone());
        match api.put_policy(&wanted).await {
            Some(200) => acknowledge(&text, wanted),
            Some(other) => panic!("refused: {other:?}"),
            None => return,
        }
    }
}

fn set_to_work(door: &Door, deeds: &Deeds, round: usize) -> Vec<JoinHandle<()>> {
    let api = ApiPlace {
        visitor: Visitor::new(door.admin_address(), door.admin_address().to_string()),
        token: door.admin().token().to_owned(),
    };
    let host = format!("console.localhost:{}", door.http);
    vec![
        tokio::spawn(sign_in_again_and_again(
            door.address(),
            host,
            Arc::clone(&deeds.session),
        )),
        tokio::spawn(change_the_role_again_and_again(api.clone(), Arc::clone(&deeds.role))),
        tokio::spawn(reset_the_password_again_and_again(
            api.clone(),
            Arc::clone(&deeds.password),
            round,
        )),
        tokio::spawn(put_the_policy_again_and_again(api, Arc::clone(&deeds.policy), round)),
    ]
}

/// Kills the door once some deeds were acknowledged and a moment more has passed, another one in each round.
async fn kill_in_the_middle(door: &mut Door, deeds: &Deeds, round: usize) {
    wait_for_deeds(deeds, round).await;
    // Nothing is awaited here: the moment of the kill is what differs.
    let moment = Duration::from_micros(u64::try_from(round * 7919 % 20_000).expect("small"));
    tokio::time::sleep(moment).await;
    door.kill();
}

/// Waits until so many deeds were acknowledged. Each kind is waited for in turn, however long it takes on this machine.
async fn wait_for_deeds(deeds: &Deeds, round: usize) {
    let (before, wanted) = (deeds.acknowledgements(), 1 + round % DEEDS_BEFORE_MAX);
    let kinds = deeds.all();
    let awaited = kinds.get(round % (kinds.len() + 1));
    let of_its_kind = || awaited.map_or(0, |deed| read(deed).acknowledgements);
    let first = of_its_kind();
    eventually("some deeds are acknowledged", Duration::from_secs(60), async || {
        let enough = deeds.acknowledgements() >= before + wanted;
        (enough && (awaited.is_none() || of_its_kind() > first)).then_some(())
    })
    .await;
}

/// After the restart.
async fn check(door: &Door, deeds: &Deeds) {
    let admin = door.admin();

    let role = admin.account("bea").await["role"].as_str().expect("a role").to_owned();
    assert!(read(&deeds.role).is_one_of_both(&role), "{role}: {:?}", deeds.role);
    deeds.role.lock().expect("nobody panics").settle(role);

    let policy = admin.get("/v1/policy").await.expect(200).text();
    let asked = read(&deeds.policy);
    assert!(asked.is_one_of_both(&policy), "{policy}: {asked:?}");
    assert_eq!(std::fs::read_to_string(door.policy_file()).expect("the file"), policy);
    deeds.policy.lock().expect("nobody panics").settle(policy);

    let sessions = admin.sessions("ada").await;
    assert!(sessions.len() <= 1, "more than one session is live: {sessions:?}");
    let acknowledged = read(&deeds.session).acknowledged;
    let ada = door.visitor("console");
    ada.put_cookie("stagedoor", &acknowledged);
    let still_in = ada.get("/page").await.status;
    // Only a later sign-in, whose answer the kill swallowed, may have displaced it.
    assert!(
        still_in == 200 || displaced_by_a_later_one(&ada).await,
        "an acknowledged session is lost: {still_in}, {sessions:?}"
    );
    ada.sign_in("ada", PASSWORD).await.expect(200);
    assert_eq!(admin.sessions("ada").await.len(), 1);
    acknowledge(&deeds.session, ada.cookie("stagedoor").expect("a cookie"));

    check_the_password(door, &deeds.password).await;
    door.signed_in("console", "bea").await.get("/page").await.expect(200);
}

/// One of the two passwords is right; it is temporary if it came by a reset, and then has to be changed to sign in.
async fn check_the_password(door: &Door, password: &Shared<String>) {
    let (cid, deed) = (door.visitor("console"), read(password));
    let mut answer = cid.sign_in("cid", &deed.acknowledged).await;
    let mut right = deed.acknowledged.clone();
    if answer.status != 200 && answer.json()["error"] != "password_change_required" {
        answer = cid.sign_in("cid", &deed.asked).await;
        right = deed.asked;
    }
    if answer.status != 200 {
        let refusal = answer.json();
        assert_eq!(refusal["error"], "password_change_required", "{refusal}");
        right = format!("words of my own, number {}", deed.acknowledgements);
        let change = json!({ "ticket": refusal["ticket"], "new_password": right });
        cid.post_json("/.stagedoor/login/password", &change).await.expect(200);
    }
    cid.get("/page").await.expect(200);
    password.lock().expect("nobody panics").settle(right);
}

/// Whether the door knows the session as one that a newer sign-in ended.
async fn displaced_by_a_later_one(visitor: &Visitor) -> bool {
    let answer = visitor.get("/page").await;
    answer.status == 401 && answer.text().contains("displaced")
}

/// What may lie between a door and its Redis when it is killed: steps are made unheard, or not made at all.
const WEATHERS: [Weather; 3] = [Weather::Fair, Weather::NothingBack, Weather::NothingThere];
/// Long enough for each worker to have a step under way that is not answered.
const UNDER_WAY: Duration = Duration::from_millis(60);
/// What a door that was killed may take until it serves again: what it takes to start, since as one of several it waits for no
/// lease, not even its own.
const BACK_WITHIN: Duration = Duration::from_secs(15);
/// At the other door nobody waits for longer than for the lease of the one that was killed, and for a busy machine.
const LET_IN_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_by_a_kill_at_any_moment() {
    let console = FakeConsole::start().await;
    let door = Door::plan().site("console", &console.url()).policy(&policy(0));
    let mut door = door.open().await;
    live_through_kills(&mut door, ROUNDS, async |door, deeds, round| {
        kill_in_the_middle(door, deeds, round).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_redis_and_nobody_is_stuck_outside_when_one_of_two_doors_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let redis = Redis::start(folder.path());
    let wire = BadWire::to(redis.address()).await;
    let console = FakeConsole::start().await;
    let plan = || Door::plan().site("console", &console.url()).policy(&policy(0));
    let mut door = plan().node_over("one", wire.address()).open().await;
    let other = plan().node("two", &redis).open().await;
    live_through_kills(&mut door, ROUNDS_ON_REDIS, async |door, deeds, round| {
        let weather = WEATHERS[round % WEATHERS.len()];
        if weather == Weather::Fair {
            kill_in_the_middle(door, deeds, round).await;
        } else {
            wait_for_deeds(deeds, round).await;
            wire.becomes(weather);
            // Nothing is awaited: whatever each worker is at by now is not answered.
            tokio::time::sleep(UNDER_WAY).await;
            door.kill();
            wire.cut();
            wire.becomes(Weather::Fair);
        }
        let began = Instant::now();
        let ada = other.visitor("console");
        eventually("somebody is let in at the other door", LET_IN_WITHIN, async || {
            (ada.sign_in("ada", PASSWORD).await.status == 200).then_some(())
        })
        .await;
        acknowledge(&deeds.session, ada.cookie("stagedoor").expect("a cookie"));
        println!(
            "round {round}: {weather:?}, let in at the other door after {:?}",
            began.elapsed()
        );
    })
    .await;
    let policies = (policy_of(&door).await, policy_of(&other).await);
    assert_eq!(policies.0, policies.1, "the doors run different policies");
}

async fn policy_of(door: &Door) -> String {
    door.admin().get("/v1/policy").await.expect(200).text()
}

/// Workers are set to work, the door is killed, started again and looked at; so often.
async fn live_through_kills(door: &mut Door, rounds: usize, kill: impl AsyncFn(&mut Door, &Deeds, usize)) {
    let admin = door.admin();
    for name in ["ada", "bea", "cid"] {
        admin.add_account(name, "operator").await;
    }
    let deeds = Deeds {
        session: Deed::shared(
            door.signed_in("console", "ada")
                .await
                .cookie("stagedoor")
                .expect("a cookie"),
        ),
        role: Deed::shared("operator".to_owned()),
        password: Deed::shared(PASSWORD.to_owned()),
        policy: Deed::shared(policy(0)),
    };
    let started = Instant::now();
    for round in 1..=rounds {
        let workers = set_to_work(door, &deeds, round);
        kill(door, &deeds, round).await;
        for worker in workers {
            worker.await.expect("a worker ends when the door does");
        }
        let began = Instant::now();
        door.start().await;
        assert!(
            began.elapsed() < BACK_WITHIN,
            "the door took {:?} to be back",
            began.elapsed()
        );
        check(door, &deeds).await;
    }
    let counts = deeds.all().map(|deed| read(deed).acknowledgements);
    println!(
        "{rounds} kills in {:?}; acknowledged sign-ins, roles, passwords, policies: {counts:?}",
        started.elapsed()
    );
    assert!(counts.iter().all(|count| *count > 0), "a kind of deed was never done");
}
