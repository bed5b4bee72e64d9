//! The store on Redis keeps every promise of the conformance suite, on a real redis-server.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test"
)]

#[path = "redis/alike.rs"]
mod alike;
#[path = "redis/certificates.rs"]
mod certificates;
#[path = "redis/cluster.rs"]
mod cluster;
#[path = "redis/hands.rs"]
mod hands;
#[path = "redis/heard.rs"]
mod heard;
#[path = "redis/in_trouble.rs"]
mod in_trouble;
#[path = "redis/lives.rs"]
mod lives;
#[path = "redis/lost.rs"]
mod lost;
#[path = "redis/many.rs"]
mod many;
#[path = "redis/moving.rs"]
mod moving;
#[path = "redis/rights.rs"]
mod rights;
#[path = "redis/sentinel.rs"]
mod sentinel;
#[path = "redis/server.rs"]
mod server;
#[path = "redis/stage.rs"]
mod stage;
#[path = "redis/steps.rs"]
mod steps;

mod promises {
    use super::server::server;

    stagedoor_store::conformance_tests!(server);
}
