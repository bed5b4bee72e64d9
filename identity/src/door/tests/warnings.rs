//! Letters before disuse bans.

use super::*;
use crate::letter::LetterKind;
use crate::port::Outbox as _;

const DAY: u64 = 24 * 3600;

/// Banned after thirty days, warned a week before.
fn warned_rules() -> Rules {
    let mut rules = rules();
    rules.session.idle = Duration::from_secs(90 * DAY);
    rules.session.lifetime = Duration::from_secs(90 * DAY);
    rules.inactivity.block_after = Some(Duration::from_secs(30 * DAY));
    rules.inactivity.warn_before = Some(Duration::from_secs(7 * DAY));
    rules
}

fn with_address(name: &str) -> NewAccount {
    NewAccount {
        email: Some(format!("{name}@example.org")),
        ..new_account(name)
    }
}

impl Stage {
    async fn sending(rules: Rules) -> Self {
        let stage = Self::with(rules).await;
        stage.letterhead.swap(Some(SwappableLetterhead::sample()));
        stage
    }

    /// To whom the warnings go that wait, which are taken out with this.
    async fn warnings(&self) -> Vec<String> {
        self.door.keep_house().await.unwrap();
        let due = self
            .door
            .due_letters("test", Duration::from_secs(60), 100)
            .await
            .unwrap();
        let mut to = Vec::new();
        for (letter, _) in due {
            assert_eq!(letter.letter.kind, LetterKind::InactivityWarning);
            self.door.letter_sent(&letter).await.unwrap();
            to.push(letter.letter.to);
        }
        to
    }
}

#[tokio::test]
async fn whoever_stays_away_is_written_once_a_week_before_the_ban_also_over_a_restart() {
    let stage = Stage::sending(warned_rules()).await;
    stage.door.create_account(with_address("ann"), &by()).await.unwrap();
    stage.wait(23 * DAY - 1);
    assert!(stage.warnings().await.is_empty(), "not before");
    stage.wait(1);
    assert_eq!(stage.warnings().await, ["ann@example.org"]);
    assert!(stage.warnings().await.is_empty(), "once");
    let stage = stage.reopened().await;
    stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    stage.wait(DAY);
    assert!(stage.warnings().await.is_empty(), "once, over a restart too");
    let events = stage.events(Kind::AccountWarned).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event.account.as_deref(), Some("ann"));
    stage.wait(6 * DAY);
    assert!(stage.warnings().await.is_empty(), "banned by now");
    assert_eq!(stage.events(Kind::AccountBanned).await.len(), 1);
}

#[tokio::test]
async fn who_came_back_is_warned_again_when_they_stay_away_again() {
    let stage = Stage::sending(warned_rules()).await;
    stage.door.create_account(with_address("ann"), &by()).await.unwrap();
    stage.wait(25 * DAY);
    assert_eq!(stage.warnings().await.len(), 1);
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(20 * DAY);
    stage.door.used(&open.session, stage.clock.now());
    stage.wait(22 * DAY);
    assert!(stage.warnings().await.is_empty(), "use that no sign-in tells of counts");
    stage.wait(DAY);
    assert_eq!(stage.warnings().await.len(), 1);
    let letter = stage.events(Kind::AccountWarned).await;
    assert_eq!(letter.len(), 2);
}

#[tokio::test]
async fn nobody_is_written_whom_no_ban_threatens() {
    let mut rules = warned_rules();
    rules.roles.get_mut("guard").unwrap().inactivity_exempt = true;
    let boss = RoleRules {
        keep_at_least: 1,
        ..RoleRules::default()
    };
    rules.roles.insert("boss".to_owned(), boss);
    let stage = Stage::sending(rules).await;
    for (name, role) in [("exempt", "guard"), ("last", "boss")] {
        let new = NewAccount {
            role: Some(role.to_owned()),
            ..with_address(name)
        };
        stage.door.create_account(new, &by()).await.unwrap();
    }
    let off = stage.door.create_account(with_address("off"), &by()).await.unwrap();
    let disabled = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    stage.door.change_account(off.id, None, disabled, &by()).await.unwrap();
    stage.account("addressless").await;
    stage.wait(29 * DAY);
    assert!(stage.warnings().await.is_empty());
    assert!(stage.events(Kind::AccountWarned).await.is_empty());
}

#[tokio::test]
async fn without_mail_nothing_is_noted_and_the_letter_goes_once_there_is_some() {
    let stage = Stage::with(warned_rules()).await;
    stage.door.create_account(with_address("ann"), &by()).await.unwrap();
    stage.wait(24 * DAY);
    assert!(stage.warnings().await.is_empty());
    stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    stage.store.break_down("warn_once");
    assert!(stage.door.keep_house().await.is_err());
    stage.store.mend();
    let full = crate::letter::Letterhead {
        letters_max: 0,
        ..SwappableLetterhead::sample()
    };
    stage.letterhead.swap(Some(full));
    stage.door.keep_house().await.unwrap();
    assert_eq!(stage.store.letters_waiting().await.unwrap().letters, 0);
    stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    assert_eq!(stage.warnings().await, ["ann@example.org"]);
}
