//! Whatever the door lets through is resolved by real servers inside the area that the door judged.

mod ask;
mod end_to_end;
mod habits;
mod judge;
mod leniencies;
mod page;
mod refused;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt as _;

use ask::{Answer, ask_all};
use habits::{HABITS, explained};
use judge::{Judge, Judged};
use stagedoor_tests::server::{AREAS, REST, Server, Servers};

/// What chance follows from: another one asks for other targets, the same one for the same.
const SEED: u64 = 0x005e_ed0f_5746_6e01;

/// A resource that answered lies in another area than the one that was judged.
#[derive(Debug)]
struct Disagreement {
    server: &'static str,
    target: String,
    judged: String,
    resolved: String,
}

impl Disagreement {
    /// The target without its query.
    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_door_lets_through_real_servers_resolve_in_the_area_it_judged() {
    let servers = Servers::start().await;
    let judge = Judge::with_areas_inside_rest();
    let Asked { found, reached } = ask_about(&servers, &judge, targets::all(SEED)).await;
    let unexplained: Vec<_> = found
        .iter()
        .filter(|found| explained(&judge, found).is_none())
        .collect();
    assert!(unexplained.is_empty(), "{}: {unexplained:#?}", unexplained.len());

    // Every server was asked for what it has. Not each has a report.
    for (server, areas) in reached {
        for (area, _) in AREAS.iter().filter(|(area, _)| *area != "report") {
            assert!(areas.contains(*area), "{server} never answered from `{area}`");
        }
    }

    // What is explained is what docs/threats.md says, no more and no less.
    let rows = page::rows("Let through, and read otherwise");
    let named: BTreeSet<&str> = rows.iter().map(|row| row.why.as_str()).collect();
    assert_eq!(named, HABITS.iter().map(|habit| habit.name).collect());
    agree(&rows, &found);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_for_one_path_does_not_hold_what_servers_take_for_the_same_page() {
    let servers = Servers::start().await;
    let judge = Judge::with_one_path_for_the_report();
    let of_the_report = |target: &Vec<u8>| target.to_ascii_lowercase().starts_with(b"/report");
    let elsewhere = |target: &Vec<u8>| target.ends_with(b"/page");
    let mut targets = targets::all(SEED);
    targets.retain(|target| of_the_report(target) || elsewhere(target));
    let Asked { found, .. } = ask_about(&servers, &judge, targets).await;
    agree(&page::rows("A pattern for one path alone"), &found);
}

/// Fails unless each row is what was found: these servers, and no others, are led there.
fn agree<'a>(rows: impl IntoIterator<Item = &'a page::Row>, found: &[Disagreement]) {
    for row in rows {
        let of_row = found
            .iter()
            .filter(|found| found.target == row.target && found.resolved == row.resolved);
        let servers: BTreeSet<String> = of_row.map(|found| found.server.to_owned()).collect();
        assert_eq!(
            servers, row.servers,
            "docs/threats.md says otherwise of `{}`",
            row.target
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_area_lies_inside_another_no_servers_habit_leads_into_one() {
    let servers = Servers::start().await;
    let judge = Judge::with_areas_side_by_side();
    let Asked { found, .. } = ask_about(&servers, &judge, targets::all(SEED)).await;
    // A front controller that cannot read its path shows its first page, which is in no area: nothing is entered.
    let entered: Vec<_> = found.iter().filter(|found| found.resolved != REST).collect();
    assert!(entered.is_empty(), "{}: {entered:#?}", entered.len());
}

/// What came of asking.
struct Asked {
    found: Vec<Disagreement>,
    /// The areas that each server has answered from.
    reached: BTreeMap<&'static str, BTreeSet<String>>,
}

/// Asks every server for what the judge lets through of these targets.
async fn ask_about(servers: &Servers, judge: &Judge, raws: Vec<Vec<u8>>) -> Asked {
    let mut forwarded = BTreeMap::new();
    for raw in raws {
        if let Judged::Forwarded { area, target } = judge.judge(&raw) {
            forwarded.insert(target, area);
        }
    }
    let targets: Arc<Vec<Vec<u8>>> = Arc::new(forwarded.keys().cloned().collect());
    println!("{} targets are let through", targets.len());
    let (mut found, mut reached) = (Vec::new(), BTreeMap::new());
    for (server, answers) in ask_each(servers, &targets).await {
        let before = found.len();
        for (answer, (target, judged)) in answers.iter().zip(&forwarded) {
            let target = String::from_utf8(target.clone()).expect("what is forwarded is ASCII");
            check_form(&server, &target, answer);
            let resolved = answer.area.clone().filter(|resolved| resolved != judged);
            if let Some(resolved) = resolved.filter(|resolved| !judge.keeps_out_of(resolved, target.as_bytes())) {
                let (server, judged) = (server.name, judged.clone());
                found.push(Disagreement {
                    server,
                    target,
                    judged,
                    resolved,
                });
            }
        }
        report(&server, &answers, found.len() - before);
        reached.insert(
            server.name,
            answers.into_iter().filter_map(|answer| answer.area).collect(),
        );
    }
    Asked { found, reached }
}

/// Two at a time: one keeps a core busy, its clients the other.
async fn ask_each(servers: &Servers, targets: &Arc<Vec<Vec<u8>>>) -> Vec<(Server, Vec<Answer>)> {
    let asked = servers.all().iter().map(|server| async {
        let answers = ask_all(server.at, Arc::clone(targets)).await;
        (server.clone(), answers)
    });
    futures_util::stream::iter(asked).buffered(2).collect().await
}

/// What every answer has to be, so that none counts as agreement by being unreadable.
fn check_form(server: &Server, target: &str, answer: &Answer) {
    let Answer {
        status,
        area,
        location,
        body,
    } = answer;
    let at = format!("{} at `{target}`: {status} {location:?} {body}", server.name);
    assert!(
        area.is_some() || !(200..300).contains(status),
        "an answer that does not say from where: {at}"
    );
    assert!((200..500).contains(status), "the server broke: {at}");
    // Wherever a redirect leads to, it is asked for and judged anew, as long as it is asked of the door. A server that was
    // given no port names its own.
    if let Some(location) = location {
        let own = format!("http://console.localhost:{}/", server.at.port());
        let starts = [own.as_str(), "http://console.localhost/", "/"];
        let path = starts.iter().find_map(|start| location.strip_prefix(start));
        assert!(
            path.is_some_and(|path| !path.starts_with(['/', '\\'])),
            "a redirect to elsewhere: {at}"
        );
    }
}

/// One line a server: what it said, and from where.
fn report(server: &Server, answers: &[Answer], disagreements: usize) {
    let mut areas: BTreeMap<&str, usize> = BTreeMap::new();
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for answer in answers {
        *statuses.entry(answer.status).or_default() += 1;
        if let Some(area) = &answer.area {
            *areas.entry(area).or_default() += 1;
        }
    }
    let Server { name, version, .. } = server;
    println!("{name} ({version}): {statuses:?}, resolved in {areas:?}, disagreements: {disagreements}");
}
