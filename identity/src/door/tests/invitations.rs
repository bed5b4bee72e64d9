//! Invitations, hand-overs, forgotten passwords, rights to enrol.

use stagedoor_policy::rules::{Enrolment, HeldBy, ReturnsBy, SeatRules};

use super::*;
use crate::account::{AccountState, NewInvitation};
use crate::port::{LinkPurpose, Outbox as _};
use crate::sign_in::RefusedBecause;
use crate::testing::SwappableLetterhead;
use crate::{Accepted, ChangeFault, Invited};

const NEW: &str = "a quite different phrase 9";

fn invitation(name: &str, role: &str) -> NewInvitation {
    NewInvitation {
        name: AccountName::parse(name).unwrap(),
        display_name: String::new(),
        email: Some(format!("{name}@example.org")),
        role: Some(role.to_owned()),
        grants: Vec::new(),
        networks: Vec::new(),
    }
}

fn rules_of_heads() -> Rules {
    let head = RoleRules {
        held_by: HeldBy::One,
        handed_to: Some(vec!["viewer".to_owned()]),
        administers: vec!["*".to_owned()],
        ..RoleRules::default()
    };
    let mut rules = rules();
    rules.roles.insert("head".to_owned(), head);
    rules
}

fn why<T: std::fmt::Debug>(outcome: Result<T, ChangeFault>) -> &'static str {
    match outcome.unwrap_err() {
        ChangeFault::Refused(refused) => refused.why.code(),
        other => panic!("{other:?}"),
    }
}

impl Stage {
    async fn invited(&self, name: &str, role: &str) -> (Account, Secret) {
        let Invited { account, link } = self.door.invite(invitation(name, role), &by()).await.unwrap();
        (account, link.unwrap())
    }

    async fn accepted(&self, link: &Secret) -> Result<Accepted, SignInRefusal> {
        self.door.accept(link, &password(NEW), "browser", origin(HERE)).await
    }

    async fn state(&self, id: AccountId) -> AccountState {
        let account = crate::port::Accounts::account(self.store.as_ref(), id)
            .await
            .unwrap()
            .unwrap();
        self.door.state_of(&account).await.unwrap()
    }
}

#[tokio::test]
async fn an_invitation_is_accepted_once_with_a_password_and_leads_in() {
    let stage = Stage::new().await;
    let (ann, link) = stage.invited("ann", "viewer").await;
    assert_eq!(stage.state(ann.id).await, AccountState::Invited);
    assert_eq!(
        stage.refused(attempt("ann", NEW)).await,
        SignInRefusal::InvalidCredentials
    );
    let name = stage.door.name_behind(&link, LinkPurpose::Invitation).await.unwrap();
    assert_eq!(name, Some(ann.name.clone()));
    let unfit = stage
        .door
        .accept(&link, &password("short"), "browser", origin(HERE))
        .await;
    assert!(matches!(unfit, Err(SignInRefusal::PasswordUnfit(_))));

    let accepted = stage.accepted(&link).await.unwrap();
    assert_eq!(accepted.name, ann.name);
    assert!(matches!(accepted.next, Ok(Progress::Open(_))));
    assert_eq!(stage.state(ann.id).await, AccountState::Active);
    assert_eq!(stage.accepted(&link).await.unwrap_err(), SignInRefusal::LinkDead);
    stage.opened(attempt("ann", NEW)).await;
    assert_eq!(stage.events(Kind::InvitationAccepted).await.len(), 1);
    let told = stage.all_events().await;
    assert!(!told.contains(link.expose_text()), "the link is in the audit");
}

