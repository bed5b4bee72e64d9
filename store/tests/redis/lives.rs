//! The lives of accounts against a small model of them: whatever happens in whatever order, alone and all at once, seats are
//! never exceeded, there is one head and a last one of the protected role, no session outlives its right, and no counter goes
//! back. The same on every store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use stagedoor_identity::account::{AccountQuery, AccountState, NewAccount};
use stagedoor_identity::port::SharedStore;
use stagedoor_identity::testing::MemoryStore;
use stagedoor_identity::{Account, AccountId, Actor, Clock as _};
use stagedoor_policy::rules::{HeldBy, RoleRules, Rules, SeatRules};
use stagedoor_policy::time::Timestamp;
use stagedoor_store::redis::Settings;
use stagedoor_store::{Embedded, Redis};

use super::hands::Hands;
use super::server::Server;
use super::stage::{HERE, Stage, by, new_account, origin, password};
use super::steps::{NEW, ROLES, Step, aside, change, number_of, step};

const SEATS: usize = 3;
fn rules() -> Rules {
    let role = || RoleRules {
        administers: vec!["*".to_owned()],
        ..RoleRules::default()
    };
    let mut roles: BTreeMap<String, RoleRules> = ROLES.map(|name| (name.to_owned(), role())).into();
    roles.get_mut("super").unwrap().keep_at_least = 1;
    roles.get_mut("head").unwrap().held_by = HeldBy::One;
    let seats = SeatRules {
        roles: vec!["admin".to_owned(), "clerk".to_owned()],
        at_most: u32::try_from(SEATS).unwrap(),
        advice: None,
    };
    let mut rules = Rules {
        roles,
        seats: [("staff".to_owned(), seats)].into(),
        ..Rules::default()
    };
    rules.inactivity.block_after = Some(Duration::from_secs(30 * 86_400));
    rules
}

/// What the model knows of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Life {
    role: String,
    accepted: bool,
    disabled: bool,
}

impl Life {
    fn seated(&self) -> bool {
        matches!(self.role.as_str(), "admin" | "clerk")
    }

    fn keeps(&self) -> bool {
        matches!(self.role.as_str(), "super" | "head") && self.accepted && !self.disabled
    }
}

type Lives = BTreeMap<AccountId, Life>;

/// Whether an account may go from one life to another (`None`: none) by these rules, the whole of them.
fn may_become(lives: &Lives, id: AccountId, after: Option<&Life>) -> bool {
    let before = lives.get(&id);
    let others = || lives.iter().filter(|(other, _)| **other != id).map(|(_, life)| life);
    let takes_seat = after.is_some_and(Life::seated) && !before.is_some_and(Life::seated);
    let seat_left = !takes_seat || others().filter(|life| life.seated()).count() < SEATS;
    let second_head = after.is_some_and(|life| life.role == "head")
        && before.is_none_or(|life| life.role != "head")
        && others().any(|life| life.role == "head");
    let last = before.filter(|life| life.keeps()).is_some_and(|life| {
        let stays = after.is_some_and(|after| after.keeps() && after.role == life.role);
        !stays && !others().any(|other| other.keeps() && other.role == life.role)
    });
    seat_left && !second_head && !last
}

/// One go: a door, what the model takes to be so, what was handed out and counters as last seen.
struct Play {
    stage: Arc<Stage>,
    lives: Lives,
    hands: Hands,
    counters: BTreeMap<AccountId, Counters>,
    made: usize,
}

impl Play {
    async fn begin(store: SharedStore) -> Self {
        let stage = Arc::new(Stage::with(rules(), store).await);
        let mut play = Self {
            stage,
            lives: Lives::new(),
            hands: Hands::default(),
            counters: BTreeMap::new(),
            made: 0,
        };
        for role in ["head", "super"] {
            play.take(Step::Create(role)).await;
        }
        play
    }

    fn who(&self, number: usize) -> AccountId {
        *self.lives.keys().nth(number % self.lives.len()).unwrap()
    }

