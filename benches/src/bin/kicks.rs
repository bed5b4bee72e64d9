//! How long somebody who is kicked is still served, at two doors on one Redis: p50, p99 and the longest of so many kicks.
//!
//! Needs `redis-server` (Debian). Doors, Redis, console, visitors and the administrator share the machine. Build all with one
//! profile: `cargo build --profile shipping -p stagedoor -p stagedoor-benches && target/shipping/bench-kicks 1000`.

use std::time::Duration;

use stagedoor_tests::measure_kicks;

const KICKS: usize = 1000;
const KICKS_MAX: usize = 100_000;
/// What is aimed at, on one host.
const AIM: Duration = Duration::from_millis(50);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let times = match std::env::args().nth(1) {
        Some(times) => times.parse()?,
        None => KICKS,
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let kicks = runtime.block_on(measure_kicks(times.min(KICKS_MAX)));
    println!(
        "{} kicks, from the moment at which each is sent:",
        kicks.acknowledged.len()
    );
    let [requests_here, requests_there] = kicks.requests;
    let [sockets_here, sockets_there] = kicks.sockets;
    let mut worst = Duration::ZERO;
    for (what, figures) in [
        ("the kick is acknowledged", kicks.acknowledged),
        ("last page, same door", requests_here),
        ("last page, other door", requests_there),
        ("last message, same door", sockets_here),
        ("last message, other door", sockets_there),
    ] {
        worst = worst.max(tell(what, figures));
    }
    println!(
        "pages asked for after the acknowledgement and served: {}",
        kicks.served_after
    );
    println!("aim: p99 below {AIM:?}: {}", if worst < AIM { "met" } else { "missed" });
    Ok(())
}

/// Answers the p99.
fn tell(what: &str, mut figures: Vec<Duration>) -> Duration {
    figures.sort();
    let at = |per_mille: usize| {
        let index = figures.len().saturating_mul(per_mille).div_ceil(1000).saturating_sub(1);
        figures.get(index).copied().unwrap_or_default()
    };
    println!(
        "  {what:26} p50 {:9.3?}  p99 {:9.3?}  max {:9.3?}",
        at(500),
        at(990),
        at(1000)
    );
    at(990)
}
