//! The figures of one section as a picture: a bar for each candidate's median, a line from its least to its most.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Failure;
use crate::report::{Row, Section, median};

const WIDTH: u32 = 900;
const ROW_HEIGHT: u32 = 34;
const MARGIN: u32 = 20;
const TITLE_HEIGHT: u32 = 60;
const LABELS_WIDTH: i32 = 190;
const FIGURES_WIDTH: i32 = 130;
const OURS: RGBColor = RGBColor(31, 97, 141);
const OTHERS: RGBColor = RGBColor(170, 178, 189);
const INK: RGBColor = RGBColor(33, 37, 41);

/// Draws ratios to the first row.
pub(crate) fn draw(section: &Section, file: &Path) -> Result<(), Failure> {
    let rows: Vec<&Row> = section.rows.iter().collect();
    let height = TITLE_HEIGHT + ROW_HEIGHT * u32::try_from(rows.len())? + MARGIN;
    let area = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let reference = rows.first().map_or("", |row| row.candidate.as_str());
    let title = format!("CPU time per request, ratio to {reference} of the same round");
    let heading = ("sans-serif", 18).into_font().color(&INK);
    area.draw_text(&title, &heading, (i32::try_from(MARGIN)?, i32::try_from(MARGIN)?))?;
    let most = rows.iter().flat_map(|row| &row.ratios).copied().fold(1.0, f64::max);
    let scale = f64::from(i32::try_from(WIDTH)? - LABELS_WIDTH - FIGURES_WIDTH) / most;
    for (number, row) in rows.iter().enumerate() {
        let top = i32::try_from(TITLE_HEIGHT + ROW_HEIGHT * u32::try_from(number)?)?;
        bar(&area, row, top, |ratio| LABELS_WIDTH + (ratio * scale) as i32)?;
    }
    area.present()?;
    Ok(())
}

fn bar(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    row: &Row,
    top: i32,
    at: impl Fn(f64) -> i32,
) -> Result<(), Failure> {
    let Some(middle) = median(&row.ratios) else {
        return Ok(());
    };
    let (least, most) = row
        .ratios
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &ratio| {
            (least.min(ratio), most.max(ratio))
        });
    let (thickness, half) = (i32::try_from(ROW_HEIGHT)? - 12, i32::try_from(ROW_HEIGHT)? / 2 - 6);
    let colour = if row.candidate.starts_with("stagedoor") {
        OURS
    } else {
        OTHERS
    };
    area.draw(&Rectangle::new(
        [(LABELS_WIDTH, top), (at(middle), top + thickness)],
        colour.filled(),
    ))?;
    area.draw(&PathElement::new(
        [(at(least), top + half), (at(most), top + half)],
        INK,
    ))?;
    let text = ("sans-serif", 14).into_font().color(&INK);
    let name = text.clone().pos(Pos::new(HPos::Right, VPos::Center));
    area.draw_text(&row.candidate, &name, (LABELS_WIDTH - 10, top + half))?;
    let figure = format!("{middle:.2} ({least:.2} to {most:.2})");
    area.draw_text(
        &figure,
        &text.pos(Pos::new(HPos::Left, VPos::Center)),
        (at(most) + 8, top + half),
    )?;
    Ok(())
}
