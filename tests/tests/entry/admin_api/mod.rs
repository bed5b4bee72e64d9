//! The admin API on its listener.

use stagedoor_tests::raw;

use crate::stage::Stage;

mod changes;
mod objects;
mod reach;
mod shown;
mod tokens;

/// Bytes to the admin listener, with the token that may do everything, and what comes back.
async fn exchange(stage: &Stage, request: &str, headers: &str) -> String {
    let at = stage.ways.door.admin_address();
    let bearer = format!("Authorization: Bearer {}\r\n", stage.admin.token());
    raw::exchange(
        at,
        format!("{request} HTTP/1.1\r\n{bearer}Connection: close\r\n{headers}\r\n"),
    )
    .await
}
