//! Histories that were made up: one in which all is well, and one for each way in which something is not. The checker finds
//! each.

use crate::PROMISES;
use crate::check::{Invariant, check};
use crate::history::{Account, Answer, CutOff, Deed, Event, Found, History, Line, Micros, Operation, Page, Way};

const MS: Micros = 1_000;
const ASK: fn(usize, Page) -> Deed = |session, page| Deed::Ask {
    session,
    page,
    way: Way::Request,
};
const SAY: fn(usize) -> Deed = |session| Deed::Ask {
    session,
    page: Page::Any,
    way: Way::Message,
};

fn done(door: usize, (began, ended): (Micros, Micros), account: &str, deed: Deed) -> Operation {
    Operation {
        door,
        began: began * MS,
        ended: ended * MS,
        account: account.to_owned(),
        deed,
        answer: Answer::Done,
        known_as: None,
    }
}

fn with(operation: Operation, answer: Answer) -> Operation {
    Operation { answer, ..operation }
}

fn refused(status: u16, code: &str) -> Answer {
    Answer::Refused(status, code.to_owned())
}

fn event(number: u64, kind: &str, account: &str) -> Event {
    Event {
        number,
        kind: kind.to_owned(),
        account: Some(account.to_owned()),
        ..Event::default()
    }
}

/// Two sign-ins of `ada` at two doors, asked for before and after; an account that is made; a policy that is replaced.
fn all_is_well() -> History {
    let mut asked = done(1, (700, 710), "ada", ASK(1, Page::Changing));
    asked.known_as = Some("a request".to_owned());
    let operations = vec![
        done(0, (0, 100), "ada", Deed::SignIn(Some(0))),
        with(done(0, (110, 120), "ada", ASK(0, Page::Private)), Answer::Unanswered),
        done(0, (200, 300), "ada", Deed::SignIn(Some(1))),
        with(done(1, (310, 320), "ada", ASK(0, Page::Any)), refused(401, "displaced")),
        with(
            done(1, (350, 360), "ada", ASK(1, Page::Any)),
            Answer::Unavailable { retry_after: true },
        ),
        done(0, (400, 450), "new", Deed::Create),
        done(0, (500, 600), "", Deed::PutPolicy(2, Some(3))),
        asked,
    ];
    let line = Line {
        door: 1,
        revision: 3,
        status: 200,
    };
    let audit = vec![
        event(1, "sign_in.succeeded", "ada"),
        event(2, "sign_in.succeeded", "ada"),
        event(3, "account.created", "new"),
    ];
    let new = Account {
        role: "watcher".to_owned(),
        numbers: vec![0, 0],
    };
    History {
        operations,
        lines: [("a request".to_owned(), vec![line])].into(),
        audit: vec![audit.clone(), audit],
        found: Found {
            accounts: [("new".to_owned(), new)].into(),
            policies: [(1, 0), (2, 1), (3, 2)].into(),
            in_force: vec![3, 3],
            back_after: vec![100 * MS],
            descriptors: vec![(30, 31)],
        },
        ..History::default()
    }
}

/// What is found wrong when this is changed in what was well.
fn wrong(change: impl FnOnce(&mut History)) -> Vec<Invariant> {
    let mut history = all_is_well();
    change(&mut history);
    let mut found: Vec<Invariant> = check(&history, &PROMISES)
        .into_iter()
        .map(|violation| violation.of)
        .collect();
    found.dedup();
    found
}

fn wrong_with(more: impl IntoIterator<Item = Operation>) -> Vec<Invariant> {
    wrong(|history| history.operations.extend(more))
}

#[test]
fn nothing_is_found_where_all_is_well() {
    assert_eq!(wrong(|_| ()), []);
}

#[test]
fn two_sessions_of_one_account_are_found() {
    let former = wrong(|history| {
        noted(history, done(1, (310, 320), "ada", ASK(0, Page::Any)));
        history.lines.get_mut("request 310000").expect("noted")[0].revision = 1;
    });
    assert_eq!(former, [Invariant::I1], "the former after the later was answered");
    // Of sign-ins that overlap either may be the later one: not both are served.
    let (one, two) = ((0, 300), (200, 310));
    let overlapping = |asks: &[(usize, Micros)]| {
        let all = vec![
            done(0, one, "bea", Deed::SignIn(Some(10))),
            done(1, two, "bea", Deed::SignIn(Some(11))),
        ];
        wrong(|history| {
            for (session, at) in asks {
                noted(history, done(0, (*at, at + 1), "bea", ASK(*session, Page::Any)));
            }
            history.operations.extend(all);
            for number in [4, 5] {
                history
                    .audit
                    .iter_mut()
                    .for_each(|audit| audit.push(event(number, "sign_in.succeeded", "bea")));
            }
        })
    };
    assert_eq!(
        overlapping(&[(10, 320), (11, 301)]),
        [],
        "one of them, once both were answered"
    );
    assert_eq!(overlapping(&[(10, 320), (11, 330)]), [Invariant::I1]);
}

