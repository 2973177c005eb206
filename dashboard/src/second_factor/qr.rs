//! A QR code as a picture in the page: drawn here, so that the secret in it goes nowhere else.

use std::fmt::Write;

use maud::{Markup, html};
use qrcodegen::{QrCode, QrCodeEcc};

/// The white border that readers need, in modules.
const BORDER: i32 = 4;

/// The picture of a text, dark on white in every theme; `None` if it is too long for one.
pub fn picture(label: &str, text: &str) -> Option<Markup> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let side = code.size() + 2 * BORDER;
    Some(html! {
        svg class="w-56 h-56 rounded-box my-4" role="img" aria-label=(label)
            viewBox={ "0 0 " (side) " " (side) } shape-rendering="crispEdges" {
            rect width="100%" height="100%" fill="#fff" {}
            path fill="#000" d=(outline(&code)) {}
        }
    })
}

/// One line for each run of dark modules.
fn outline(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let length = (x..code.size()).take_while(|x| code.get_module(*x, y));
            let length = i32::try_from(length.count()).unwrap_or_default();
            if length > 0 {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{},{}h{length}v1h-{length}z", x + BORDER, y + BORDER);
            }
            x += length.max(1);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_finds_the_three_corners() {
        let code = QrCode::encode_text("otpauth://totp/x", QrCodeEcc::Medium).unwrap();
        let path = outline(&code);
        let right = code.size() - 7 + BORDER;
        for corner in [
            "M4,4h7v1h-7z".to_owned(),
            format!("M{right},4h7v1h-7z"),
            format!("M4,{right}h7v1h-7z"),
        ] {
            assert!(path.contains(&corner), "{corner} in {path}");
        }
        assert!(picture("x", &"x".repeat(5_000)).is_none());
    }
}
