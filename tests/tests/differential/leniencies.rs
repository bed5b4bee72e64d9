//! What a site may let pass by name, on every server: whoever has no right to an area does not come into it by a path that
//! has more than one reading.

use stagedoor_policy::request::{Leniencies, Leniency};
use stagedoor_tests::server::Servers;

use super::habits::explained;
use super::judge::{Judge, Judged, everything_at_once};
use super::round::{Asked, Disagreement, ask_about};
use super::targets::{self, Chance};
use super::{SEED, agree, page};

/// How many targets that need several leniencies are asked for.
const TOGETHER_MAX: usize = 1500;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_site_lets_pass_by_name_leads_nobody_into_an_area_that_is_not_his() {
    let servers = Servers::start().await;
    let rows = page::rows("Let pass by name, and read otherwise");
    let strict = Judge::with_areas_inside_rest();
    for leniency in Leniency::ALL {
        println!("\n{}", leniency.name());
        let judge = Judge::allowing(Leniencies::NONE.with(leniency));
        let mut targets = targets::all(SEED);
        targets.retain(|raw| judge.judge(raw) != strict.judge(raw));
        assert!(
            !targets.is_empty(),
            "no target of the grammar needs {}",
            leniency.name()
        );
        let Asked { found, .. } = ask_about(&servers, &judge, targets).await;
        let rows: Vec<_> = rows.iter().filter(|row| row.why == leniency.name()).collect();
        agree(rows.iter().copied(), &found);
        let servers: Vec<&String> = rows.iter().flat_map(|row| &row.servers).collect();
        all_explained(&found, |found| servers.iter().any(|server| *server == found.server));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_leniencies_together_lead_nobody_further_than_each_alone() {
    let servers = Servers::start().await;
    let judge = Judge::allowing(everything_at_once());
    let alone = Leniency::ALL.map(|one| Judge::allowing(Leniencies::NONE.with(one)));
    let mut targets = targets::all(SEED);
    // What one of them lets pass is asked for under that one.
    let is_refused = |judge: &Judge, raw: &[u8]| matches!(judge.judge(raw), Judged::Refused(_));
    targets.retain(|raw| !is_refused(&judge, raw) && alone.iter().all(|one| is_refused(one, raw)));
    Chance(SEED).cut_to(TOGETHER_MAX, &mut targets);
    let Asked { found, .. } = ask_about(&servers, &judge, targets).await;
    all_explained(&found, |_| false);
}

/// Fails unless each is a habit that the strict rules have to live with as well, or one that a row of the page names.
fn all_explained(found: &[Disagreement], by_a_row: impl Fn(&Disagreement) -> bool) {
    let others = |found: &&Disagreement| explained(found).is_none() && !by_a_row(found);
    let unexplained: Vec<_> = found.iter().filter(others).collect();
    assert!(unexplained.is_empty(), "{}: {unexplained:#?}", unexplained.len());
}
