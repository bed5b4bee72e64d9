//! Whether what is drawn can be seen: the contrasts that WCAG 2.2 (AA) asks for, in both colour schemes.

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../assets/portal.css");

const TEXT: f64 = 4.5;
/// Borders of fields and the ring around what has the focus.
const SHAPES: f64 = 3.0;

#[test]
fn text_fields_and_the_focus_can_be_told_from_what_they_lie_on_in_light_and_dark() {
    let (light, dark) = STYLE.split_once("prefers-color-scheme: dark").unwrap();
    let light = colours(light);
    let mut dark = colours(dark);
    assert!(dark.len() > 10 && dark["paper"] != light["paper"]);
    for (name, colour) in &light {
        dark.entry(name).or_insert(*colour);
    }
    for (scheme, colours) in [("light", light), ("dark", dark)] {
        for (front, back, least) in [
            ("ink", "paper", TEXT),
            ("ink", "sheet", TEXT),
            ("quiet", "paper", TEXT),
            ("quiet", "sheet", TEXT),
            ("green", "paper", TEXT),
            ("green", "sheet", TEXT),
            ("on-green", "green", TEXT),
            ("on-green", "green-press", TEXT),
            ("red", "red-wash", TEXT),
            ("red", "sheet", TEXT),
            ("ink", "red-wash", TEXT),
            ("ink", "lamp-wash", TEXT),
            ("ink", "good-wash", TEXT),
            ("edge", "paper", SHAPES),
            ("edge", "sheet", SHAPES),
            ("lamp", "paper", SHAPES),
            ("lamp", "sheet", SHAPES),
        ] {
            let found = contrast(colours[front], colours[back]);
            assert!(found >= least, "{scheme}: {front} on {back} is {found:.1}, not {least}");
        }
    }
}

/// Every `--name: #rrggbb`, the first of each name.
fn colours(style: &str) -> BTreeMap<&str, [u8; 3]> {
    let mut colours = BTreeMap::new();
    for line in style.lines().filter_map(|line| line.trim().strip_prefix("--")) {
        if let Some((name, value)) = line.split_once(": #")
            && let Some(Ok(value)) = value.get(..6).map(|digits| u32::from_str_radix(digits, 16))
        {
            let [_, red, green, blue] = value.to_be_bytes();
            colours.entry(name).or_insert([red, green, blue]);
        }
    }
    colours
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}
