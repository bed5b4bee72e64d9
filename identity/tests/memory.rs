//! What a live session takes from memory, beyond what its account takes: counted, with a budget that a change has to edit.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a broken fixture should stop the test here"
)]

use stagedoor_identity::Doorkeeper;
use stagedoor_identity::testing::Crowd;

const ACCOUNTS: usize = 500;
/// What 1,000 sessions may take more than 500 do, each; their maps' share with it. What browsers call themselves is shared by
/// all that say the same, and not counted: in a crowd there are 50, however many sessions.
const SESSION_BYTES_MAX: i64 = 300;

/// What a door's memory holds, in bytes, once it has been filled with so many sessions of each account.
fn held(sessions_each: usize) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let parts = Crowd::gather(ACCOUNTS, sessions_each).unwrap().parts;
    let mut door = None;
    let counted = allocation_counter::measure(|| door = Some(runtime.block_on(Doorkeeper::open(parts)).unwrap()));
    assert_eq!(door.unwrap().sessions().len(), ACCOUNTS * sessions_each);
    counted.bytes_current
}

#[test]
fn a_session_beyond_its_account_takes_no_more_than_its_budget() {
    let accounts = i64::try_from(ACCOUNTS).unwrap();
    let (one_each, two_each) = (held(1), held(2));
    let each = (two_each - one_each) / accounts;
    let first = one_each / accounts;
    println!("{each} bytes a further session; {first} an account with its first, the door's own share with it");
    assert!(each <= SESSION_BYTES_MAX, "{each} bytes a session");
}
