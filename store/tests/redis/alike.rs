//! The two stores side by side: whatever is done in whatever order, both answer alike. The seed is printed where they do not.

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use stagedoor_identity::account::{AccountChange, AccountName, AccountQuery, Invitation};
use stagedoor_identity::letter::{Failure, LetterId, LetterKind, QueuedLetter};
use stagedoor_identity::port::{
    Acting, ApiToken, Asking, Device, DeviceId, DeviceQuery, FreshLink, HandOver, KeepRule, Link, LinkPurpose,
    SeatRule, SharedStore, Source, StoreError, Structure,
};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::session::SessionRecord;
use stagedoor_identity::{Account, AccountId, EndReason, SessionId};
use stagedoor_policy::rules::{LockoutRules, WhenFull};
use stagedoor_policy::time::Timestamp;
use stagedoor_store::redis::Settings;
use stagedoor_store::{Embedded, Redis};
use uuid::Uuid;

use super::server::Server;

const ROLES: [&str; 4] = ["head", "chief", "clerk", "роль: *"];
const TEXTS: [&str; 5] = ["", "Ann", "Straße", "İstanbul \u{0}'\"", "홍길동"];
const EMAILS: [&str; 3] = ["ann@example.org", "ANN@example.org", "bob@example.org"];
const PURPOSES: [LinkPurpose; 4] = LinkPurpose::ALL;
const REASON: EndReason = EndReason::AccountChanged;
const SEEDS: u64 = 12;
const STEPS: usize = 300;

/// SplitMix64: the same steps for the same seed on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).expect("small")).expect("small")
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn id(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.one_in(2) { Some(make(self)) } else { None }
    }
}

fn said<T: Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(refused) => format!("refused: {refused}"),
    }
}

fn sorted(mut ended: Vec<SessionId>) -> Vec<SessionId> {
    ended.sort();
    ended
}

/// One go on one store. What it draws depends on the dice alone, and on what the store has answered so far.
struct Play {
    store: SharedStore,
    dice: Dice,
    accounts: Vec<AccountId>,
    sessions: Vec<SessionId>,
    devices: Vec<DeviceId>,
    letters: Vec<LetterId>,
    now: i64,
}

impl Play {
    fn new(store: SharedStore, seed: u64) -> Self {
        Self {
            store,
            dice: Dice(seed),
            accounts: vec![AccountId(Uuid::from_u128(1))],
            sessions: vec![SessionId(Uuid::from_u128(1))],
            devices: vec![DeviceId(Uuid::from_u128(1))],
            letters: vec![LetterId(Uuid::from_u128(1))],
            now: 1_800_000_000_000_000,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now)
    }

    fn name(&mut self) -> AccountName {
        AccountName::parse(&format!("u{}", self.dice.below(12))).expect("a name")
    }

    fn who(&mut self) -> AccountId {
        let accounts = self.accounts.clone();
        self.dice.of(&accounts)
    }

    async fn version(&self, id: AccountId) -> u64 {
        let account = self.store.account(id).await.expect("read");
        account.map_or(1, |account| account.version)
    }

    async fn structure(&mut self) -> Structure {
        let mut rules = Structure::default();
        if self.dice.one_in(2) {
            rules.seats.push(SeatRule {
                name: "staff".to_owned(),
                roles: vec!["chief".to_owned(), "clerk".to_owned()],
                at_most: 4,
            });
        }
        rules.keep.extend(self.dice.maybe(|_dice| KeepRule {
            role: "head".to_owned(),
            at_least: 1,
        }));
        rules.keep.extend(self.dice.maybe(|_dice| KeepRule {
            role: ROLES[3].to_owned(),
            at_least: 2,
        }));
        rules.one.extend(self.dice.maybe(|_dice| "head".to_owned()));
        if self.dice.one_in(4) {
            let id = self.who();
            let version = self.version(id).await;
            rules.acting = Some(Acting { id, version });
        }
        rules
    }

