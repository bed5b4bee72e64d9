//! What the strict rules refuse, sent to the servers all the same: where it would have led is why there are rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stagedoor_tests::server::{OUTSIDE, REST, Servers};

use super::SEED;
use super::judge::{Judge, Judged, area_as_written};
use super::page::{self, written};
use super::round::ask_each;
use super::targets::{self, Chance};

/// How many targets of each reason are tried.
const SAMPLES_PER_REASON: usize = 200;
/// How many rows a reason gets in the table that is printed.
const ROWS_PER_REASON: usize = 2;

/// Where refused targets led: by target, then by area, on which servers.
type Led = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;
/// A target, the area it led into, and on which servers.
type Row<'a> = (&'a str, &'a str, &'a BTreeSet<String>);

#[tokio::test(flavor = "multi_thread")]
async fn what_the_strict_rules_refuse_would_lead_elsewhere_on_real_servers() {
    let servers = Servers::start().await;
    let judge = Judge::with_areas_inside_rest();
    let mut samples = samples(&judge);
    let rows = page::rows("Refused, and where it would have led");
    for row in &rows {
        let judged = judge.judge(row.target.as_bytes());
        assert!(
            matches!(judged, Judged::Refused(reason) if reason == row.why),
            "{row:?}: {judged:?}"
        );
    }
    samples.extend(rows.iter().map(|row| row.target.clone()));
    let led = lead(&servers, &samples).await;
    print_table(&judge, &led);
    for row in rows {
        let servers = led.get(&row.target).and_then(|areas| areas.get(&row.resolved));
        assert_eq!(
            servers,
            Some(&row.servers),
            "docs/threats.md says otherwise of `{}`",
            row.target
        );
    }
}

/// As many refused targets of each reason as are tried, drawn by the seed.
fn samples(judge: &Judge) -> BTreeSet<String> {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for raw in targets::all(SEED) {
        if let Judged::Refused(reason) = judge.judge(&raw) {
            let text = String::from_utf8(raw).expect("the grammar writes UTF-8");
            reasons.entry(reason).or_default().push(text);
        }
    }
    let mut chance = Chance(SEED);
    for (reason, targets) in &mut reasons {
        println!("{} targets are refused as {reason}", targets.len());
        chance.cut_to(SAMPLES_PER_REASON, targets);
    }
    reasons.into_values().flatten().collect()
}

/// Asks every server for every target, and keeps what led into an area that the letters of the target do not name.
async fn lead(servers: &Servers, samples: &BTreeSet<String>) -> Led {
    let targets = Arc::new(samples.iter().map(|target| target.clone().into_bytes()).collect());
    let mut led = Led::new();
    for (server, answers) in ask_each(servers, &targets).await {
        for (target, answer) in samples.iter().zip(answers) {
            let resolved = answer
                .area
                .filter(|area| area != REST && area != area_as_written(target));
            if let Some(resolved) = resolved {
                let areas = led.entry(target.clone()).or_default();
                areas.entry(resolved).or_default().insert(server.name.to_owned());
            }
        }
    }
    led
}

/// The rows that docs/threats.md is made of: of each reason the targets that mislead the most servers the furthest.
fn print_table(judge: &Judge, led: &Led) {
    let mut reasons: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
    for (target, areas) in led {
        if let Judged::Refused(reason) = judge.judge(target.as_bytes()) {
            let rows = areas
                .iter()
                .map(|(area, servers)| (target.as_str(), area.as_str(), servers));
            reasons.entry(reason).or_default().extend(rows);
        }
    }
    for (reason, mut rows) in reasons {
        println!("{reason}: {} targets lead into another area", rows.len());
        rows.sort_by_key(|(target, area, servers)| {
            let from_an_area = area_as_written(target) != REST;
            let far = matches!(*area, "admin" | OUTSIDE);
            (!far, !from_an_area, usize::MAX - servers.len(), target.len())
        });
        for (target, area, servers) in rows.iter().take(ROWS_PER_REASON) {
            println!("{}", written(reason, target, area, servers));
        }
    }
}
