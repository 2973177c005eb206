//! The style sheet of a seller's colour. What is written on the colour, and the colour as text, are
//! chosen so that people can read them, by the contrast that WCAG 2.2 defines; in whole numbers.

/// A colour: red, green and blue.
type Rgb = [u8; 3];

/// The backgrounds on which the colour is text.
const LIGHT: Rgb = [0xf5, 0xf6, 0xf8];
const DARK: Rgb = [0x1b, 0x1e, 0x25];
const WHITE: Rgb = [255; 3];
const BLACK: Rgb = [0; 3];

/// What WCAG asks of text, in hundredths.
const TEXT_CONTRAST: u64 = 450;
/// What it asks of parts such as buttons.
const PART_CONTRAST: u64 = 300;

/// One in the unit of `linear`: 1000 to the power of 2.4.
const ONE: u64 = 15_848_931;

/// The style sheet for a colour such as `#1a2b3c`; empty for anything else.
pub fn color_sheet(color: &str) -> String {
    let Some(color) = parse(color) else {
        return String::new();
    };
    let light = declarations(color, LIGHT);
    let dark = declarations(color, DARK);
    format!(
        ":root,[data-theme=light]{{{light}}}\
         @media (prefers-color-scheme:dark){{:root:not([data-theme]){{{dark}}}}}\
         [data-theme=dark]{{{dark}}}\n"
    )
}

fn declarations(color: Rgb, ground: Rgb) -> String {
    // On a dark ground a dark colour would be lost; on a light one it may be as light as it is.
    let fill = if ground == DARK {
        readable(color, ground, PART_CONTRAST)
    } else {
        color
    };
    let on_fill = [WHITE, BLACK]
        .into_iter()
        .max_by_key(|text| contrast(*text, fill));
    let ink = readable(color, ground, TEXT_CONTRAST);
    format!(
        "--color-primary:{};--color-primary-content:{};--color-ink:{};",
        text(fill),
        text(on_fill.unwrap_or(WHITE)),
        text(ink),
    )
}

/// The colour, as far towards black or white as the contrast needs.
fn readable(color: Rgb, ground: Rgb, least: u64) -> Rgb {
    let towards = if luminance(ground) > ONE / 5 {
        BLACK
    } else {
        WHITE
    };
    let steps = (0..=16u16).map(|step| mix(color, towards, step));
    steps
        .into_iter()
        .find(|mixed| contrast(*mixed, ground) >= least)
        .unwrap_or(towards)
}

/// `step` sixteenths of another colour.
fn mix(color: Rgb, other: Rgb, step: u16) -> Rgb {
    let [red, green, blue] = [0, 1, 2].map(|at: usize| {
        let own = color.get(at).copied().map_or(0, u16::from);
        let new = other.get(at).copied().map_or(0, u16::from);
        u8::try_from((own * (16 - step) + new * step) / 16).unwrap_or(u8::MAX)
    });
    [red, green, blue]
}

/// The contrast of two colours in hundredths, from 100 to 2100.
fn contrast(a: Rgb, b: Rgb) -> u64 {
    let (a, b) = (luminance(a) + ONE / 20, luminance(b) + ONE / 20);
    a.max(b) * 100 / a.min(b)
}

/// Relative luminance, from 0 to `ONE`.
fn luminance([red, green, blue]: Rgb) -> u64 {
    (2126 * linear(red) + 7152 * linear(green) + 722 * linear(blue)) / 10_000
}

/// How much light a channel is, from 0 to `ONE`: `((c + 0.055) / 1.055) ^ 2.4`, the fifth root of the
/// twelfth power, and a straight line near zero.
fn linear(channel: u8) -> u64 {
    let channel = u64::from(channel);
    if channel <= 10 {
        return ONE * channel * 100 / (255 * 1292);
    }
    let base = u128::from((channel * 1000 * 1000 / 255 + 55_000) / 1055);
    let twelfth = base.pow(12);
    let (mut low, mut high) = (0u64, ONE + 1);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if u128::from(middle).pow(5) <= twelfth {
            low = middle
        } else {
            high = middle
        }
    }
    low
}

fn parse(color: &str) -> Option<Rgb> {
    let digits = color.strip_prefix('#')?;
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let channel = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?])
}

fn text([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