#[tokio::test]
async fn an_invitation_runs_out_and_sent_again_ends_the_one_before() {
    let stage = Stage::new().await;
    let (ann, first) = stage.invited("ann", "viewer").await;
    let again = stage.door.resend_invitation(ann.id, &by()).await.unwrap().link.unwrap();
    assert_eq!(stage.accepted(&first).await.unwrap_err(), SignInRefusal::LinkDead);
    stage.wait(7 * 86_400);
    assert_eq!(stage.state(ann.id).await, AccountState::Expired);
    assert_eq!(stage.accepted(&again).await.unwrap_err(), SignInRefusal::LinkDead);
    let last = stage.door.resend_invitation(ann.id, &by()).await.unwrap().link.unwrap();
    assert_eq!(stage.state(ann.id).await, AccountState::Invited);
    stage.accepted(&last).await.unwrap();
    assert_eq!(
        why(stage.door.resend_invitation(ann.id, &by()).await),
        "accepted_already"
    );
    assert_eq!(
        stage
            .door
            .name_behind(&Secret::new("x"), LinkPurpose::Invitation)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn an_invited_account_takes_a_seat_and_nobody_sets_its_password() {
    let mut rules = rules();
    let seats = SeatRules {
        roles: vec!["viewer".to_owned()],
        at_most: 1,
        advice: None,
    };
    rules.seats.insert("all".to_owned(), seats);
    let stage = Stage::with(rules).await;
    let (ann, _link) = stage.invited("ann", "viewer").await;
    assert_eq!(
        why(stage.door.invite(invitation("bob", "viewer"), &by()).await),
        "seats_full"
    );
    assert_eq!(
        why(stage.door.reset_password(ann.id, password(NEW), &by()).await),
        "not_accepted"
    );
    stage.door.remove_account(ann.id, None, &by()).await.unwrap();
    stage.invited("bob", "viewer").await;
}

#[tokio::test]
async fn where_letters_are_sent_the_link_goes_by_letter_and_to_nobody_else() {
    let stage = Stage::new().await;
    stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    let without = NewInvitation {
        email: None,
        ..invitation("bob", "viewer")
    };
    assert!(matches!(
        stage.door.invite(without, &by()).await,
        Err(ChangeFault::Unfit(_))
    ));
    let invited = stage.door.invite(invitation("ann", "viewer"), &by()).await.unwrap();
    assert!(invited.link.is_none());
    let due = stage
        .door
        .due_letters("test", Duration::from_secs(60), 10)
        .await
        .unwrap();
    let (letter, opened) = due.first().unwrap();
    assert_eq!((due.len(), letter.letter.to.as_str()), (1, "ann@example.org"));
    let text = opened.rendered.text.as_str();
    let before = "https://door.example.org/.stagedoor/invitation?token=";
    let token: String = text.split_once(before).unwrap().1.chars().take(43).collect();
    stage.accepted(&Secret::new(token)).await.unwrap();
}

#[tokio::test]
async fn who_is_banned_for_disuse_comes_back_by_a_new_invitation() {
    let mut rules = rules();
    rules.inactivity.block_after = Some(Duration::from_secs(86_400));
    rules.inactivity.returns_by = ReturnsBy::Invitation;
    let stage = Stage::with(rules).await;
    let ann = stage.account("ann").await;
    stage.wait(2 * 86_400);
    assert_eq!(stage.state(ann.id).await, AccountState::Banned);
    assert_eq!(why(stage.door.reinstate(ann.id, &by()).await), "not_possible");
    let link = stage.door.resend_invitation(ann.id, &by()).await.unwrap().link.unwrap();
    assert_eq!(stage.refused(attempt("ann", PASSWORD)).await.code(), "refused");
    assert!(matches!(
        stage.accepted(&link).await.unwrap().next,
        Ok(Progress::Open(_))
    ));
    assert_eq!(
        stage.refused(attempt("ann", PASSWORD)).await,
        SignInRefusal::InvalidCredentials
    );
}

#[tokio::test]
async fn the_head_hands_over_to_an_accepted_account_and_loses_its_rights_at_once() {
    let stage = Stage::with(rules_of_heads()).await;
    let new = NewAccount {
        role: Some("head".to_owned()),
        ..new_account("head")
    };
    let head = stage.door.create_account(new, &by()).await.unwrap();
    let (ann, guard) = (stage.account("ann").await, stage.guard("gus").await);
    let (carol, _link) = stage.invited("carol", "viewer").await;
    let itself = Actor::account(&head);
    let (first, second) = (
        stage.opened(attempt("head", PASSWORD)).await,
        stage.opened(attempt("ann", PASSWORD)).await,
    );

    assert_eq!(why(stage.door.hand_over(ann.id, &by()).await), "permission_denied");
    assert_eq!(
        why(stage.door.hand_over(guard.id, &Actor::account(&ann)).await),
        "permission_denied"
    );
    assert_eq!(why(stage.door.hand_over(carol.id, &itself).await), "not_accepted");
    assert_eq!(why(stage.door.hand_over(guard.id, &itself).await), "not_fit_to_hold");
    assert_eq!(why(stage.door.hand_over(head.id, &itself).await), "permission_denied");
    stage
        .change(
            ann.id,
            AccountChange {
                disabled: Some(true),
                ..AccountChange::default()
            },
        )
        .await;
    assert_eq!(why(stage.door.hand_over(ann.id, &itself).await), "not_fit_to_hold");
    stage
        .change(
            ann.id,
            AccountChange {
                disabled: Some(false),
                ..AccountChange::default()
            },
        )
        .await;

    let (former, new) = stage.door.hand_over(ann.id, &itself).await.unwrap();
    assert_eq!((former.role.as_str(), new.role.as_str()), ("viewer", "head"));
    assert_eq!(stage.end(&first.token), "account_changed");
    assert_ne!(stage.end(&second.token), "live");
    assert_eq!(why(stage.door.hand_over(ann.id, &itself).await), "permission_denied");
    assert!(
        stage
            .door
            .change_account(guard.id, None, AccountChange::default(), &itself)
            .await
            .is_err()
    );
    stage.door.hand_over(head.id, &Actor::account(&new)).await.unwrap();
    assert_eq!(stage.events(Kind::RoleHandedOver).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_hand_overs_at_once_exactly_one_wins() {
    let stage = Stage::with(rules_of_heads()).await;
    let new = NewAccount {
        role: Some("head".to_owned()),
        ..new_account("head")
    };
    let head = stage.door.create_account(new, &by()).await.unwrap();
    let mut heirs = Vec::new();
    for number in 0..6 {
        heirs.push(stage.account(&format!("u{number}")).await.id);
    }
    let handing: Vec<_> = heirs
        .into_iter()
        .map(|heir| {
            let (door, by) = (Arc::clone(&stage.door), Actor::account(&head));
            tokio::spawn(async move { door.hand_over(heir, &by).await.is_ok() })
        })
        .collect();
    let mut won = 0;
    for handed in handing {
        won += usize::from(handed.await.unwrap());
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_by_a_letter_and_every_session_ends() {
    let stage = Stage::new().await;
    stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    let with_email = NewAccount {
        email: Some("Ann@Example.org".to_owned()),
        ..new_account("ann")
    };
    stage.door.create_account(with_email, &by()).await.unwrap();
    let session = stage.opened(attempt("ann", PASSWORD)).await;
    stage
        .door
        .ask_password_reset(" ann@example.org ", &origin(THERE))
        .await
        .unwrap();
    assert!(stage.is_live(&session.token), "asking alone does nothing");
    let due = stage
        .door
        .due_letters("test", Duration::from_secs(60), 10)
        .await
        .unwrap();
    let text = due.first().unwrap().1.rendered.text.as_str();
    let token: String = text.split_once("reset?token=").unwrap().1.chars().take(43).collect();
    let token = Secret::new(token);
    let name = stage
        .door
        .reset_password_by_link(&token, &password(NEW), &origin(HERE))
        .await
        .unwrap();
    assert_eq!(name.as_str(), "ann");
    assert_eq!(stage.end(&session.token), "credentials_changed");
    let again = stage
        .door
        .reset_password_by_link(&token, &password(PASSWORD), &origin(HERE))
        .await;
    assert_eq!(again.unwrap_err(), SignInRefusal::LinkDead);
    stage.opened(attempt("ann", NEW)).await;
}

#[tokio::test]
async fn whoever_asks_for_a_reset_is_told_the_same_and_asks_so_often_only() {
    let stage = Stage::new().await;
    stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    let with_email = NewAccount {
        email: Some("ann@example.org".to_owned()),
        ..new_account("ann")
    };
    let ann = stage.door.create_account(with_email, &by()).await.unwrap();
    let outcomes = async |kind| -> Vec<String> {
        let events = stage.events(kind).await;
        events
            .into_iter()
            .map(|stored| stored.event.reason.unwrap_or_default())
            .collect()
    };
    for email in ["nobody@example.org", "no address", "ann@example.org"] {
        stage.door.ask_password_reset(email, &origin(HERE)).await.unwrap();
    }
    assert_eq!(
        outcomes(Kind::PasswordResetAsked).await,
        ["link_sent", "no_such_address", "no_such_address"]
    );
    for _more in 0..3 {
        stage
            .door
            .ask_password_reset("ann@example.org", &origin(THERE))
            .await
            .unwrap();
    }
    assert_eq!(outcomes(Kind::PasswordResetAsked).await[0], "too_many");
    assert_eq!(
        stage.store.letters_waiting().await.unwrap().letters,
        1,
        "a newer letter replaces the one before"
    );
    for number in 0..20 {
        stage
            .door
            .ask_password_reset(&format!("u{number}@example.org"), &origin(HERE))
            .await
            .unwrap();
    }
    assert_eq!(outcomes(Kind::PasswordResetAsked).await[0], "too_many");
    stage.wait(3601);
    stage
        .door
        .ask_password_reset("ann@example.org", &origin(HERE))
        .await
        .unwrap();
    assert_eq!(outcomes(Kind::PasswordResetAsked).await[0], "link_sent");
    stage
        .change(
            ann.id,
            AccountChange {
                disabled: Some(true),
                ..AccountChange::default()
            },
        )
        .await;
    stage
        .door
        .ask_password_reset("ann@example.org", &origin(HERE))
        .await
        .unwrap();
    assert_eq!(outcomes(Kind::PasswordResetAsked).await[0], "account_disabled");
}

#[tokio::test]
async fn who_knows_the_password_first_cannot_enrol_without_the_right() {
    let mut rules = rules();
    rules.second_factor.enrolment = Enrolment::Right;
    let stage = Stage::with(rules).await;
    let erin = stage.guard("erin").await;
    let needed = SignInRefusal::Refused {
        reason: RefusedBecause::EnrolmentRight,
    };
    assert_eq!(stage.refused(attempt("erin", PASSWORD)).await, needed);
    let viewer = stage.account("vic").await;
    let session = stage.opened(attempt("vic", PASSWORD)).await;
    let live = stage.live(&session.token);
    let own = stage
        .door
        .begin_own_enrolment(&live, &password(PASSWORD), &origin(HERE))
        .await;
    assert_eq!(own.unwrap_err(), needed);

    let of_vic = stage
        .door
        .send_second_factor_recovery(viewer.id, &by())
        .await
        .unwrap()
        .unwrap();
    let right = stage
        .door
        .send_second_factor_recovery(erin.id, &by())
        .await
        .unwrap()
        .unwrap();
    let with = |right: &Secret| Attempt {
        right: Some(right.clone()),
        ..attempt("erin", PASSWORD)
    };
    assert_eq!(stage.refused(with(&of_vic)).await, SignInRefusal::LinkDead);
    let ticket = stage.needs(with(&right), NextStep::EnrolSecondFactor).await;
    let other = stage.needs(with(&right), NextStep::EnrolSecondFactor).await;
    for (ticket, wins) in [(ticket, true), (other, false)] {
        let enrolment = stage.door.begin_enrolment(&ticket, &origin(HERE)).await;
        let Ok(enrolment) = enrolment else {
            assert!(!wins);
            continue;
        };
        let code = stage.code(&enrolment.typed);
        let confirmed = stage
            .door
            .confirm_enrolment(&enrolment.ticket, &code, origin(HERE))
            .await;
        assert_eq!(confirmed.is_ok(), wins);
    }
    assert_eq!(stage.refused(with(&right)).await, SignInRefusal::LinkDead);
}

#[tokio::test]
async fn an_invitation_is_the_right_to_enrol_where_a_second_factor_is_demanded() {
    let mut rules = rules();
    rules.second_factor.enrolment = Enrolment::Right;
    let stage = Stage::with(rules).await;
    let (_gus, link) = stage.invited("gus", "guard").await;
    let Ok(Progress::Needs(NextStep::EnrolSecondFactor, ticket)) = stage.accepted(&link).await.unwrap().next else {
        panic!("no enrolment")
    };
    let enrolment = stage.door.begin_enrolment(&ticket, &origin(HERE)).await.unwrap();
    let code = stage.code(&enrolment.typed);
    let confirmed = stage
        .door
        .confirm_enrolment(&enrolment.ticket, &code, origin(HERE))
        .await;
    assert!(matches!(confirmed.unwrap().1, Progress::Open(_)));
}

#[tokio::test]
async fn a_lost_second_factor_is_replaced_by_the_link_and_the_password_together() {
    let stage = Stage::new().await;
    let (gus, old) = stage.enrolled("gus").await;
    let right = stage
        .door
        .send_second_factor_recovery(gus.id, &by())
        .await
        .unwrap()
        .unwrap();
    let wrong = Attempt {
        right: Some(right.clone()),
        ..attempt("gus", "not the password")
    };
    assert_eq!(stage.refused(wrong).await, SignInRefusal::InvalidCredentials);
    let with = Attempt {
        right: Some(right),
        ..attempt("gus", PASSWORD)
    };
    let ticket = stage.needs(with, NextStep::EnrolSecondFactor).await;
    let enrolment = stage.door.begin_enrolment(&ticket, &origin(HERE)).await.unwrap();
    let code = stage.code(&enrolment.typed);
    stage
        .door
        .confirm_enrolment(&enrolment.ticket, &code, origin(HERE))
        .await
        .unwrap();
    stage.wait(60);
    let ticket = stage.needs(attempt("gus", PASSWORD), NextStep::SecondFactor).await;
    let by_old = stage.door.second_factor(&ticket, &stage.code(&old), origin(HERE)).await;
    assert_eq!(by_old.unwrap_err(), SignInRefusal::InvalidCode);
}

#[tokio::test]
async fn a_second_factor_demanded_of_one_account_signs_it_out_and_is_enrolled_at_the_next_sign_in() {
    let stage = Stage::new().await;
    let ann = stage.account("ann").await;
    let session = stage.opened(attempt("ann", PASSWORD)).await;
    stage
        .change(
            ann.id,
            AccountChange {
                second_factor_demanded: Some(true),
                ..AccountChange::default()
            },
        )
        .await;
    assert_eq!(stage.end(&session.token), "account_changed");
    stage.needs(attempt("ann", PASSWORD), NextStep::EnrolSecondFactor).await;
}
