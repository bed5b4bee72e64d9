//! What is said at the end: tables for people, JSON for programs.

use std::collections::BTreeMap;

use comfy_table::Table;
use serde::Serialize;

use crate::load::Figures;
use crate::machine::Machine;

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// How it was called.
    pub(crate) command: String,
    pub(crate) versions: BTreeMap<String, String>,
    /// Candidates that are not installed, and what installs them.
    pub(crate) left_out: Vec<String>,
    pub(crate) sections: Vec<Section>,
}

/// What one scenario showed.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Section {
    pub(crate) scenario: String,
    pub(crate) about: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) facts: Vec<Fact>,
}

/// One candidate over all rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) candidate: String,
    pub(crate) does: String,
    /// In the unit that the section's text names, one a round.
    pub(crate) rounds: Vec<f64>,
    /// To the first candidate in the same round.
    pub(crate) ratios: Vec<f64>,
    /// Medians of the rounds, where there is such a thing.
    pub(crate) requests_per_second: Option<f64>,
    pub(crate) p50_micros: Option<f64>,
    pub(crate) p99_micros: Option<f64>,
    pub(crate) resident_mib: Option<f64>,
}

/// One figure.
#[derive(Debug, Serialize)]
pub(crate) struct Fact {
    pub(crate) what: String,
    pub(crate) figure: f64,
    pub(crate) unit: &'static str,
    pub(crate) target: Option<&'static str>,
}

/// A fact.
pub(crate) fn fact(what: impl Into<String>, figure: f64, unit: &'static str, target: Option<&'static str>) -> Fact {
    Fact {
        what: what.into(),
        figure,
        unit,
        target,
    }
}

impl Row {
    /// Of a candidate's rounds, and what else was seen in each of them.
    pub(crate) fn new(candidate: &str, does: &str, rounds: Vec<f64>, reference: &[f64], seen: &[Figures]) -> Self {
        let ratios = rounds.iter().zip(reference).map(|(own, other)| own / other).collect();
        let of_seen = |figure: fn(&Figures) -> f64| {
            let figures: Vec<f64> = seen.iter().map(figure).collect();
            median(&figures).filter(|&median| median > 0.0)
        };
        Self {
            candidate: candidate.to_owned(),
            does: does.to_owned(),
            rounds,
            ratios,
            requests_per_second: of_seen(|figures| figures.per_second),
            p50_micros: of_seen(|figures| figures.p50.as_secs_f64() * 1e6),
            p99_micros: of_seen(|figures| figures.p99.as_secs_f64() * 1e6),
            resident_mib: of_seen(|figures| figures.resident_kib as f64 / 1024.0),
        }
    }
}

/// The middle one; of an even number the upper one.
pub(crate) fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// Median, least and most.
fn spread(figures: &[f64], digits: usize) -> String {
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let most = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match median(figures) {
        Some(median) => format!("{median:.digits$} ({least:.digits$} to {most:.digits$})"),
        None => String::new(),
    }
}

fn plain(figure: Option<f64>) -> String {
    figure.map_or_else(String::new, |figure| format!("{figure:.0}"))
}

impl std::fmt::Display for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "\n{}: {}", self.scenario, self.about)?;
        if !self.rows.is_empty() {
            let mut table = Table::new();
            table.load_style(comfy_table::presets::ASCII_MARKDOWN);
            table.set_header(["candidate", "figure", "ratio", "requests/s", "p50 us", "p99 us", "MiB"]);
            for row in &self.rows {
                table.add_row([
                    row.candidate.clone(),
                    spread(&row.rounds, 1),
                    spread(&row.ratios, 3),
                    plain(row.requests_per_second),
                    plain(row.p50_micros),
                    plain(row.p99_micros),
                    plain(row.resident_mib),
                ]);
            }
            writeln!(f, "{table}")?;
        }
        for fact in &self.facts {
            let target = fact
                .target
                .map_or_else(String::new, |target| format!(" (target: {target})"));
            writeln!(f, "- {}: {:.3} {}{target}", fact.what, fact.figure, fact.unit)?;
        }
        Ok(())
    }
}
