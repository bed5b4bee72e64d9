//! The cast: who does what, again and again, until the run is over. What each does next is thrown by dice of their own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::Method;
use serde_json::json;
use stagedoor_tests::{PASSWORD, totp, unix_seconds};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::clients::World;
use crate::faults::Dice;
use crate::history::{Answer, Deed, Page};
use crate::stage::{DOORS, policy};

/// Who sign in at both doors, again and again.
pub(crate) const COMERS: [&str; 2] = ["ada", "bea"];
/// Whose sessions are ended, who is disabled and enabled again.
pub(crate) const KICKED: &str = "cid";
/// Who may see what is private, and then may not.
pub(crate) const PROMOTED: &str = "dot";
/// Whose passwords are guessed.
pub(crate) const GUESSED: [&str; 3] = ["kim", "kit", "kay"];
/// Who has a second factor.
pub(crate) const WITH_CODES: &str = "fay";
/// Whose display name and address are edited.
pub(crate) const EDITED: &str = "gus";
/// For how long a step of a one-time code lasts.
const STEP_SECONDS: u64 = 30;
/// How long a WebSocket waits for what it said to be said back.
const SAID_BACK_WITHIN: Duration = Duration::from_secs(4);

/// Everybody at work.
pub(crate) fn set_to_work(world: &Arc<World>, secret: String) -> JoinSet<()> {
    let mut at_work = JoinSet::new();
    for name in COMERS.into_iter().chain([KICKED, PROMOTED]) {
        at_work.spawn(comes_and_goes(Arc::clone(world), name));
        for door in 0..DOORS {
            at_work.spawn(asks(Arc::clone(world), name, door));
            at_work.spawn(holds_a_socket(Arc::clone(world), name, door));
        }
    }
    at_work.spawn(kicks(Arc::clone(world)));
    at_work.spawn(promotes(Arc::clone(world)));
    at_work.spawn(guesses(Arc::clone(world)));
    at_work.spawn(uses_codes(Arc::clone(world), secret));
    at_work.spawn(makes_accounts(Arc::clone(world)));
    at_work.spawn(edits(Arc::clone(world)));
    at_work.spawn(changes_the_policy(Arc::clone(world)));
    at_work
}

async fn pause(dice: &mut Dice, least_millis: u64, most_millis: u64) {
    tokio::time::sleep(dice.between(least_millis, most_millis)).await;
}

fn some_door(dice: &mut Dice) -> usize {
    usize::try_from(dice.below(DOORS as u64)).expect("a door")
}

async fn comes_and_goes(world: Arc<World>, name: &str) {
    let mut dice = Dice::of(world.seed, &format!("{name} comes and goes"));
    while !world.is_over() {
        if dice.below(4) == 0
            && let Some(session) = world.newest(name).first()
        {
            world.sign_out(some_door(&mut dice), session).await;
        }
        world.sign_in(some_door(&mut dice), name).await;
        pause(&mut dice, 200, 1_500).await;
    }
}

/// With the newest session and with those before it, which should be over.
async fn asks(world: Arc<World>, name: &str, door: usize) {
    let mut dice = Dice::of(world.seed, &format!("{name} asks {door}"));
    while !world.is_over() {
        let newest = world.newest(name);
        if !newest.is_empty() {
            let session = &newest[usize::try_from(dice.below(newest.len() as u64)).expect("an index")];
            let page = dice.one_of(&[Page::Any, Page::Private, Page::Changing]);
            world.ask(door, session, page).await;
        }
        pause(&mut dice, 5, 40).await;
    }
}

async fn holds_a_socket(world: Arc<World>, name: &str, door: usize) {
    let mut dice = Dice::of(world.seed, &format!("{name} holds a socket {door}"));
    while !world.is_over() {
        pause(&mut dice, 50, 200).await;
        let Some(session) = world.newest(name).first().cloned() else {
            continue;
        };
        let visitor = world.with_cookie(door, &session);
        let opened = tokio::time::timeout(SAID_BACK_WITHIN, visitor.websocket("/socket")).await;
        let Ok(Ok(mut socket)) = opened else { continue };
        while !world.is_over() {
            let began = world.now();
            let exchange = async {
                socket.send(Message::text("still there?")).await.ok()?;
                socket.next().await?.ok().filter(Message::is_text)
            };
            match tokio::time::timeout(SAID_BACK_WITHIN, exchange).await {
                Ok(Some(_said_back)) => world.note_message(door, &session, began),
                Ok(None) | Err(_) => break,
            }
            pause(&mut dice, 10, 50).await;
        }
    }
}