    fn letter(&mut self, account: Option<AccountId>, kind: LetterKind) -> QueuedLetter {
        let id = LetterId(self.dice.id());
        self.letters.push(id);
        QueuedLetter {
            id,
            account,
            kind,
            to: self.dice.of(&TEXTS).to_owned(),
            sealed: vec![0, 200],
            due_at: self.now(),
            give_up_at: self.now().after(Duration::from_secs(60)),
            letters_max: 6,
        }
    }

    async fn fresh(&mut self, account: AccountId) -> FreshLink {
        let purpose = self.dice.of(&PURPOSES);
        let credentials = self.store.credentials(account).await.expect("read");
        let stale = u64::from(self.dice.one_in(5));
        let link = Link {
            hash: TokenHash([u8::try_from(self.dice.below(8)).expect("small"); 32]),
            account,
            purpose,
            email: (purpose == LinkPurpose::Email).then(|| self.dice.of(&EMAILS).to_owned()),
            credentials_version: credentials.map_or(1, |held| held.credentials_version) + stale,
            made_at: self.now(),
            expires_at: self.now().after(Duration::from_secs(20)),
        };
        let letter = if self.dice.one_in(3) {
            Some(self.letter(Some(account), LetterKind::Invitation))
        } else {
            None
        };
        FreshLink { link, letter }
    }

    fn hash(&mut self) -> TokenHash {
        TokenHash([u8::try_from(self.dice.below(8)).expect("small"); 32])
    }

    async fn create(&mut self) -> String {
        let id = AccountId(self.dice.id());
        let mut account = Account::new(id, self.name(), self.dice.of(&ROLES), self.now());
        account.display_name = self.dice.of(&TEXTS).to_owned();
        account.email = self.dice.maybe(|dice| dice.of(&EMAILS).to_owned());
        account.second_factor_demanded = self.dice.one_in(3);
        let mut invitation = None;
        if self.dice.one_in(3) {
            account.accepted_at = None;
            let mut fresh = self.fresh(id).await;
            fresh.link.purpose = LinkPurpose::Invitation;
            account.invitation = Some(Invitation {
                sent_at: fresh.link.made_at,
                expires_at: fresh.link.expires_at,
            });
            invitation = Some(fresh);
        }
        let rules = self.structure().await;
        self.accounts.push(id);
        said(
            self.store
                .create_account(&account, "hash", invitation.as_ref(), &rules)
                .await,
        )
    }

    async fn change(&mut self) -> String {
        let (id, rules) = (self.who(), self.structure().await);
        let new_name = self.name();
        let dice = &mut self.dice;
        let change = AccountChange {
            display_name: dice.maybe(|dice| dice.of(&TEXTS).to_owned()),
            email: dice.maybe(|dice| dice.maybe(|dice| dice.of(&EMAILS).to_owned())),
            role: dice.maybe(|dice| dice.of(&ROLES).to_owned()),
            networks: dice.maybe(|dice| vec![dice.of(&TEXTS).to_owned()]),
            disabled: dice.maybe(|dice| dice.one_in(2)),
            name: if dice.one_in(3) { Some(new_name) } else { None },
            second_factor_demanded: dice.maybe(|dice| dice.one_in(2)),
            preferences: dice.maybe(|dice| [("landing".to_owned(), dice.of(&TEXTS).to_owned())].into()),
            ..AccountChange::default()
        };
        let expected = if self.dice.one_in(3) {
            Some(self.version(id).await)
        } else {
            None
        };
        let end = self.dice.one_in(2).then_some((&REASON, self.now()));
        let changed = self.store.change_account(id, expected, &change, end, &rules).await;
        said(changed.map(|(account, ended)| (account, sorted(ended))))
    }

