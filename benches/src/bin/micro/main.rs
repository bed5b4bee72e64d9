//! What one judgement, one session look-up and one page of the account list cost, and whether that grows.
//!
//! Each size is measured in turn in every round, so that a noisy neighbour hits all of them alike; the median over the
//! rounds is printed, and its ratio to the smallest size.

mod accounts;
mod sessions;

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use accounts::Accounts;
use sessions::Sessions;
use stagedoor_policy::request::{ClientAddress, Target};
use stagedoor_policy::rules::{AreaRules, RoleRules, Rules, SiteRules};
use stagedoor_policy::{Policy, Question, Revision, Visitor, compile, decide};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(150);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sizes = [(10, 10), (1_000, 1_000), (10_000, 100_000)];
    let decisions: Vec<_> = sizes.map(|(areas, networks)| Decision::new(areas, networks)).into();
    report(
        "decide(), networks (with as many areas, 10,000 at most)",
        decisions.iter().map(|case| (case.networks, || case.once())),
    );

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut lookups = Vec::new();
    for size in [10_usize, 100_000, 1_000_000] {
        lookups.push((size, runtime.block_on(Sessions::open(size))?));
    }
    report(
        "session look-up, live sessions",
        lookups.iter().map(|(size, sessions)| (*size, || sessions.once())),
    );

    let lists = [100_usize, 100_000].map(|size| Ok::<_, Box<dyn std::error::Error>>((size, Accounts::open(size)?)));
    let lists: Vec<_> = lists.into_iter().collect::<Result<_, _>>()?;
    report(
        "a page of the account list, accounts",
        lists.iter().map(|(size, accounts)| (*size, || accounts.page())),
    );
    report(
        "an account found by part of its name, accounts",
        lists.iter().map(|(size, accounts)| (*size, || accounts.search())),
    );
    Ok(())
}

/// Questions asked in turn: as many of every policy, so that what they take from the cache themselves is the same.
const QUESTIONS: usize = 4096;

/// A policy of so many areas and networks, and questions spread over all of them.
struct Decision {
    networks: usize,
    policy: Policy,
    paths: Vec<String>,
    addresses: Vec<ClientAddress>,
    next: std::cell::Cell<usize>,
}

impl Decision {
    fn new(areas: usize, networks: usize) -> Self {
        let area = |number: usize| AreaRules {
            paths: vec![format!("/area-{number}/**")],
            ..AreaRules::default()
        };
        let network = |number: usize| format!("{}/32", address(number));
        let site = SiteRules {
            networks: Some((0..networks).map(network).collect()),
            areas: (0..areas)
                .map(|number| (format!("area-{number}"), area(number)))
                .collect(),
            ..SiteRules::default()
        };
        let may = [("*".to_owned(), vec!["manage".to_owned()])].into();
        let rules = Rules {
            sites: [("console".to_owned(), site)].into(),
            roles: [(
                "operator".to_owned(),
                RoleRules {
                    may,
                    ..RoleRules::default()
                },
            )]
            .into(),
            ..Rules::default()
        };
        let policy = match compile(&rules, Revision(1)) {
            Ok(policy) => policy,
            Err(faults) => fail(&format!("the benchmark's own policy is faulty: {faults:?}")),
        };
        let spread = |index: usize| index.wrapping_mul(7919);
        Self {
            networks,
            policy,
            paths: (0..QUESTIONS)
                .map(|index| format!("/area-{}/item/7", spread(index) % areas))
                .collect(),
            addresses: (0..QUESTIONS)
                .map(|index| ClientAddress::of_peer(address(spread(index) % networks)))
                .collect(),
            next: std::cell::Cell::new(0),
        }
    }

    /// One target parsed and judged.
    fn once(&self) {
        let at = self.next.get();
        self.next.set(at.wrapping_add(1));
        let (Some(path), Some(address)) = (
            self.paths.get(at % self.paths.len()),
            self.addresses.get(at % self.addresses.len()),
        ) else {
            return;
        };
        let (Some(site), Ok(target)) = (
            self.policy.site("console"),
            Target::parse(&http::Method::GET, path.as_bytes()),
        ) else {
            return;
        };
        let visitor = Visitor {
            role: "operator",
            grants: &[],
            networks: None,
            channel: "browser",
            second_factor: false,
        };
        black_box(decide(
            &self.policy,
            &Question {
                site,
                target: &target,
                address: *address,
                visitor: Some(visitor),
                preflight: false,
            },
        ));
    }
}

fn address(number: usize) -> IpAddr {
    let number = u32::try_from(number).unwrap_or(0);
    // Spread over all there are, no two alike: an odd factor, far from any power of two.
    IpAddr::V4(Ipv4Addr::from(number.wrapping_mul(0x9e37_79b1)))
}

/// Measures every case in turn, round by round, and prints the medians.
fn report<'a, F: Fn() + 'a>(title: &str, cases: impl Iterator<Item = (usize, F)> + 'a) {
    let cases: Vec<_> = cases.collect();
    let mut nanoseconds: Vec<Vec<f64>> = vec![Vec::new(); cases.len()];
    for _ in 0..ROUNDS {
        for ((_, once), measured) in cases.iter().zip(&mut nanoseconds) {
            measured.push(measure(once));
        }
    }
    println!("{title}");
    let medians: Vec<f64> = nanoseconds.into_iter().map(median).collect();
    for ((size, _), median) in cases.iter().zip(&medians) {
        let ratio = median / medians.first().copied().unwrap_or(1.0);
        println!("  {size:>7}: {median:7.1} ns, {ratio:.2} of the smallest");
    }
}

fn measure(once: &impl Fn()) -> f64 {
    let (started, mut count) = (Instant::now(), 0_u32);
    while started.elapsed() < ROUND {
        (0..256).for_each(|_| once());
        count += 256;
    }
    started.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    std::process::exit(1)
}