    /// Takes a step and holds what came of it to the model.
    async fn take(&mut self, step: Step) {
        let stage = Arc::clone(&self.stage);
        let (id, after) = match step {
            Step::Create(role) | Step::Invite(role) => {
                let accepted = matches!(step, Step::Create(_));
                (
                    AccountId(uuid::Uuid::nil()),
                    Some(Life {
                        role: role.to_owned(),
                        accepted,
                        disabled: false,
                    }),
                )
            }
            Step::Remove(number) => (self.who(number), None),
            Step::Role(number, role) => {
                let id = self.who(number);
                (
                    id,
                    Some(Life {
                        role: role.to_owned(),
                        ..self.lives[&id].clone()
                    }),
                )
            }
            Step::Disable(number, disabled) => {
                let id = self.who(number);
                (
                    id,
                    Some(Life {
                        disabled,
                        ..self.lives[&id].clone()
                    }),
                )
            }
            Step::HandOver(number) => return self.hand_over(self.who(number)).await,
            Step::Accept(number) => return self.accept(number).await,
            other => {
                self.made += 1;
                let who = self
                    .lives
                    .keys()
                    .copied()
                    .nth(number_of(&other) % self.lives.len())
                    .unwrap();
                return aside(&stage, who, other, self.made, &mut self.hands).await;
            }
        };
        // A head's role is handed over and not changed, whoever asks.
        let is_head = self.lives.get(&id).is_some_and(|life| life.role == "head");
        let role_stays = after.as_ref().is_none_or(|after| !is_head || after.role == "head");
        let expected = may_become(&self.lives, id, after.as_ref()) && role_stays;
        self.made += 1;
        let outcome = change(&stage, id, step.clone(), self.made, &mut self.hands).await;
        assert_eq!(outcome.is_ok(), expected, "{step:?} with {:?}: {outcome:?}", self.lives);
        match (outcome, after) {
            (Ok(id), Some(after)) => drop(self.lives.insert(id, after)),
            (Ok(id), None) => drop(self.lives.remove(&id)),
            (Err(_), _) => {}
        }
    }

    async fn hand_over(&mut self, heir: AccountId) {
        let (head, _) = self.lives.iter().find(|(_, life)| life.role == "head").unwrap();
        let head = *head;
        let account = self.stage.store.account(head).await.unwrap().unwrap();
        let state = self.stage.door.state_of(&account).await.unwrap();
        let of_heir = self.stage.store.account(heir).await.unwrap().unwrap();
        let heir_state = self.stage.door.state_of(&of_heir).await.unwrap();
        let fit = matches!(heir_state, AccountState::Active | AccountState::Locked);
        let acts = matches!(state, AccountState::Active | AccountState::Locked);
        let outcome = self.stage.door.hand_over(heir, &Actor::account(&account)).await;
        // The former gets the very role that the heir had: neither seats nor the last of that role are in question.
        let was = self.lives[&heir].role.clone();
        let expected = acts && fit && heir != head;
        assert_eq!(outcome.is_ok(), expected, "{state:?} to {heir_state:?}: {outcome:?}");
        if outcome.is_ok() {
            self.lives.get_mut(&head).unwrap().role = was;
            self.lives.get_mut(&heir).unwrap().role = "head".to_owned();
        }
    }

    async fn accept(&mut self, number: usize) {
        if self.hands.links.is_empty() {
            return;
        }
        let (id, link) = self.hands.links.remove(number % self.hands.links.len());
        let accepted = self
            .stage
            .door
            .accept(&link, &password(NEW), "browser", origin(HERE))
            .await;
        if let Ok(accepted) = accepted {
            self.hands.go_on(&self.stage, id, accepted.next).await;
            let life = self.lives.get_mut(&id).expect("a link of an account that there is");
            assert!(!life.disabled);
            life.accepted = true;
        }
    }

    async fn check(&mut self) {
        let stage = &self.stage;
        let query = AccountQuery {
            limit: 1000,
            ..AccountQuery::default()
        };
        let accounts = stage.store.list_accounts(&query).await.unwrap();
        let found: Lives = accounts
            .iter()
            .map(|account| {
                let (role, disabled) = (account.role.clone(), account.disabled);
                (
                    account.id,
                    Life {
                        role,
                        accepted: account.accepted_at.is_some(),
                        disabled,
                    },
                )
            })
            .collect();
        assert_eq!(found, self.lives);
        hold(stage, &found).await;
        self.hands.none_outlives_its_right(stage).await;
        for account in &accounts {
            let now = Counters::of(stage, account).await;
            let before = self.counters.insert(account.id, now.clone()).unwrap_or_default();
            now.have_not_gone_back(&before);
        }
    }
}