    async fn hand_over(&mut self) -> String {
        let (holder, heir) = (self.who(), self.who());
        if holder == heir {
            return "nobody hands over to himself".to_owned();
        }
        let to = |role: &str| AccountChange {
            role: Some(role.to_owned()),
            ..AccountChange::default()
        };
        let handing = HandOver {
            holder: (holder, self.version(holder).await),
            holder_becomes: to(self.dice.of(&ROLES)),
            heir: (heir, self.version(heir).await),
            heir_becomes: to(self.dice.of(&ROLES)),
        };
        let rules = self.structure().await;
        let handed = self.store.hand_over(&handing, &REASON, self.now(), &rules).await;
        said(handed.map(|(one, two, ended)| (one, two, sorted(ended))))
    }

    async fn credentials(&mut self) -> String {
        let (id, now) = (self.who(), self.now());
        match self.dice.below(4) {
            0 => said(
                self.store
                    .set_password(id, "new", true, None, &REASON, now)
                    .await
                    .map(sorted),
            ),
            1 => said(self.store.clear_second_factor(id, &REASON, now).await.map(sorted)),
            2 => {
                let hash = self.hash();
                let right = self.dice.one_in(2).then_some((&hash, now));
                said(self.store.set_second_factor(id, b"sealed", 7, &[[1; 32]], right).await)
            }
            _ => said(self.store.use_recovery_code(id, &[1; 32]).await),
        }
    }

    async fn link(&mut self) -> String {
        let (id, hash, purpose, now) = (self.who(), self.hash(), self.dice.of(&PURPOSES), self.now());
        match self.dice.below(7) {
            0 | 1 => {
                let fresh = self.fresh(id).await;
                said(self.store.add_link(&fresh).await)
            }
            2 => said(self.store.link(&hash, purpose, now).await),
            3 => {
                let redeemed = self
                    .store
                    .redeem_for_password(&hash, purpose, "redeemed", &REASON, now)
                    .await;
                said(redeemed.map(|(account, ended)| (account, sorted(ended))))
            }
            4 => said(self.store.redeem_for_email(&hash, now).await),
            5 => said(self.store.revoke_link(id, purpose).await),
            _ => {
                let asking = Asking {
                    counted: vec![(self.hash().0, 2), (self.hash().0, 3)],
                    since: Timestamp::from_micros(self.now - 10_000_000),
                    now,
                };
                let fresh = if self.dice.one_in(2) {
                    Some(self.fresh(id).await)
                } else {
                    None
                };
                said(self.store.ask(&asking, fresh.as_ref()).await)
            }
        }
    }

    async fn session(&mut self) -> String {
        let (account, now) = (self.who(), self.now());
        let (devices, sessions) = (self.devices.clone(), self.sessions.clone());
        match self.dice.below(5) {
            0..3 => {
                let id = SessionId(self.dice.id());
                self.sessions.push(id);
                let session = SessionRecord {
                    id,
                    token: TokenHash::of(id.0.as_bytes()),
                    account,
                    channel: "browser".to_owned(),
                    address: IpAddr::from([192, 0, 2, 7]),
                    user_agent: self.dice.of(&TEXTS).to_owned(),
                    second_factor: false,
                    device: if self.dice.one_in(3) {
                        Some(self.dice.of(&devices))
                    } else {
                        None
                    },
                    opened_at: now,
                    expires_at: now.after(Duration::from_secs(60)),
                    idle_after: Duration::from_secs(20),
                    last_used_at: now,
                    ended: None,
                };
                let (held, found) = (self.store.credentials(account).await, self.store.account(account).await);
                let version = held.expect("read").map_or(1, |held| held.credentials_version);
                let role = found.expect("read").map_or_else(String::new, |account| account.role);
                let full = self.dice.of(&[WhenFull::Refuse, WhenFull::Displace]);
                said(self.store.open_session(&session, version, &role, 2, full).await)
            }
            3 => said(self.store.end_session(self.dice.of(&sessions), &REASON, now).await),
            _ => {
                let used = [(self.dice.of(&sessions), account, now)];
                said(self.store.touch(&used).await)
            }
        }
    }

