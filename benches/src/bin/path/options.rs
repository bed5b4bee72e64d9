//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::scenario::Scenario;

/// Measures Stagedoor beside its peers, in turn in one run, on loopback.
///
/// Needs two cores, `wrk` and `h2load` (apt-get install wrk nghttp2-client), and the peers that are to be measured;
/// what is missing is left out, and the report says what installs it.
#[derive(Debug, Parser)]
#[command(name = "bench-path")]
pub(crate) struct Options {
    /// What to measure; everything but `instructions` if nothing is named.
    #[arg(value_enum)]
    pub(crate) scenarios: Vec<Scenario>,
    /// How often each candidate has its turn.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// How long a turn is measured, in seconds.
    #[arg(long, default_value_t = 4)]
    pub(crate) seconds: u32,
    /// Only these candidates of `path`, beside bare Pingora.
    #[arg(long, value_name = "CANDIDATE", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Where `benches/peers/install` has put peers.
    #[arg(long, value_name = "FOLDER", default_value = "target/peers")]
    pub(crate) peers: PathBuf,
    /// The door to be measured, in place of the one beside this program.
    #[arg(long, value_name = "FILE")]
    pub(crate) door: Option<PathBuf>,
    /// Ends candidates by SIGTERM and waits for them, so that a door built with `-Cprofile-generate` writes its profile.
    #[arg(long)]
    pub(crate) train: bool,
    /// Keeps what callgrind writes of `instructions` below there, for `callgrind_annotate`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) profiles: Option<PathBuf>,
    /// Writes all figures there.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draws the figures of `path` there.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}
