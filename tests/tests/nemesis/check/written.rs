//! What I3 says of counters, codes and policies; I4, I7 of the audit, and I8.

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, Invariant, Promises, violates};
use crate::history::{Answer, Deed, History, Operation};

pub(super) fn check(history: &History, promises: &Promises, found: &mut Found) {
    let mut by_account: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for operation in &history.operations {
        by_account.entry(&operation.account).or_default().push(operation);
    }
    for (account, operations) in &by_account {
        guesses(account, operations, promises, found);
        codes(account, operations, found);
        accounts(account, operations, history, found);
        audited(account, operations, history, found);
    }
    policies(history, found);
    audit_is_whole(history, found);
    back_again(history, promises, found);
}

fn is_locked(operation: &Operation) -> bool {
    matches!(&operation.answer, Answer::Refused(_, code) if code == "locked")
}

/// Every wrong password counts, and a lock holds for longer than a run.
fn guesses(account: &str, operations: &[&Operation], promises: &Promises, found: &mut Found) {
    let guesses = || operations.iter().filter(|operation| operation.deed == Deed::Guess);
    let looked_at = guesses()
        .filter(|guess| matches!(guess.answer, Answer::Refused(..)) && !is_locked(guess))
        .count();
    if looked_at > promises.failures {
        let why = format!(
            "{looked_at} wrong passwords of `{account}` were looked at, {} are",
            promises.failures
        );
        violates(found, Invariant::I3, why);
    }
    let locked = operations
        .iter()
        .filter(|operation| is_locked(operation))
        .map(|lock| lock.ended)
        .min();
    let Some(locked) = locked else { return };
    let after = operations.iter().find(|operation| {
        let tries = matches!(operation.deed, Deed::Guess | Deed::SignIn(_) | Deed::UseCode(_));
        tries && operation.began > locked && !is_locked(operation) && !operation.answer.is_open()
    });
    if let Some(after) = after {
        violates(
            found,
            Invariant::I3,
            format!("`{account}` was locked at {locked}: {after:?}"),
        );
    }
}

/// A code is good once, and none before it after that.
fn codes(account: &str, operations: &[&Operation], found: &mut Found) {
    let used: Vec<(u64, &Operation)> = operations
        .iter()
        .filter(|operation| operation.answer == Answer::Done)
        .filter_map(|operation| match operation.deed {
            Deed::UseCode(step) => Some((step, *operation)),
            _ => None,
        })
        .collect();
    for (number, (step, one)) in used.iter().enumerate() {
        for (other_step, other) in &used[number + 1..] {
            let in_order = if one.ended < other.began {
                other_step > step
            } else {
                other_step != step
            };
            if !in_order {
                let why = format!("a code of `{account}` was good twice: {one:?}; {other:?}");
                violates(found, Invariant::I3, why);
            }
        }
    }
}

/// What was made is there, whole; what was edited is as the last edit made it.
fn accounts(account: &str, operations: &[&Operation], history: &History, found: &mut Found) {
    let there = history.found.accounts.get(account);
    let made = operations.iter().find(|operation| operation.deed == Deed::Create);
    if let Some(made) = made {
        match (&made.answer, there) {
            (Answer::Done, None) => violates(found, Invariant::I4, format!("`{account}` is lost: {made:?}")),
            (_, Some(there)) if there.role.is_empty() || there.numbers.len() != 2 => {
                violates(
                    found,
                    Invariant::I4,
                    format!("half of `{account}` was made: {there:?}; {made:?}"),
                );
            }
            _ => {}
        }
    }
    let edits: Vec<(u64, &Operation)> = operations
        .iter()
        .filter_map(|operation| match operation.deed {
            Deed::Edit(number) => Some((number, *operation)),
            _ => None,
        })
        .collect();
    let Some(there) = there else { return };
    let numbers: BTreeSet<u64> = there.numbers.iter().copied().collect();
    if numbers.len() > 1 {
        violates(
            found,
            Invariant::I4,
            format!("half of an edit of `{account}` was made: {there:?}"),
        );
    }
    let last = edits
        .iter()
        .filter(|(_, edit)| edit.answer == Answer::Done)
        .max_by_key(|(_, edit)| edit.began);
    if let (Some((last, edit)), Some(number)) = (last, numbers.first()) {
        let was_tried = |(tried, edit): &&(u64, &Operation)| tried == number && edit.answer.is_open();
        if number != last && !edits.iter().any(|edit| was_tried(&edit)) {
            let why = format!("`{account}` says {number}, the last edit was {last}: {edit:?}");
            violates(found, Invariant::I4, why);
        }
    }
}