    async fn attempt(&mut self) -> String {
        let (name, now) = (self.name(), self.now());
        let source = Source(self.dice.of(&["192.0.2.1", "2001:db8::/64"]).to_owned());
        let rules = LockoutRules {
            failures: 2,
            failures_from_anywhere: 4,
            within: Duration::from_secs(20),
            lasts: Duration::from_secs(10),
        };
        match self.dice.below(6) {
            0..4 => said(self.store.reserve_attempt(name.as_str(), &source, &rules, now).await),
            4 => said(self.store.forgive(name.as_str(), &source).await),
            _ => said(self.store.unlock(&name).await),
        }
    }

    async fn device(&mut self) -> String {
        let (devices, now) = (self.devices.clone(), self.now());
        let (id, account) = (self.dice.of(&devices), self.who());
        match self.dice.below(4) {
            0 | 1 => {
                let device = Device {
                    id: DeviceId(self.dice.id()),
                    name: format!("{} {}", self.dice.of(&TEXTS), self.dice.below(4)),
                    registered_at: now,
                    last_seen_at: None,
                    account: self.dice.maybe(|_dice| account),
                };
                self.devices.push(device.id);
                said(self.store.add_device(&device, &self.hash_of(device.id)).await)
            }
            2 => {
                let owner = self.dice.maybe(|_dice| account);
                let linked = self.store.link_device(id, owner, &REASON, now).await;
                said(linked.map(|(device, ended)| (device, sorted(ended))))
            }
            _ => said(self.store.remove_device(id, &REASON, now).await.map(sorted)),
        }
    }

    fn hash_of(&self, id: DeviceId) -> TokenHash {
        TokenHash::of(id.0.as_bytes())
    }

    async fn outbox(&mut self) -> String {
        let (letters, now) = (self.letters.clone(), self.now());
        let (id, claim) = (
            self.dice.of(&letters),
            u32::try_from(self.dice.below(3)).expect("small"),
        );
        let worker = self.dice.of(&["one", "two"]);
        match self.dice.below(8) {
            0 | 1 => {
                let account = self.who();
                let account = self.dice.maybe(|_dice| account);
                let kind = self.dice.of(&[
                    LetterKind::Invitation,
                    LetterKind::InvitationReminder,
                    LetterKind::Trial,
                ]);
                let letter = self.letter(account, kind);
                said(self.store.queue_letter(&letter).await)
            }
            2 => said(self.store.take_due(worker, now, Duration::from_secs(5), 2).await),
            3 => said(
                self.store
                    .handing_over(id, claim, now.after(Duration::from_secs(9)))
                    .await,
            ),
            4 => {
                let failure = Failure {
                    why: self.dice.of(&TEXTS).to_owned(),
                    retry_at: now.after(Duration::from_secs(3)),
                    may_have_arrived: self.dice.one_in(2),
                };
                said(self.store.letter_failed(id, claim, &failure).await)
            }
            5 => said(self.store.give_letter_up(id, claim).await),
            6 => {
                let account = self.who();
                let since =
                    Timestamp::from_micros(self.now - i64::try_from(self.dice.below(9_000_000)).expect("small"));
                let letter = self.letter(Some(account), LetterKind::InactivityWarning);
                said(self.store.warn_once(account, since, &letter).await)
            }
            _ => said(self.store.release_claims(worker, now).await),
        }
    }

    async fn token(&mut self) -> String {
        let (name, account) = (self.dice.of(&TEXTS), self.who());
        if self.dice.one_in(3) {
            return said(self.store.revoke_token(name).await);
        }
        let token = ApiToken {
            name: name.to_owned(),
            scopes: vec!["*".to_owned()],
            created_at: self.now(),
            expires_at: None,
            account: self.dice.maybe(|_dice| account),
        };
        let hash = self.hash();
        said(self.store.add_token(&token, &hash).await)
    }

