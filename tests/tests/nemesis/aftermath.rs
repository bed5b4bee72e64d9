//! When nothing is broken any more: when each door serves again, and what is found then.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use stagedoor_tests::{Admin, eventually};

use crate::clients::World;
use crate::history::{Account, Answer, Deed, Event, History, Line, Micros, Page};
use crate::people::COMERS;
use crate::stage::Stage;

/// Longer than any promise: that it comes at all is another matter than when.
const PATIENCE: Duration = Duration::from_secs(60);
/// For what is written by and by, and for connections to be closed.
const SETTLED_WITHIN: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Of a page of the admin API.
const AT_ONCE: usize = 1000;

/// How long each door takes until somebody signs in and is served there.
pub(crate) async fn back_again(world: &World) -> Vec<Micros> {
    let healed = world.now();
    let mut after = Vec::new();
    for (door, name) in COMERS.into_iter().enumerate() {
        eventually("service is back", PATIENCE, async || {
            if world.sign_in(door, name).await != Answer::Done {
                return None;
            }
            let newest = world.newest(name);
            (world.ask(door, newest.first()?, Page::Any).await == Answer::Done).then_some(())
        })
        .await;
        after.push(world.now() - healed);
    }
    after
}

/// Fills in what is found.
pub(crate) async fn look(stage: &mut Stage, history: &mut History, (before, back_after): (Vec<usize>, Vec<Micros>)) {
    let found = &mut history.found;
    found.back_after = back_after;
    settle(async || {
        found.in_force.clear();
        for door in &stage.doors {
            found.in_force.extend(revision(&door.admin()).await);
        }
        found.in_force.windows(2).all(|pair| pair[0] == pair[1])
    })
    .await;
    settle(async || {
        found.descriptors = before.iter().copied().zip(stage.descriptors()).collect();
        found.descriptors.iter().all(|(before, after)| after <= before)
    })
    .await;
    found.policies = policies(stage);
    let admin = stage.doors[0].admin();
    for operation in &history.operations {
        if matches!(operation.deed, Deed::Create | Deed::Edit(_))
            && !found.accounts.contains_key(&operation.account)
            && let Some(account) = account(&admin, &operation.account).await
        {
            found.accounts.insert(operation.account.clone(), account);
        }
    }
    for (number, door) in stage.doors.iter().enumerate() {
        history.audit.push(audit(&door.admin()).await);
        let log = std::fs::read_to_string(door.folder().join("access.log")).expect("an access log");
        for (id, line) in log.lines().filter_map(|line| read_line(number, line)) {
            history.lines.entry(id).or_default().push(line);
        }
    }
}

/// Waits until it is so, or for long enough: what it is then is for the checker.
async fn settle(mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await && began.elapsed() < SETTLED_WITHIN {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn revision(admin: &Admin) -> Option<u64> {
    let answer = admin.get("/v1/policy").await;
    answer.header("stagedoor-revision")?.parse().ok()
}

/// Every revision in the store and which edition it is.
fn policies(stage: &Stage) -> BTreeMap<u64, u64> {
    let revisions = stage.redis.say(&["HKEYS", "{stagedoor}:policies"]);
    let edition = |revision: &str| {
        let text = stage.redis.say(&["HGET", "{stagedoor}:policies", revision]);
        let (_, rest) = text.split_once("# edition ")?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some((revision.parse().ok()?, digits.parse().ok()?))
    };
    revisions.lines().filter_map(edition).collect()
}

async fn account(admin: &Admin, name: &str) -> Option<Account> {
    let answer = admin.get(&format!("/v1/accounts/{name}")).await;
    if answer.status == 404 {
        return None;
    }
    let account = answer.expect(200).json();
    let number = |field: &str| {
        let digits: String = account[field].as_str()?.chars().filter(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    Some(Account {
        role: account["role"].as_str().unwrap_or_default().to_owned(),
        numbers: [number("display_name"), number("email")]
            .into_iter()
            .flatten()
            .collect(),
    })
}

/// All of it, oldest first.
async fn audit(admin: &Admin) -> Vec<Event> {
    let mut events = Vec::new();
    let mut before = String::new();
    loop {
        let page = admin
            .get(&format!("/v1/audit?limit={AT_ONCE}{before}"))
            .await
            .expect(200)
            .json();
        let items = page["items"].as_array().expect("events");
        events.extend(items.iter().map(read_event));
        if items.len() < AT_ONCE {
            events.reverse();
            return events;
        }
        before = format!("&before={}", items[AT_ONCE - 1]["number"]);
    }
}

fn read_event(item: &Value) -> Event {
    let text = |field: &str| item[field].as_str().map(str::to_owned);
    Event {
        number: item["number"].as_u64().expect("a number"),
        kind: text("kind").expect("a kind"),
        account: text("account"),
        support_code: text("support_code"),
        revision: item["policy_revision"].as_u64(),
    }
}

/// `None` for what a kill cut short.
fn read_line(door: usize, line: &str) -> Option<(String, Line)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let (revision, status) = (line["policy_revision"].as_u64()?, line["status"].as_u64()?);
    let status = u16::try_from(status).ok()?;
    Some((line["request_id"].as_str()?.to_owned(), Line { door, revision, status }))
}