/// Of one account.
#[derive(Debug, Clone, Default)]
struct Counters {
    version: u64,
    credentials_version: u64,
    /// The last step of its app that was used up, where it is the same app.
    totp_last_step: Option<u64>,
    last_sign_in_micros: Option<i64>,
}

impl Counters {
    async fn of(stage: &Stage, account: &Account) -> Self {
        let credentials = stage.store.credentials(account.id).await.unwrap().unwrap();
        Self {
            version: account.version,
            credentials_version: credentials.credentials_version,
            totp_last_step: credentials.totp_last_step,
            last_sign_in_micros: account.last_sign_in_at.map(Timestamp::as_micros),
        }
    }

    fn have_not_gone_back(&self, before: &Self) {
        let risen = self.version >= before.version
            && self.credentials_version >= before.credentials_version
            && self.last_sign_in_micros >= before.last_sign_in_micros
            && (self.credentials_version > before.credentials_version || self.totp_last_step >= before.totp_last_step);
        assert!(risen, "{before:?} then {self:?}");
    }
}

/// What holds whatever happens.
async fn hold(stage: &Stage, lives: &Lives) {
    let count = |of: &dyn Fn(&Life) -> bool| lives.values().filter(|life| of(life)).count();
    assert!(count(&Life::seated) <= SEATS, "{lives:?}");
    assert_eq!(count(&|life| life.role == "head"), 1, "{lives:?}");
    assert!(count(&|life| life.role == "super" && life.keeps()) >= 1, "{lives:?}");
    assert!(count(&|life| life.role == "head" && life.keeps()) == 1, "{lives:?}");
    let stored = stage.store.sessions(stage.clock.now()).await.unwrap();
    for (session, account) in stage.door.sessions() {
        let life = lives.get(&account.id).expect("a session of an account that there is");
        assert!(life.accepted && !life.disabled, "{life:?}");
        let state = stage.door.state_of(&account).await.unwrap();
        assert!(
            matches!(state, AccountState::Active | AccountState::Locked),
            "{state:?}"
        );
        assert_eq!(life.role, account.role, "memory knows the role of now");
        assert!(!account.second_factor_demanded || session.second_factor);
        let known = stored.iter().find(|stored| stored.id == session.id);
        assert!(
            known.is_some_and(|stored| stored.ended.is_none()),
            "live in memory and not in the store"
        );
    }
}

/// All at once, without the model: what came of it is held to the rules alone.
async fn all_at_once(store: SharedStore, steps: Vec<Step>) {
    let play = Play::begin(store).await;
    let known: Vec<AccountId> = play.lives.keys().copied().collect();
    for role in ["admin", "clerk", "free", "super"] {
        let new = NewAccount {
            role: Some(role.to_owned()),
            ..new_account(role)
        };
        play.stage.door.create_account(new, &by()).await.unwrap();
    }
    let query = AccountQuery {
        limit: 1000,
        ..AccountQuery::default()
    };
    let before = play.stage.store.list_accounts(&query).await.unwrap();
    let mut counters = BTreeMap::new();
    for account in &before {
        counters.insert(account.id, Counters::of(&play.stage, account).await);
    }
    let ids: Vec<AccountId> = before.iter().map(|one| one.id).collect();
    assert!(known.iter().all(|id| ids.contains(id)));
    // Time passes for all of them together, beforehand: some are banned then.
    for step in &steps {
        if let Step::Wait(minutes) = step {
            play.stage.wait(minutes * 60);
        }
    }
    let running: Vec<_> = steps
        .into_iter()
        .enumerate()
        .map(|(number, step)| {
            let (stage, ids) = (Arc::clone(&play.stage), ids.clone());
            tokio::spawn(async move { at_once(&stage, &ids, step, 1000 + number).await })
        })
        .collect();
    let mut held = Vec::new();
    for task in running {
        held.extend(task.await.unwrap().held);
    }
    let accounts = play.stage.store.list_accounts(&query).await.unwrap();
    for account in &accounts {
        if let Some(before) = counters.get(&account.id) {
            Counters::of(&play.stage, account).await.have_not_gone_back(before);
        }
    }
    let lives: Lives = accounts
        .into_iter()
        .map(|account| {
            let accepted = account.accepted_at.is_some();
            (
                account.id,
                Life {
                    role: account.role,
                    accepted,
                    disabled: account.disabled,
                },
            )
        })
        .collect();
    hold(&play.stage, &lives).await;
    let mut alive = BTreeSet::new();
    for held in held.iter().filter(|held| held.is_live(&play.stage)) {
        let life = lives.get(&held.id).expect("a session of an account that there is");
        assert!(life.accepted && !life.disabled, "{life:?}");
        assert!(alive.insert(held.id), "one session an account");
    }
}