    async fn step(&mut self) -> String {
        self.now += i64::try_from(self.dice.below(3_000_000)).expect("small");
        let now = self.now();
        match self.dice.below(20) {
            0..3 => self.create().await,
            3..6 => self.change().await,
            6 => {
                let (id, rules) = (self.who(), self.structure().await);
                said(self.store.remove_account(id, None, &rules).await.map(sorted))
            }
            7 => self.hand_over().await,
            8 => self.credentials().await,
            9..11 => self.link().await,
            11..13 => self.session().await,
            13..15 => self.attempt().await,
            15 => self.device().await,
            16 => self.outbox().await,
            17 => self.token().await,
            18 => {
                let id = self.who();
                said(self.store.reinstate_account(id, now).await)
            }
            _ => {
                let before = Timestamp::from_micros(self.now - 15_000_000);
                let links = said(self.store.forget_links(before).await);
                let sessions = said(self.store.forget_sessions(before).await);
                format!(
                    "{links} {sessions} {}",
                    said(self.store.forget_attempts(before, now).await)
                )
            }
        }
    }

    /// All that the ports show.
    async fn shown(&mut self) -> String {
        let now = self.now();
        let mut shown = vec![said(self.store.sessions(Timestamp::from_micros(0)).await)];
        for part in ["", "u1", "STRASSE", "istan", "길", "\u{0}"] {
            let query = AccountQuery {
                contains: part.to_owned(),
                display_name_only: self.dice.one_in(2),
                roles: self
                    .dice
                    .maybe(|dice| vec![dice.of(&ROLES).to_owned(), dice.of(&ROLES).to_owned()]),
                after: if self.dice.one_in(3) { Some(self.name()) } else { None },
                limit: u32::try_from(self.dice.below(5)).expect("small"),
            };
            shown.push(said(self.store.list_accounts(&query).await));
        }
        for role in ROLES {
            shown.push(said(self.store.last_used_of(role, 3).await));
        }
        for email in EMAILS {
            shown.push(said(self.store.accounts_by_email(email).await));
        }
        for account in [None, Some(self.who())] {
            let query = DeviceQuery {
                account,
                after: self.dice.maybe(|dice| dice.of(&TEXTS).to_owned()),
                limit: 3,
            };
            shown.push(said(self.store.list_devices(&query).await));
        }
        for account in self.accounts.clone() {
            let held = self.store.credentials(account).await.expect("read");
            shown.push(format!(
                "{:?}",
                held.map(|held| (held.password_hash, held.credentials_version))
            ));
        }
        shown.push(said(self.store.lockouts(None, now).await));
        shown.push(said(self.store.list_tokens().await));
        shown.push(said(self.store.list_letters(None, 100).await));
        shown.push(said(self.store.letters_waiting().await));
        shown.join("\n")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_stores_answer_alike_whatever_is_done_in_whatever_order() {
    let server = Server::with(&["--appendonly", "no"]);
    for seed in 0..SEEDS {
        let folder = tempfile::tempdir().expect("a folder");
        let embedded = Embedded::open(&folder.path().join("data")).expect("the store opens");
        let settings = Settings {
            prefix: format!("seed-{seed}"),
            shared: true,
            ..server.settings()
        };
        let redis = Redis::open(settings).await.expect("the store opens");
        let mut one = Play::new(Arc::new(embedded), seed);
        let mut other = Play::new(Arc::new(redis), seed);
        for step in 0..STEPS {
            let (said, says) = (one.step().await, other.step().await);
            assert_eq!(said, says, "seed {seed}, step {step}: embedded, then Redis");
            if step % 10 == 9 {
                let (shown, shows) = (one.shown().await, other.shown().await);
                assert!(
                    shown == shows,
                    "seed {seed}, after step {step}: embedded, then Redis\n{shown}\n\n{shows}"
                );
            }
        }
    }
}
