//! The binary `stagedoor`.

use std::process::ExitCode;

use stagedoor::house::Stagedoor;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Two providers are compiled in (pingora brings ring); rustls wants one chosen. An error says that one is chosen already.
    let _chosen = rustls::crypto::aws_lc_rs::default_provider().install_default();
    stagedoor::cli::run(&Stagedoor)
}
