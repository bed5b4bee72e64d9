//! QR codes as images that need no request of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};

/// The light border a reader needs, in modules.
const QUIET_MODULES: usize = 4;

/// A `data:` address of an SVG image; `None` where the text is too long for a code.
pub(crate) fn image(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let svg = SvgBuilder::default()
        .margin(QUIET_MODULES)
        .module_color("#000000")
        .background_color("#ffffff")
        .to_str(&code);
    Some(format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_picture_without_the_text_in_clear() {
        let image = image("otpauth://totp/Stagedoor:alice?secret=ABCDEFGH").unwrap();
        let svg = STANDARD
            .decode(image.strip_prefix("data:image/svg+xml;base64,").unwrap())
            .unwrap();
        let svg = String::from_utf8(svg).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("#ffffff"), "{svg}");
        assert!(!svg.contains("ABCDEFGH"));
    }

    #[test]
    fn too_much_text_is_no_code() {
        assert_eq!(image(&"x".repeat(10_000)), None);
    }
}