/// Each thing that was acknowledged is in the audit, once at least.
fn audited(account: &str, operations: &[&Operation], history: &History, found: &mut Found) {
    let Some(audit) = history.audit.first() else { return };
    for (kind, is_one) in [
        (
            "sign_in.succeeded",
            (|deed| matches!(deed, Deed::SignIn(Some(_)) | Deed::UseCode(_))) as fn(&Deed) -> bool,
        ),
        ("account.created", |deed| *deed == Deed::Create),
        ("account.changed", |deed| {
            matches!(
                deed,
                Deed::Disable | Deed::Enable | Deed::MaySeePrivate(_) | Deed::Edit(_)
            )
        }),
    ] {
        let acknowledged = operations
            .iter()
            .filter(|operation| operation.answer == Answer::Done && is_one(&operation.deed))
            .count();
        let written = audit
            .iter()
            .filter(|event| event.kind == kind && event.account.as_deref() == Some(account))
            .count();
        if written < acknowledged {
            let why = format!("{acknowledged} times {kind} of `{account}` was answered, {written} are in the audit");
            violates(found, Invariant::I7, why);
        }
    }
}

fn policies(history: &History, found: &mut Found) {
    let newest = history
        .found
        .policies
        .last_key_value()
        .map_or(0, |(revision, _)| *revision);
    for (door, in_force) in history.found.in_force.iter().enumerate() {
        if *in_force != newest {
            violates(
                found,
                Invariant::I4,
                format!("door {door} runs revision {in_force} of {newest}"),
            );
        }
    }
    let mut seen: Vec<(&Operation, u64, bool)> = Vec::new();
    for operation in history
        .operations
        .iter()
        .filter(|operation| operation.answer == Answer::Done)
    {
        match operation.deed {
            Deed::PutPolicy(edition, Some(revision)) => {
                if history.found.policies.get(&revision) != Some(&edition) {
                    violates(
                        found,
                        Invariant::I4,
                        format!("revision {revision} is not what was put: {operation:?}"),
                    );
                }
                seen.push((operation, revision, true));
            }
            Deed::ReadPolicy(Some(revision)) => seen.push((operation, revision, false)),
            _ => {}
        }
    }
    for (one, first, is_put) in &seen {
        let back = seen.iter().find(|(other, second, other_is_put)| {
            // What another door runs may lag behind; what it puts may not.
            let comparable = one.door == other.door || (*is_put && *other_is_put);
            let lower = if *other_is_put { second <= first } else { second < first };
            comparable && one.ended < other.began && lower && (!*other_is_put || *is_put)
        });
        if let Some((other, ..)) = back {
            violates(
                found,
                Invariant::I3,
                format!("the policy went back: {one:?}; {other:?}"),
            );
            return;
        }
    }
}

fn audit_is_whole(history: &History, found: &mut Found) {
    for (door, audit) in history.audit.iter().enumerate() {
        let gap = audit.windows(2).find(|pair| pair[1].number != pair[0].number + 1);
        if let Some(pair) = gap {
            violates(
                found,
                Invariant::I7,
                format!("door {door} reads a gap in the audit: {pair:?}"),
            );
        }
    }
    if let [one, two] = history.audit.as_slice() {
        let numbers = |audit: &[crate::history::Event]| audit.iter().map(|event| event.number).collect::<Vec<_>>();
        let (one, two) = (numbers(one), numbers(two));
        let shorter = one.len().min(two.len());
        if one[..shorter] != two[..shorter] {
            violates(found, Invariant::I7, "the doors read different audits");
        }
    }
}

fn back_again(history: &History, promises: &Promises, found: &mut Found) {
    for (door, after) in history.found.back_after.iter().enumerate() {
        if *after > promises.back {
            violates(
                found,
                Invariant::I8,
                format!("door {door} served again after {after} µs"),
            );
        }
    }
    for (door, (before, after)) in history.found.descriptors.iter().enumerate() {
        if *after > before + promises.spare_descriptors {
            violates(
                found,
                Invariant::I8,
                format!("door {door} had {before} descriptors open and has {after}"),
            );
        }
    }
}
