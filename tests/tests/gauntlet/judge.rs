//! Runs a class of cases and collects whatever is not as it has to be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use stagedoor_tests::http2::Ended;
use stagedoor_tests::strict::{self, Reading, Strict};
use stagedoor_tests::{Way, soon};

use crate::case::{Ask, Case, Expected, Who};
use crate::stage::{FIRST, Outcome, Stage};

/// The connections of a second console, by numbers that the first has none of.
fn numbered_apart(connections: Vec<(usize, Vec<u8>)>) -> Vec<(usize, Vec<u8>)> {
    connections
        .into_iter()
        .map(|(number, bytes)| (usize::MAX - number, bytes))
        .collect()
}

/// What arrived at the consoles, read without mercy.
#[derive(Debug, Default)]
struct Arrived {
    whole: Vec<Strict>,
    unfinished: usize,
    malformed: Vec<String>,
    /// The connections whose last request was not read to its end.
    broken_off: Vec<usize>,
}

impl Arrived {
    fn is_nothing(&self) -> bool {
        self.whole.is_empty() && self.unfinished == 0
    }

    /// Takes out what an earlier case sent, which the door says by its address.
    fn take_late(&mut self, earlier: &BTreeMap<String, &Case>) -> Vec<String> {
        let (late, mut wrong) = (std::mem::take(&mut self.whole), Vec::new());
        for request in late {
            let case = request
                .values("x-forwarded-for")
                .first()
                .and_then(|address| earlier.get(*address));
            match case.map(|case| (case, &case.expected)) {
                None => self.whole.push(request),
                Some((case, Expected::Refused(_) | Expected::CutOff(_) | Expected::Ended)) => {
                    wrong.push(format!(
                        "- {} ({}): {} arrived late",
                        case.name, case.source, request.target
                    ));
                }
                Some(_) => {}
            }
        }
        wrong
    }
}

