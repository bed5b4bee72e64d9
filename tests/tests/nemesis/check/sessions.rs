//! I1, I2 and what I3 and I5 say of sessions.

use std::collections::BTreeMap;

use super::{Found, Invariant, Promises, violates};
use crate::history::{Answer, Deed, History, Micros, Operation, Page, Way};

/// How long after a door has said that a session is over another one may not know it yet.
const KNOWN_EVERYWHERE: Micros = 1_000_000;
/// How long a step that was not answered may still be under way; doors give up earlier.
const UNDER_WAY: Micros = 30_000_000;

/// One session: its sign-in, and every time it was shown.
struct Life<'a> {
    sign_in: &'a Operation,
    shown: Vec<(&'a Operation, Page, Way)>,
}

pub(super) fn check(history: &History, promises: &Promises, found: &mut Found) {
    let lives = lives(history);
    for (number, life) in &lives {
        for (other, later) in lives.range(number + 1..) {
            if life.sign_in.account == later.sign_in.account {
                one_at_a_time((*number, life), (*other, later), promises, found);
            }
        }
        revoked_is_over(*number, life, history, promises, found);
        over_is_over(*number, life, found);
        not_sent_away_for_nothing(*number, life, history, found);
    }
    disabled_is_out(history, found);
}

fn lives(history: &History) -> BTreeMap<usize, Life<'_>> {
    let mut lives = BTreeMap::new();
    for operation in &history.operations {
        if let Deed::SignIn(Some(number)) = operation.deed {
            let shown = Vec::new();
            lives.insert(
                number,
                Life {
                    sign_in: operation,
                    shown,
                },
            );
        }
    }
    for operation in &history.operations {
        if let Deed::Ask { session, page, way } = operation.deed
            && let Some(life) = lives.get_mut(&session)
        {
            life.shown.push((operation, page, way));
        }
    }
    lives
}

impl<'a> Life<'a> {
    /// The first time it was served though it was asked for after `over`, where a stream gets a little more.
    fn served_after(&self, over: Micros, promises: &Promises) -> Option<&'a Operation> {
        let late = |way: Way| match way {
            Way::Request => 0,
            Way::Message => promises.stream,
        };
        let served = self.shown.iter().filter(|(ask, ..)| ask.answer == Answer::Done);
        let mut after = served.filter(|(ask, _, way)| ask.began > over + late(*way));
        after.next().map(|(ask, ..)| *ask)
    }
}

