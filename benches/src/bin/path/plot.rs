//! The figures of one section as a picture, on a logarithmic scale: a bar from the reference to each candidate's median, a line
//! from its least to its most.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Failure;
use crate::report::{Row, Section, median};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const WIDTH: i32 = 900;
const ROW_HEIGHT: i32 = 34;
const BAR_HEIGHT: i32 = 22;
const MARGIN: i32 = 20;
const HEAD_HEIGHT: i32 = 80;
const LABELS_WIDTH: i32 = 190;
const FIGURES_WIDTH: i32 = 150;
/// Ratios that have a line of their own; the scale begins at the first.
const MARKS: [f64; 8] = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];
const OURS: RGBColor = RGBColor(31, 97, 141);
const OTHERS: RGBColor = RGBColor(170, 178, 189);
const INK: RGBColor = RGBColor(33, 37, 41);
const FAINT: RGBColor = RGBColor(222, 226, 230);

/// Where a ratio stands from left to right.
#[derive(Debug, Clone, Copy)]
struct Scale {
    most: f64,
}

impl Scale {
    fn at(self, ratio: f64) -> i32 {
        let [least, ..] = MARKS;
        let share = (ratio.max(least) / least).ln() / (self.most / least).ln();
        LABELS_WIDTH + (f64::from(WIDTH - LABELS_WIDTH - FIGURES_WIDTH) * share) as i32
    }
}

/// Draws ratios to the first row.
pub(crate) fn draw(section: &Section, file: &Path) -> Result<(), Failure> {
    let rows = &section.rows;
    let height = HEAD_HEIGHT + ROW_HEIGHT * i32::try_from(rows.len())? + MARGIN;
    let area = SVGBackend::new(file, (WIDTH.unsigned_abs(), height.unsigned_abs())).into_drawing_area();
    area.fill(&WHITE)?;
    let reference = rows.first().map_or("", |row| row.candidate.as_str());
    let title = format!("CPU time per request, ratio to {reference} of the same round");
    let heading = ("sans-serif", 18).into_font().color(&INK);
    area.draw_text(&title, &heading, (MARGIN, MARGIN))?;
    let most = rows.iter().flat_map(|row| &row.ratios).copied().fold(2.0, f64::max);
    let scale = Scale { most };
    marks(&area, scale, height - MARGIN)?;
    for (row, top) in rows
        .iter()
        .zip((HEAD_HEIGHT..).step_by(ROW_HEIGHT.unsigned_abs() as usize))
    {
        bar(&area, row, top, scale)?;
    }
    area.present()?;
    Ok(())
}

fn marks(area: &Area<'_>, scale: Scale, bottom: i32) -> Result<(), Failure> {
    let small = ("sans-serif", 12).into_font().color(&INK);
    let centred = small.pos(Pos::new(HPos::Center, VPos::Bottom));
    for mark in MARKS.into_iter().filter(|mark| *mark <= scale.most) {
        let x = scale.at(mark);
        let colour = if mark == 1.0 { INK } else { FAINT };
        area.draw(&PathElement::new([(x, HEAD_HEIGHT - 10), (x, bottom)], colour))?;
        area.draw_text(&mark.to_string(), &centred, (x, HEAD_HEIGHT - 14))?;
    }
    Ok(())
}

fn bar(area: &Area<'_>, row: &Row, top: i32, scale: Scale) -> Result<(), Failure> {
    let Some(middle) = median(&row.ratios) else {
        return Ok(());
    };
    let least = row.ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = row.ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let half = top + BAR_HEIGHT / 2;
    let colour = if row.candidate.starts_with("stagedoor") {
        OURS
    } else {
        OTHERS
    };
    let (from, to) = (scale.at(middle.min(1.0)), scale.at(middle.max(1.0)));
    area.draw(&Rectangle::new([(from, top), (to, top + BAR_HEIGHT)], colour.filled()))?;
    area.draw(&PathElement::new(
        [(scale.at(least), half), (scale.at(most), half)],
        INK,
    ))?;
    let text = ("sans-serif", 14).into_font().color(&INK);
    let name = text.clone().pos(Pos::new(HPos::Right, VPos::Center));
    area.draw_text(&row.candidate, &name, (LABELS_WIDTH - 10, half))?;
    let figure = format!("{middle:.2} ({least:.2} to {most:.2})");
    let beside = text.pos(Pos::new(HPos::Left, VPos::Center));
    area.draw_text(&figure, &beside, (scale.at(most.max(1.0)) + 8, half))?;
    Ok(())
}
