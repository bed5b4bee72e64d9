//! I5 and I6, and I7 of what was served: how requests were answered and what was written of them.

use super::{Found, Invariant, Promises, violates};
use crate::history::{Answer, Deed, History, Operation, Page, Way};

pub(super) fn check(history: &History, promises: &Promises, found: &mut Found) {
    for operation in &history.operations {
        if (operation.answer == Answer::Unavailable { retry_after: false }) {
            violates(
                found,
                Invariant::I5,
                format!("told to come again, and not when: {operation:?}"),
            );
        }
        let Deed::Ask {
            way: Way::Request,
            page,
            ..
        } = operation.deed
        else {
            continue;
        };
        cut_off_is_silent(operation, history, promises, found);
        written_once(operation, page, history, promises, found);
    }
}

/// A door that hears nothing serves nobody.
fn cut_off_is_silent(ask: &Operation, history: &History, promises: &Promises, found: &mut Found) {
    let unknown = history
        .cut_off
        .iter()
        .find(|cut| cut.door == ask.door && ask.began > cut.from + promises.lease && ask.ended < cut.to);
    if let (Some(cut), Answer::Done | Answer::Refused(..)) = (unknown, &ask.answer) {
        violates(
            found,
            Invariant::I5,
            format!("decided without knowing: {ask:?}; {cut:?}"),
        );
    }
}

fn written_once(ask: &Operation, page: Page, history: &History, promises: &Promises, found: &mut Found) {
    if ask.answer != Answer::Done {
        return refused_is_in_the_audit(ask, page, history, found);
    }
    let Some(id) = &ask.known_as else {
        return violates(
            found,
            Invariant::I7,
            format!("the console was not told which request it is: {ask:?}"),
        );
    };
    let lines = history.lines.get(id).map_or(&[][..], Vec::as_slice);
    let lost =
        |(door, at): &(usize, u64)| *door == ask.door && *at > ask.began && *at < ask.ended + promises.lines_lost;
    match lines {
        [line] => {
            if (line.door, line.status) != (ask.door, 200) {
                violates(
                    found,
                    Invariant::I7,
                    format!("another line than what was answered: {line:?}; {ask:?}"),
                );
            }
            judged_by(line.revision, ask, page, history, promises, found);
        }
        [] if history.kills.iter().any(lost) => {}
        [] => violates(found, Invariant::I7, format!("served, and no line says so: {ask:?}")),
        several => violates(found, Invariant::I6, format!("{several:?} for one request: {ask:?}")),
    }
}

/// The revision that is written down is one there was, is the one that was to be in force, and decides so.
fn judged_by(revision: u64, ask: &Operation, page: Page, history: &History, promises: &Promises, found: &mut Found) {
    let Some(edition) = history.found.policies.get(&revision) else {
        violates(found, Invariant::I6, format!("revision {revision} never was: {ask:?}"));
        return;
    };
    if page == Page::Changing && edition % 2 == 1 {
        violates(
            found,
            Invariant::I6,
            format!("revision {revision} refuses what was served: {ask:?}"),
        );
    }
    let late = history.operations.iter().find(|operation| {
        let Deed::PutPolicy(_, Some(newer)) = operation.deed else {
            return false;
        };
        operation.answer == Answer::Done && newer > revision && ask.began > operation.ended + promises.policy
    });
    if let Some(newer) = late {
        violates(
            found,
            Invariant::I2,
            format!("judged by revision {revision}: {ask:?}; {newer:?}"),
        );
    }
}

/// What the policy refused is in the audit, with a revision that refuses it; unless the audit could not be written.
fn refused_is_in_the_audit(ask: &Operation, page: Page, history: &History, found: &mut Found) {
    let (Answer::Refused(403, _), Some(code), Some(audit)) = (&ask.answer, &ask.known_as, history.audit.first()) else {
        return;
    };
    let mut events = audit.iter().filter(|event| event.support_code.as_ref() == Some(code));
    let Some(event) = events.next() else { return };
    let edition = event
        .revision
        .and_then(|revision| history.found.policies.get(&revision));
    match edition {
        None => violates(
            found,
            Invariant::I6,
            format!("refused by a revision that never was: {ask:?}; {event:?}"),
        ),
        Some(edition) if page == Page::Changing && edition.is_multiple_of(2) => {
            let why = format!("the revision serves what was refused: {ask:?}; {event:?}");
            violates(found, Invariant::I6, why);
        }
        Some(_) => {}
    }
}
