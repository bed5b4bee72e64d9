//! Whatever the door lets through is resolved by real servers inside the area that the door judged.

mod ask;
mod end_to_end;
mod habits;
mod judge;
mod leniencies;
mod page;
mod refused;
mod round;
mod targets;
mod words;

use std::collections::BTreeSet;

use habits::{HABITS, explained};
use judge::Judge;
use round::{Asked, Disagreement, ask_about};
use stagedoor_tests::server::{AREAS, REST, Servers};

/// What chance follows from: another one asks for other targets, the same one for the same.
const SEED: u64 = 0x005e_ed0f_5746_6e01;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_door_lets_through_real_servers_resolve_in_the_area_it_judged() {
    let servers = Servers::start().await;
    let judge = Judge::with_areas_inside_rest();
    let Asked { found, reached } = ask_about(&servers, &judge, targets::all(SEED)).await;
    let unexplained: Vec<_> = found.iter().filter(|found| explained(found).is_none()).collect();
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

#[tokio::test(flavor = "multi_thread")]
async fn where_no_area_lies_inside_another_no_servers_habit_leads_into_one() {
    let servers = Servers::start().await;
    let judge = Judge::with_areas_side_by_side();
    let Asked { found, .. } = ask_about(&servers, &judge, targets::all(SEED)).await;
    // A front controller that cannot read its path shows its first page, which is in no area: nothing is entered.
    let entered: Vec<_> = found.iter().filter(|found| found.resolved != REST).collect();
    assert!(entered.is_empty(), "{}: {entered:#?}", entered.len());
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
