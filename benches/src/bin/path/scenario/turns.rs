//! Candidates that take turns: each round starts and measures every one of them, so that what the machine does meanwhile
//! falls on all.

use std::path::Path;

use crate::Failure;
use crate::load::Figures;
use crate::options::Options;
use crate::report::Row;
use crate::rig::{Rig, Serving};

/// The figure that is compared, and whatever else was seen.
pub(super) type Measured = Result<(f64, Option<Figures>), Failure>;

/// Who takes part.
pub(super) struct Entrant<'a> {
    pub(super) name: &'a str,
    pub(super) does: &'a str,
    pub(super) start: &'a dyn Fn(&Path) -> Result<Serving, Failure>,
    pub(super) measure: &'a dyn Fn(&Serving, &Path) -> Measured,
}

/// All rounds; ratios are to the first entrant.
pub(super) fn take(rig: &Rig, options: &Options, entrants: &[Entrant<'_>]) -> Result<Vec<Row>, Failure> {
    let mut figures = vec![Vec::new(); entrants.len()];
    let mut seen: Vec<Vec<Figures>> = vec![Vec::new(); entrants.len()];
    for round in 0..options.rounds {
        for turn in 0..entrants.len() {
            // Nobody is always first, or always behind the same one.
            let at = (turn + round) % entrants.len();
            let (Some(entrant), Some(figures), Some(seen)) = (entrants.get(at), figures.get_mut(at), seen.get_mut(at))
            else {
                continue;
            };
            let folder = rig.fresh(entrant.name)?;
            let serving = (entrant.start)(&folder).map_err(|error| format!("{}: {error}", entrant.name))?;
            let measured = (entrant.measure)(&serving, &folder);
            let (figure, more) = measured.map_err(|error| format!("{}: {error}", entrant.name))?;
            eprintln!("  round {}, {}: {figure:.2}", round + 1, entrant.name);
            figures.push(figure);
            seen.extend(more);
        }
    }
    let reference = figures.first().cloned().unwrap_or_default();
    let rows = entrants.iter().zip(figures).zip(&seen);
    Ok(rows
        .map(|((entrant, figures), seen)| Row::new(entrant.name, entrant.does, figures, &reference, seen))
        .collect())
}