/// As if it had been written down.
fn noted(history: &mut History, operation: Operation) {
    let id = format!("request {}", operation.began);
    let line = Line {
        door: operation.door,
        revision: 3,
        status: 200,
    };
    history.lines.insert(id.clone(), vec![line]);
    history.operations.push(Operation {
        known_as: Some(id),
        ..operation
    });
}

#[test]
fn what_was_revoked_and_is_served_is_found() {
    for (revocation, at, page) in [
        (Deed::SignOut(1), 801, Page::Any),
        (Deed::EndAll, 801, Page::Any),
        (Deed::Disable, 801, Page::Any),
        (Deed::MaySeePrivate(false), 801, Page::Private),
    ] {
        let by = |answer: Answer, began| {
            wrong(|history| {
                let (door, changed) = (done(0, (750, 800), "ada", revocation.clone()), "account.changed");
                history.operations.push(with(door, answer));
                history
                    .audit
                    .iter_mut()
                    .for_each(|audit| audit.push(event(4, changed, "ada")));
                noted(history, done(1, (began, began + 5), "ada", ASK(1, page)));
            })
        };
        assert_eq!(by(Answer::Done, at).first(), Some(&Invariant::I2), "{revocation:?}");
        assert_eq!(by(Answer::Done, 799), [], "{revocation:?}: it was asked for before");
        assert_eq!(
            by(Answer::Unanswered, at),
            [],
            "{revocation:?}: nobody was told that it is made"
        );
    }
    let stream = |began| {
        let ended = done(0, (750, 800), "ada", Deed::EndAll);
        wrong_with([ended, done(1, (began, began + 5), "ada", SAY(1))])
    };
    assert_eq!(stream(2_700), [], "a stream has its time");
    assert_eq!(stream(2_801), [Invariant::I2]);
    let disabled = || with(done(0, (750, 800), "bea", Deed::Disable), Answer::Done);
    let sign_in = || done(1, (900, 950), "bea", Deed::SignIn(Some(9)));
    let found = |more: Vec<Operation>| wrong_with(more).contains(&Invariant::I2);
    assert!(found(vec![disabled(), sign_in()]));
    assert!(!found(vec![
        disabled(),
        done(1, (850, 860), "bea", Deed::Enable),
        sign_in()
    ]));
    assert!(!found(vec![
        disabled(),
        with(done(1, (850, 860), "bea", Deed::Enable), Answer::Unanswered),
        sign_in()
    ]));
    let old = wrong(|history| {
        noted(history, done(1, (2_700, 2_710), "ada", ASK(1, Page::Any)));
        history.lines.get_mut("request 2700000").expect("noted")[0].revision = 1;
    });
    assert_eq!(old, [Invariant::I2], "a policy that is long replaced");
}

#[test]
fn what_goes_back_is_found() {
    let again = wrong(|history| {
        history.operations.push(with(
            done(0, (720, 730), "ada", ASK(1, Page::Any)),
            refused(401, "ended"),
        ));
        history
            .operations
            .push(with(done(0, (715, 716), "ada", Deed::EndAll), Answer::Unanswered));
        noted(history, done(1, (1_731, 1_740), "ada", ASK(1, Page::Any)));
    });
    assert_eq!(again, [Invariant::I3], "a session that was over lives");
    let guess = |at, code: &str| with(done(0, (at, at + 1), "eve", Deed::Guess), refused(401, code));
    let many = (0..=PROMISES.failures as u64).map(|number| guess(10 * number, "invalid_credentials"));
    assert_eq!(
        wrong_with(many),
        [Invariant::I3],
        "more wrong passwords than there may be"
    );
    let unlocked = [guess(10, "locked"), guess(20, "invalid_credentials")];
    assert_eq!(wrong_with(unlocked), [Invariant::I3], "a lock that went");
    let used = |at, step| {
        let code = done(0, (at, at + 1), "fay", Deed::UseCode(step));
        (code, event(4 + at / 10, "sign_in.succeeded", "fay"))
    };
    for (first, second) in [(7, 7), (7, 6)] {
        let found = wrong(|history| {
            for (number, (code, mut event)) in [used(0, first), used(10, second)].into_iter().enumerate() {
                event.number = 4 + number as u64;
                history.operations.push(code);
                history.audit.iter_mut().for_each(|audit| audit.push(event.clone()));
            }
        });
        assert_eq!(found, [Invariant::I3], "code {second} after code {first}");
    }
    let read = |door, at, revision| done(door, (at, at + 1), "", Deed::ReadPolicy(Some(revision)));
    assert_eq!(
        wrong_with([read(1, 650, 3), read(1, 660, 2)]),
        [Invariant::I3],
        "the policy went back"
    );
    assert_eq!(
        wrong_with([read(0, 650, 3), read(1, 660, 2)]),
        [],
        "another door may lag behind"
    );
    let put = done(1, (650, 660), "", Deed::PutPolicy(1, Some(2)));
    assert_eq!(wrong_with([put]), [Invariant::I3], "a number that was given before");
}