fn one_at_a_time(
    (one, first): (usize, &Life<'_>),
    (two, second): (usize, &Life<'_>),
    promises: &Promises,
    found: &mut Found,
) {
    let (a, b) = (first.sign_in, second.sign_in);
    let both = a.ended.max(b.ended);
    for (former, life, after) in [(one, first, second.sign_in), (two, second, first.sign_in)] {
        if life.sign_in.ended < after.began
            && let Some(ask) = life.served_after(after.ended, promises)
        {
            let why = format!("session {former} was served after a later sign-in was answered: {ask:?}; {after:?}");
            violates(found, Invariant::I1, why);
            return;
        }
    }
    if let (Some(one_ask), Some(two_ask)) = (first.served_after(both, promises), second.served_after(both, promises)) {
        let why = format!(
            "two sessions ({one}, {two}) of `{}` live: {one_ask:?}; {two_ask:?}",
            a.account
        );
        violates(found, Invariant::I1, why);
    }
}

/// What ends the session, wherever it may have been made.
fn ends(operation: &Operation, number: usize, life: &Life<'_>) -> bool {
    let of_the_account = operation.account == life.sign_in.account;
    match operation.deed {
        Deed::SignOut(session) => session == number,
        Deed::EndAll | Deed::Disable | Deed::MaySeePrivate(_) => of_the_account,
        Deed::SignIn(session) => of_the_account && session != Some(number),
        _ => false,
    }
}

fn revoked_is_over(number: usize, life: &Life<'_>, history: &History, promises: &Promises, found: &mut Found) {
    let revocations = history.operations.iter().filter(|operation| {
        // Another role may end sessions, and need not where it is the same as before.
        let is_revocation =
            !matches!(operation.deed, Deed::SignIn(_) | Deed::MaySeePrivate(_)) && ends(operation, number, life);
        is_revocation && operation.answer == Answer::Done && life.sign_in.ended < operation.began
    });
    for revocation in revocations {
        if let Some(ask) = life.served_after(revocation.ended, promises) {
            let why = format!("session {number} was served though it was revoked: {ask:?}; {revocation:?}");
            violates(found, Invariant::I2, why);
            return;
        }
    }
}

/// Once one door has said that it is over, it does not live again.
fn over_is_over(number: usize, life: &Life<'_>, found: &mut Found) {
    let refused = |ask: &&Operation| matches!(&ask.answer, Answer::Refused(401, _));
    let over = life
        .shown
        .iter()
        .map(|(ask, ..)| *ask)
        .filter(refused)
        .map(|ask| ask.ended)
        .min();
    let Some(over) = over else { return };
    let again = life
        .shown
        .iter()
        .find(|(ask, ..)| ask.answer == Answer::Done && ask.began > over + KNOWN_EVERYWHERE);
    if let Some((ask, ..)) = again {
        let why = format!("session {number} was over at {over} and lives again: {ask:?}");
        violates(found, Invariant::I3, why);
    }
}

/// A session that nothing has ended is served, or its visitor is told to come again: not to sign in.
fn not_sent_away_for_nothing(number: usize, life: &Life<'_>, history: &History, found: &mut Found) {
    let (opened, known) = (life.sign_in.began, life.sign_in.ended);
    let sent_away = life.shown.iter().map(|(ask, ..)| *ask).find(|ask| {
        matches!(&ask.answer, Answer::Refused(401, _))
            && ask.began > known
            && !history.operations.iter().any(|operation| {
                let until = if operation.answer.is_open() { UNDER_WAY } else { 0 };
                ends(operation, number, life)
                    && !matches!(operation.answer, Answer::Refused(..))
                    && operation.ended + until > opened
                    && operation.began < ask.ended
            })
    });
    if let Some(ask) = sent_away {
        let why = format!("session {number} was sent to sign in though nothing had ended it: {ask:?}");
        violates(found, Invariant::I5, why);
    }
}

/// Who is disabled does not come in, and who may not see what is private does not see it.
fn disabled_is_out(history: &History, found: &mut Found) {
    let (takes, gives) = (
        |deed: &Deed| matches!(deed, Deed::Disable | Deed::MaySeePrivate(false)),
        |took: &Deed, deed: &Deed| {
            matches!(
                (took, deed),
                (Deed::Disable, Deed::Enable) | (Deed::MaySeePrivate(_), Deed::MaySeePrivate(true))
            )
        },
    );
    for took in &history.operations {
        if took.answer != Answer::Done || !takes(&took.deed) {
            continue;
        }
        let same = || {
            history
                .operations
                .iter()
                .filter(|operation| operation.account == took.account)
        };
        let back = same().filter(|operation| gives(&took.deed, &operation.deed));
        let may_be_back = back.filter(|back| {
            let until = if back.answer.is_open() { UNDER_WAY } else { 0 };
            back.ended + until >= took.began && !matches!(back.answer, Answer::Refused(..))
        });
        let began = |back: &Operation| if back.began < took.began { 0 } else { back.began };
        let back_from = may_be_back.map(began).min();
        let wrong = same().find(|operation| {
            let concerned = match (&took.deed, &operation.deed) {
                (Deed::Disable, Deed::SignIn(_) | Deed::Ask { .. }) => true,
                (_, Deed::Ask { page, way, .. }) => *page == Page::Private && *way == Way::Request,
                _ => false,
            };
            concerned
                && !matches!(operation.deed, Deed::Ask { way: Way::Message, .. })
                && operation.answer == Answer::Done
                && operation.began > took.ended
                && back_from.is_none_or(|back| operation.ended < back)
        });
        if let Some(wrong) = wrong {
            let why = format!("`{}` was let in: {wrong:?}; {took:?}", took.account);
            violates(found, Invariant::I2, why);
        }
    }
}
