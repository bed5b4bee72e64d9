//! Kicks in a row, as the meter counts them (`bench-kicks`): here it is only seen that each arrives everywhere.

use stagedoor_tests::measure_kicks;

const KICKS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_kicked_is_served_at_neither_door_once_that_is_acknowledged() {
    let kicks = measure_kicks(KICKS).await;
    println!("{kicks:?}");
    assert_eq!(kicks.served_after, 0);
    assert_eq!(kicks.acknowledged.len(), KICKS);
}