#[test]
fn what_was_acknowledged_and_is_lost_is_found_and_so_is_half_of_a_thing() {
    let lost = |answer: Answer| {
        wrong(|history| {
            history.operations[5].answer = answer;
            history.found.accounts.clear();
        })
    };
    assert_eq!(lost(Answer::Done), [Invariant::I4]);
    assert_eq!(lost(Answer::Unanswered), [], "or not at all");
    let half = wrong(|history| {
        history.operations[5].answer = Answer::Unanswered;
        history.found.accounts.get_mut("new").expect("there").role.clear();
    });
    assert_eq!(half, [Invariant::I4]);
    let edited = |numbers: [u64; 2], answers: [Answer; 2]| {
        wrong(|history| {
            for (number, answer) in (1..).zip(answers) {
                let edit = done(0, (100 * number, 100 * number + 1), "new", Deed::Edit(number));
                history.operations.push(with(edit, answer));
                history
                    .audit
                    .iter_mut()
                    .for_each(|audit| audit.push(event(3 + number, "account.changed", "new")));
            }
            history.found.accounts.get_mut("new").expect("there").numbers = numbers.to_vec();
        })
    };
    assert_eq!(edited([2, 2], [Answer::Done, Answer::Done]), []);
    assert_eq!(
        edited([1, 1], [Answer::Done, Answer::Done]),
        [Invariant::I4],
        "the last one is lost"
    );
    assert_eq!(
        edited([1, 1], [Answer::Unanswered, Answer::Done]),
        [],
        "it may have come later"
    );
    assert_eq!(
        edited([1, 2], [Answer::Done, Answer::Unanswered]),
        [Invariant::I4],
        "half of it"
    );
    assert_eq!(
        wrong(|history| history.found.in_force[1] = 2),
        [Invariant::I4],
        "the doors disagree"
    );
    let other = wrong(|history| {
        history.found.policies.insert(3, 4);
    });
    assert_eq!(other, [Invariant::I4], "another policy than was put");
}

#[test]
fn who_cannot_tell_and_does_not_say_so_is_found() {
    let when = wrong(|history| history.operations[4].answer = Answer::Unavailable { retry_after: false });
    assert_eq!(when, [Invariant::I5], "come again, but when?");
    let away = with(
        done(1, (720, 730), "ada", ASK(1, Page::Any)),
        refused(401, "sign_in_required"),
    );
    assert_eq!(wrong_with([away.clone()]), [Invariant::I5], "a login loop");
    let because = with(done(0, (715, 725), "ada", Deed::EndAll), Answer::Unanswered);
    assert_eq!(wrong_with([away, because]), [], "something may have ended it");
    let cut = |from: Micros| {
        wrong(|history| {
            let (from, to) = (from * MS, 2_000 * MS);
            history.cut_off.push(CutOff { door: 1, from, to });
            noted(history, done(1, (1_000, 1_005), "ada", ASK(1, Page::Any)));
        })
    };
    assert_eq!(cut(699), [Invariant::I5], "served without knowing");
    assert_eq!(cut(701), [], "the lease holds yet");
}

#[test]
fn what_is_not_decided_by_one_revision_is_found() {
    let line = |change: fn(&mut Vec<Line>)| wrong(|history| change(history.lines.get_mut("a request").expect("there")));
    assert_eq!(line(|lines| lines.push(lines[0].clone())), [Invariant::I6], "two lines");
    assert_eq!(line(|lines| lines[0].revision = 9), [Invariant::I6], "by none that was");
    assert_eq!(
        line(|lines| lines[0].revision = 2),
        [Invariant::I6],
        "by one that refuses"
    );
    let refusal = |revision: u64| {
        wrong(|history| {
            let mut ask = with(
                done(1, (720, 730), "ada", ASK(1, Page::Changing)),
                refused(403, "forbidden"),
            );
            ask.known_as = Some("ABCD-2345".to_owned());
            history.operations.push(ask);
            for audit in &mut history.audit {
                let mut event = event(4, "request.refused", "ada");
                (event.support_code, event.revision) = (Some("ABCD-2345".to_owned()), Some(revision));
                audit.push(event);
            }
        })
    };
    assert_eq!(refusal(2), []);
    assert_eq!(refusal(3), [Invariant::I6], "by one that serves");
}

#[test]
fn what_is_not_written_down_is_found() {
    assert_eq!(wrong(|history| history.lines.clear()), [Invariant::I7], "no line");
    let killed = wrong(|history| {
        history.lines.clear();
        history.kills.push((1, 720 * MS));
    });
    assert_eq!(killed, [], "the last lines before a kill");
    assert_eq!(
        wrong(|history| history.audit[1][2].number = 4),
        [Invariant::I7],
        "a gap"
    );
    let missing = wrong(|history| {
        for audit in &mut history.audit {
            audit.pop();
        }
    });
    assert_eq!(missing, [Invariant::I7], "an event");
}

#[test]
fn who_does_not_come_back_or_leaks_is_found() {
    assert_eq!(
        wrong(|history| history.found.back_after[0] = PROMISES.back + 1),
        [Invariant::I8]
    );
    assert_eq!(
        wrong(|history| history.found.descriptors[0] = (30, 39)),
        [Invariant::I8]
    );
}