async fn kicks(world: Arc<World>) {
    let mut dice = Dice::of(world.seed, "kicks");
    let sessions = format!("/v1/sessions?account={KICKED}");
    let account = format!("/v1/accounts/{KICKED}");
    while !world.is_over() {
        pause(&mut dice, 200, 1_500).await;
        let door = some_door(&mut dice);
        if dice.below(3) > 0 {
            let call = (Method::DELETE, sessions.as_str());
            world.administer(door, call, None, KICKED, Deed::EndAll).await;
            continue;
        }
        let disable = Some(json!({ "disabled": true }));
        let call = (Method::PATCH, account.as_str());
        world.administer(door, call, disable, KICKED, Deed::Disable).await;
        pause(&mut dice, 100, 800).await;
        // Until it is done: who stays disabled does nothing more.
        while !world.is_over() {
            let (door, enable) = (some_door(&mut dice), Some(json!({ "disabled": false })));
            let call = (Method::PATCH, account.as_str());
            if world.administer(door, call, enable, KICKED, Deed::Enable).await == Answer::Done {
                break;
            }
            pause(&mut dice, 50, 200).await;
        }
    }
}

async fn promotes(world: Arc<World>) {
    let mut dice = Dice::of(world.seed, "promotes");
    let account = format!("/v1/accounts/{PROMOTED}");
    while !world.is_over() {
        pause(&mut dice, 300, 1_500).await;
        let may = dice.below(2) == 0;
        let role = if may { "keeper" } else { "watcher" };
        let call = (Method::PATCH, account.as_str());
        let change = Some(json!({ "role": role }));
        world
            .administer(some_door(&mut dice), call, change, PROMOTED, Deed::MaySeePrivate(may))
            .await;
    }
}

async fn guesses(world: Arc<World>) {
    let mut dice = Dice::of(world.seed, "guesses");
    while !world.is_over() {
        let name = dice.one_of(&GUESSED);
        world.guess(some_door(&mut dice), name).await;
        pause(&mut dice, 50, 500).await;
    }
}

/// Each code at both doors, and again.
async fn uses_codes(world: Arc<World>, secret: String) {
    let mut dice = Dice::of(world.seed, "uses codes");
    while !world.is_over() {
        let (step, code) = (unix_seconds() / STEP_SECONDS, totp(&secret, 0));
        // The half minute may have ended in between.
        if unix_seconds() / STEP_SECONDS == step {
            world.use_code(some_door(&mut dice), WITH_CODES, step, &code).await;
        }
        pause(&mut dice, 1_000, 4_000).await;
    }
}

async fn makes_accounts(world: Arc<World>) {
    let mut dice = Dice::of(world.seed, "makes accounts");
    let mut number = 0;
    while !world.is_over() {
        number += 1;
        let name = format!("new-{number}");
        let account = json!({ "name": name, "password": PASSWORD, "password_temporary": false, "role": "watcher",
            "display_name": "number 0", "email": "number-0@example.org" });
        let call = (Method::POST, "/v1/accounts");
        world
            .administer(some_door(&mut dice), call, Some(account), &name, Deed::Create)
            .await;
        pause(&mut dice, 300, 1_500).await;
    }
}

async fn edits(world: Arc<World>) {
    let mut dice = Dice::of(world.seed, "edits");
    let account = format!("/v1/accounts/{EDITED}");
    let mut number = 0;
    while !world.is_over() {
        number += 1;
        let change =
            json!({ "display_name": format!("number {number}"), "email": format!("number-{number}@example.org") });
        let call = (Method::PATCH, account.as_str());
        world
            .administer(some_door(&mut dice), call, Some(change), EDITED, Deed::Edit(number))
            .await;
        pause(&mut dice, 50, 500).await;
    }
}

async fn changes_the_policy(world: Arc<World>) {
    let mut dice = Dice::of(world.seed, "changes the policy");
    let mut edition = 0;
    while !world.is_over() {
        pause(&mut dice, 300, 1_500).await;
        if dice.below(2) == 0 {
            world.read_policy(some_door(&mut dice)).await;
            continue;
        }
        edition += 1;
        world.put_policy(some_door(&mut dice), edition, policy(edition)).await;
    }
}