/// Sends every case by every way that can carry it, each from an address of its own, and fails the test with a list of what
/// went wrong.
pub(crate) async fn run(stage: &Stage, cases: Vec<Case>) {
    let (mut wrong, mut to_be_noted, mut count) = (Vec::new(), Vec::new(), 0);
    let mut broken_off = BTreeSet::<usize>::new();
    let mut earlier = BTreeMap::new();
    for case in &cases {
        let mut served = Vec::new();
        for way in case.ways() {
            count += 1;
            let own = format!("127.{}.{}.{}", 10 + count / 62_500, count / 250 % 250, count % 250 + 1);
            let from = case.from.unwrap_or(&own);
            let mark = (stage.console.mark(), stage.other.mark());
            let outcome = stage.send(case, way, from).await;
            let clean = format!("/public/clean/{count}");
            let after = clean_request(stage, way, &clean).await;
            let mut bytes = [stage.console.since(&mark.0), numbered_apart(stage.other.since(&mark.1))].concat();
            // The rest of what an earlier case began is not this one's. Did the door use such a connection again, no console
            // would answer on it, and the clean request would have failed.
            bytes.retain(|(connection, _)| !broken_off.contains(connection));
            let mut arrived = read_all(&bytes, &clean);
            wrong.extend(arrived.take_late(&earlier));
            broken_off.extend(&arrived.broken_off);
            served.push((way, !arrived.whole.is_empty()));
            let verdict = judge(case, way, &outcome, &arrived).and(after);
            if let Err(why) = verdict {
                wrong.push(describe(case, way, &why, &outcome, &bytes));
            }
            if case.from.is_none() {
                earlier.insert(own.clone(), case);
            }
            if case.from.is_none() && is_refusal(case, &outcome) {
                to_be_noted.push((from.to_owned(), format!("{way:?} {} ({})", case.name, case.source)));
            }
        }
        // Only what a case leaves open can differ from way to way without being told above.
        let open = matches!(case.expected, Expected::RefusedOr(..));
        if open && served.iter().any(|(_, each)| *each != served[0].1) {
            wrong.push(format!(
                "- {} ({}): served or not by the way: {served:?}",
                case.name, case.source
            ));
        }
    }
    wrong.extend(not_noted(stage, to_be_noted).await);
    println!("{} cases, {count} requests", cases.len());
    assert!(
        wrong.is_empty(),
        "{} of {count} went wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

async fn clean_request(stage: &Stage, way: Way, path: &str) -> Result<(), String> {
    let case = Case::ask(
        "a clean request",
        "",
        Ask::get(path),
        Expected::Arrives(Box::new(|_| Ok(()))),
    );
    let outcome = stage.send(&case, way, "127.0.0.1").await;
    let whole = matches!(outcome.ended, Ended::Whole | Ended::Closed);
    if outcome.status == 200 && whole {
        Ok(())
    } else {
        Err(format!(
            "a clean request afterwards: {} {:?}",
            outcome.status, outcome.ended
        ))
    }
}

fn read_all(connections: &[(usize, Vec<u8>)], but_for: &str) -> Arrived {
    let mut arrived = Arrived::default();
    for (number, bytes) in connections {
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            match strict::read(&rest) {
                Reading::Request(request, after) => {
                    rest = after;
                    if request.target != but_for && request.target != FIRST {
                        arrived.whole.push(*request);
                    }
                    continue;
                }
                Reading::Unfinished => {
                    arrived.unfinished += 1;
                    arrived.broken_off.push(*number);
                }
                Reading::Malformed(why) => arrived.malformed.push(why),
            }
            break;
        }
    }
    arrived
}

fn judge(case: &Case, way: Way, outcome: &Outcome, arrived: &Arrived) -> Result<(), String> {
    if let [why, ..] = &arrived.malformed[..] {
        return Err(format!("malformed at the console: {why}"));
    }
    match &case.expected {
        Expected::Refused(statuses) => {
            nothing(arrived)?;
            refused(statuses, way, outcome)
        }
        Expected::RefusedOr(statuses, check) => {
            // What is wrong in a body may be found when its head is on its way.
            if arrived.whole.is_empty() && arrived.unfinished <= 1 {
                refused(statuses, way, outcome)
            } else {
                passed(1, 1, check, outcome, arrived)
            }
        }
        Expected::CutOff(statuses) => {
            if !arrived.whole.is_empty() || arrived.unfinished > 1 {
                return Err(format!("{} whole requests arrived", arrived.whole.len()));
            }
            // Who breaks off in the middle is not there to be answered.
            if case.then_end && outcome.status == 0 && outcome.ended == Ended::Closed {
                return Ok(());
            }
            refused(statuses, way, outcome)
        }
        Expected::Arrives(check) => passed(1, 1, check, outcome, arrived),
        Expected::AtMost(most, check) => passed(0, *most, check, outcome, arrived),
        Expected::Ended => {
            nothing(arrived)?;
            match outcome.ended {
                Ended::GoneAway(_) | Ended::Closed => Ok(()),
                ended => Err(format!("the connection was not ended: {ended:?}")),
            }
        }
    }
}

fn nothing(arrived: &Arrived) -> Result<(), String> {
    if arrived.is_nothing() {
        return Ok(());
    }
    Err(format!(
        "{} whole and {} unfinished requests arrived",
        arrived.whole.len(),
        arrived.unfinished
    ))
}

fn refused(statuses: &[u16], way: Way, outcome: &Outcome) -> Result<(), String> {
    let ended_by_frame = matches!(outcome.ended, Ended::Reset(_) | Ended::GoneAway(_));
    if outcome.status == 0 && ended_by_frame && Way::BY_FRAMES.contains(&way) {
        return Ok(());
    }
    if !statuses.contains(&outcome.status) {
        return Err(format!(
            "answered {} ({:?}), not one of {statuses:?}",
            outcome.status, outcome.ended
        ));
    }
    let over = if Way::BY_FRAMES.contains(&way) {
        outcome.ended != Ended::Silent
    } else {
        outcome.ended == Ended::Closed
    };
    if !over {
        return Err(format!("refused, and left open: {:?}", outcome.ended));
    }
    is_ours(outcome)
}

/// An answer of the door's own, not of the library that carries it.
fn is_ours(outcome: &Outcome) -> Result<(), String> {
    if let Some(server) = outcome.header("server") {
        return Err(format!("the answer says `Server: {server}`"));
    }
    for (name, part) in [
        ("x-stagedoor-answer", "door"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "frame-ancestors 'none'"),
        ("cache-control", "no-store"),
        ("referrer-policy", ""),
        ("x-frame-options", "DENY"),
    ] {
        if !outcome.header(name).is_some_and(|value| value.contains(part)) {
            return Err(format!(
                "the answer has no fitting `{name}`: {:?}",
                outcome.header(name)
            ));
        }
    }
    let answers_to_head = outcome.body.is_empty() && outcome.header("content-length").is_some();
    let body = String::from_utf8_lossy(&outcome.body);
    if answers_to_head || body.contains("support_code") || body.contains("<dt>Support code</dt>") {
        Ok(())
    } else {
        Err(format!("the answer has no support code: {body}"))
    }
}

fn passed(
    least: usize,
    most: usize,
    check: &dyn Fn(&Strict) -> Result<(), String>,
    outcome: &Outcome,
    arrived: &Arrived,
) -> Result<(), String> {
    let whole = arrived.whole.len();
    let unfinished_at_most = usize::from(least == 0);
    if arrived.unfinished > unfinished_at_most || whole < least || whole > most {
        return Err(format!(
            "{whole} whole and {} unfinished requests arrived",
            arrived.unfinished
        ));
    }
    if least > 0 && outcome.status != 200 {
        return Err(format!("answered {} ({:?})", outcome.status, outcome.ended));
    }
    arrived.whole.iter().try_for_each(check)
}

fn is_refusal(case: &Case, outcome: &Outcome) -> bool {
    match case.expected {
        Expected::Refused(_) => true,
        Expected::CutOff(_) => !case.then_end,
        Expected::RefusedOr(..) => outcome.status != 200,
        Expected::Arrives(_) | Expected::AtMost(..) | Expected::Ended => false,
    }
}

/// The refusals whose addresses the audit does not know.
async fn not_noted(stage: &Stage, refusals: Vec<(String, String)>) -> Vec<String> {
    let Some((last, _)) = refusals.last() else {
        return Vec::new();
    };
    let admin = stage.ways.door.admin();
    // Written in order, though not at once. Where the last is never written, that is for the list below to say.
    let waited = async || admin.audit("event=request.refused&limit=1000").await;
    let noted = tokio::time::timeout(std::time::Duration::from_secs(5), async {
        soon("the last refusal is noted", async || {
            waited()
                .await
                .iter()
                .any(|event| event["address"] == **last)
                .then_some(())
        })
        .await;
    });
    noted.await.ok();
    let known = addresses_in_audit(stage).await;
    let missing = refusals.into_iter().filter(|(address, _)| !known.contains(address));
    missing.map(|(_, name)| format!("- {name}: not in the audit")).collect()
}

async fn addresses_in_audit(stage: &Stage) -> BTreeSet<String> {
    let admin = stage.ways.door.admin();
    let (mut known, mut before) = (BTreeSet::new(), String::new());
    loop {
        let page = admin
            .get(&format!("/v1/audit?event=request.refused&limit=1000{before}"))
            .await
            .expect(200)
            .json();
        let events = page["items"].as_array().cloned().unwrap_or_default();
        known.extend(
            events
                .iter()
                .filter_map(|event| event["address"].as_str().map(str::to_owned)),
        );
        match page["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return known,
        }
    }
}

fn describe(case: &Case, way: Way, why: &str, outcome: &Outcome, bytes: &[(usize, Vec<u8>)]) -> String {
    const SHOWN: usize = 300;
    let mut text = format!("- {way:?} {} ({}", case.name, case.source);
    if case.who != Who::Nobody {
        write!(text, ", by {:?}", case.who).ok();
    }
    write!(text, "): {why}").ok();
    if outcome.status == 200 || why.contains("console") || why.contains("arrived") {
        for (_, connection) in bytes {
            let shown = &connection[..connection.len().min(SHOWN)];
            write!(text, "\n    console: {:?}", String::from_utf8_lossy(shown)).ok();
        }
    }
    text
}