async fn at_once(stage: &Stage, ids: &[AccountId], step: Step, number: usize) -> Hands {
    let mut hands = Hands::default();
    let whose = |number: usize| ids[number % ids.len()];
    match step {
        Step::Create(_) => drop(change(stage, whose(0), step, number, &mut hands).await),
        Step::Invite(_) | Step::Accept(_) => {
            let role = if let Step::Invite(role) = step { role } else { "super" };
            drop(change(stage, whose(0), Step::Invite(role), number, &mut hands).await);
            for (id, link) in std::mem::take(&mut hands.links) {
                let accepted = stage.door.accept(&link, &password(NEW), "browser", origin(HERE)).await;
                if let Ok(accepted) = accepted {
                    hands.go_on(stage, id, accepted.next).await;
                }
            }
        }
        Step::Remove(who) | Step::Role(who, _) | Step::Disable(who, _) => {
            drop(change(stage, whose(who), step, number, &mut hands).await);
        }
        Step::HandOver(who) => {
            for id in ids {
                let account = stage.store.account(*id).await.unwrap();
                if let Some(head) = account.filter(|account| account.role == "head") {
                    drop(stage.door.hand_over(whose(who), &Actor::account(&head)).await);
                }
            }
        }
        Step::Wait(_) => {}
        other => aside(stage, whose(number_of(&other)), other, number, &mut hands).await,
    }
    hands
}

fn runner() -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases: 24,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })
}

/// Each time on a new, empty store.
fn in_any_order(new_store: impl AsyncFn() -> SharedStore) {
    let played = runner().run(&proptest::collection::vec(step(), 1..32), |steps| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut play = Play::begin(new_store().await).await;
            for step in steps {
                play.take(step).await;
                play.check().await;
            }
        });
        Ok(())
    });
    played.unwrap_or_else(|broken| panic!("{broken}"));
}

/// Each time on a new, empty store.
fn all_together(new_store: impl AsyncFn() -> SharedStore) {
    let played = runner().run(&proptest::collection::vec(step(), 8..40), |steps| {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(4).enable_all().build().unwrap();
        runtime.block_on(async { all_at_once(new_store().await, steps).await });
        Ok(())
    });
    played.unwrap_or_else(|broken| panic!("{broken}"));
}

async fn in_memory() -> SharedStore {
    Arc::new(MemoryStore::new())
}

/// A new folder for each store; all of them go at the end.
fn embedded(all: &tempfile::TempDir) -> impl AsyncFn() -> SharedStore {
    let number = AtomicUsize::new(0);
    async move || {
        let folder = all.path().join(number.fetch_add(1, Ordering::Relaxed).to_string());
        Arc::new(Embedded::open(&folder).unwrap()) as SharedStore
    }
}

/// New keys on one server for each store.
fn on_redis(server: &Server) -> impl AsyncFn() -> SharedStore {
    let number = AtomicUsize::new(0);
    async move || {
        let settings = Settings {
            prefix: format!("go-{}", number.fetch_add(1, Ordering::Relaxed)),
            shared: true,
            ..server.settings()
        };
        Arc::new(Redis::open(settings).await.unwrap()) as SharedStore
    }
}

#[test]
fn any_order_of_steps_ends_where_the_model_ends() {
    in_any_order(in_memory);
}

#[test]
fn steps_taken_all_at_once_keep_the_rules_too() {
    all_together(in_memory);
}

#[test]
fn any_order_of_steps_on_the_embedded_store_ends_where_the_model_ends() {
    let all = tempfile::tempdir().unwrap();
    in_any_order(embedded(&all));
}

#[test]
fn steps_taken_all_at_once_on_the_embedded_store_keep_the_rules_too() {
    let all = tempfile::tempdir().unwrap();
    all_together(embedded(&all));
}

#[test]
fn any_order_of_steps_on_redis_ends_where_the_model_ends() {
    let server = Server::with(&["--appendonly", "no"]);
    in_any_order(on_redis(&server));
}

#[test]
fn steps_taken_all_at_once_on_redis_keep_the_rules_too() {
    let server = Server::with(&["--appendonly", "no"]);
    all_together(on_redis(&server));
}
