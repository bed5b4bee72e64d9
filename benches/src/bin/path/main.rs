//! The whole path: Stagedoor beside its peers, in turn in one run, on loopback. `--help` says what can be measured.
//!
//! Times of a shared machine mean little by themselves; ratios within a round do. The candidate has one core for itself, load
//! and console have the other. Build all with one profile:
//! `cargo build --profile shipping -p stagedoor -p stagedoor-benches && target/shipping/bench-path`.

mod candidate;
mod load;
mod machine;
mod options;
mod plot;
mod process;
mod report;
mod rig;
mod scenario;
mod sessions;
mod upstream;

use std::collections::BTreeMap;
use std::path::Path;

use clap::{Parser as _, ValueEnum as _};

use crate::machine::Machine;
use crate::options::Options;
use crate::report::Report;
use crate::rig::Rig;
use crate::scenario::Scenario;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let options = Options::parse();
    for name in &options.only {
        candidate::named(name)?;
    }
    let machine = Machine::describe();
    machine::keep_to_loads_core()?;
    let rig = Rig::set_up(std::path::absolute(&options.peers)?)?;
    let mut report = Report {
        machine,
        command: std::env::args().collect::<Vec<_>>().join(" "),
        versions: versions(&rig.peers),
        left_out: left_out(&rig.peers),
        sections: Vec::new(),
    };
    let machine = &report.machine;
    println!(
        "{}, {} cores, Linux {}, {}",
        machine.processor, machine.cores, machine.kernel, machine.system
    );
    for line in &report.left_out {
        println!("{line}");
    }
    for scenario in wanted(&options) {
        eprintln!("{}", scenario.name());
        let section = scenario
            .run(&rig, &options)
            .map_err(|error| format!("{}: {error}", scenario.name()))?;
        print!("{section}");
        report.sections.push(section);
        // After each, so that an interrupted run has lost one scenario at most.
        save(&report, &options)?;
    }
    Ok(())
}

fn wanted(options: &Options) -> Vec<Scenario> {
    match options.scenarios.as_slice() {
        [] => Scenario::value_variants()
            .iter()
            .copied()
            .filter(|scenario| *scenario != Scenario::Instructions)
            .collect(),
        named => named.to_vec(),
    }
}

fn save(report: &Report, options: &Options) -> Result<(), Failure> {
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_string_pretty(report)? + "\n")?;
    }
    let path = report
        .sections
        .iter()
        .find(|section| section.scenario == Scenario::Path.name());
    if let (Some(file), Some(path)) = (&options.svg, path) {
        plot::draw(path, file)?;
    }
    Ok(())
}

fn versions(peers: &Path) -> BTreeMap<String, String> {
    let programs = candidate::ALL.iter().filter_map(|candidate| candidate.needs);
    programs
        .filter_map(|program| Some((program.name.to_owned(), program.version(peers)?)))
        .collect()
}

fn left_out(peers: &Path) -> Vec<String> {
    let missing = candidate::ALL.iter().filter(|candidate| !candidate.is_installed(peers));
    missing
        .filter_map(|candidate| {
            let program = candidate.needs?;
            Some(format!(
                "{} is left out: {} is missing, which `{}` installs",
                candidate.name, program.name, program.installed_by
            ))
        })
        .collect()
}
