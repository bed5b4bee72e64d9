//! The store on Redis keeps every promise of the conformance suite, on a real redis-server.
#![expect(clippy::expect_used, clippy::panic, reason = "helpers of a test")]

#[path = "redis/server.rs"]
mod server;

mod promises {
    use super::server::server;

    stagedoor_store::conformance_tests!(server);
}
