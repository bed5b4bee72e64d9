//! What people have in their hands: links that were sent, sessions that were opened, and the secrets of their apps. What a
//! session is still worth is held to the account as it is stored, whatever memory says.

use std::collections::BTreeMap;
use std::time::Duration;

use stagedoor_identity::sign_in::{NextStep, OpenSession, Progress, SignInRefusal};
use stagedoor_identity::{AccountId, Clock as _, Lookup, Secret, SessionToken};
use stagedoor_policy::time::Timestamp;

use super::stage::{HERE, Stage, attempt, origin};

/// See the module.
#[derive(Default)]
pub(crate) struct Hands {
    pub(crate) links: Vec<(AccountId, Secret)>,
    pub(crate) held: Vec<Held>,
    secrets: BTreeMap<AccountId, Secret>,
}

/// A session, and what its account was when it was opened.
pub(crate) struct Held {
    pub(crate) id: AccountId,
    token: SessionToken,
    role: String,
    credentials_version: u64,
    second_factor: bool,
    opened_at: Timestamp,
}

impl Hands {
    /// Signs in, with a second factor where one is asked for, as far as others let it.
    pub(crate) async fn sign_in(&mut self, stage: &Stage, id: AccountId, name: &str, password: &str) {
        let progress = stage.door.sign_in(attempt(name, password)).await;
        self.go_on(stage, id, progress).await;
    }

    /// What comes after a password.
    pub(crate) async fn go_on(&mut self, stage: &Stage, id: AccountId, progress: Result<Progress, SignInRefusal>) {
        let progress = match progress {
            Ok(Progress::Needs(NextStep::EnrolSecondFactor, ticket)) => {
                let Ok(enrolment) = stage.door.begin_enrolment(&ticket, &origin(HERE)).await else {
                    return;
                };
                let code = stage.code(&enrolment.typed);
                let confirmed = stage
                    .door
                    .confirm_enrolment(&enrolment.ticket, &code, origin(HERE))
                    .await;
                let Ok((_, progress)) = confirmed else { return };
                self.secrets.insert(id, enrolment.typed);
                Ok(progress)
            }
            Ok(Progress::Needs(NextStep::SecondFactor, ticket)) => match self.secrets.get(&id) {
                Some(secret) => {
                    let code = stage.code(secret);
                    stage.door.second_factor(&ticket, &code, origin(HERE)).await
                }
                None => return,
            },
            other => other,
        };
        if let Ok(Progress::Open(open)) = progress {
            self.hold(stage, id, &open).await;
        }
    }

    async fn hold(&mut self, stage: &Stage, id: AccountId, open: &OpenSession) {
        let Some(credentials) = stage.store.credentials(id).await.unwrap() else {
            return;
        };
        self.held.push(Held {
            id,
            token: open.token.clone(),
            role: open.session.account().role.clone(),
            credentials_version: credentials.credentials_version,
            second_factor: open.session.record().second_factor,
            opened_at: stage.clock.now(),
        });
    }

    /// Each session that still opens anything has the right to: its account is there, accepted, not disabled and not banned, of
    /// the role it had, with the password and second factor it had; it is neither old nor idle, nor displaced by a later one.
    pub(crate) async fn none_outlives_its_right(&self, stage: &Stage) {
        let now = stage.clock.now();
        for (number, held) in self.held.iter().enumerate() {
            if !held.is_live(stage) {
                continue;
            }
            let account = stage.store.account(held.id).await.unwrap().expect("a live session's");
            let credentials = stage.store.credentials(held.id).await.unwrap().unwrap();
            assert!(account.accepted_at.is_some() && !account.disabled, "{account:?}");
            assert_eq!(account.role, held.role, "the role it was opened for");
            assert_eq!(credentials.credentials_version, held.credentials_version);
            assert!(held.second_factor || !account.second_factor_demanded, "{account:?}");
            let rules = stage.door.policy().session_rules("browser");
            assert!(
                now < held.opened_at.after(rules.lifetime.min(rules.idle)),
                "old, or idle"
            );
            let used = account.last_sign_in_at.unwrap_or(held.opened_at);
            assert!(now < used.after(Duration::from_secs(30 * 86_400)), "banned");
            let mut later = self.held.iter().skip(number + 1);
            assert!(!later.any(|later| later.id == held.id), "displaced");
        }
    }
}

impl Held {
    pub(crate) fn is_live(&self, stage: &Stage) -> bool {
        matches!(stage.door.look_up(&self.token, stage.clock.now()), Lookup::Live(_))
    }
}
