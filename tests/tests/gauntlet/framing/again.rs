//! The same cases in other circumstances: a reader that has a state may be led astray by how bytes come and by what came
//! before.

use super::{chunks, codings, lengths, lines};
use crate::case::Case;
use crate::judge::run;
use crate::stage::Stage;

/// Sizes of the pieces that requests are cut in, in turn.
const PIECES: [usize; 5] = [1, 2, 3, 5, 7];

fn all() -> Vec<Case> {
    [
        lengths::numbers(),
        lengths::beside_codings(),
        codings::codings(),
        chunks::chunks(),
        chunks::trailers(),
        lines::lines(),
        lines::hosts(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn however_the_bytes_of_a_request_are_cut_its_verdict_is_the_same() {
    let pieces = PIECES.iter().cycle();
    let cases = all()
        .into_iter()
        .zip(pieces)
        .map(|(case, piece)| case.in_pieces(*piece));
    run(&Stage::open().await, cases.collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_fresh_connection_is_refused_is_refused_on_a_used_one() {
    let cases = all().into_iter().map(Case::on_a_used_connection);
    run(&Stage::open().await, cases.collect()).await;
}
