//! A brand's colour, and whether people can read with it. Contrast is that of WCAG 2 (relative luminance,
//! w3.org/TR/WCAG22/#dfn-contrast-ratio), in integers.

use std::fmt;

/// The least contrast of text, in hundredths (WCAG 2, success criterion 1.4.3).
const LEAST_CONTRAST: u32 = 450;

/// The luminance of the page where it is dark, in millionths: a little above that of `#1d232a`.
const DARK_PAGE: u32 = 18_000;

/// WCAG adds a twentieth to both sides of the ratio, for the light that a room throws on the screen.
const FLARE: u32 = 50_000;

const WHITE: u32 = 1_000_000;

/// A colour that white text on it, and it as text on white, can be read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// Why a text is no colour for a brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorProblem {
    /// It is not `#` and six hexadecimal digits.
    NotAColor,
    /// It is too light: its contrast to white is told in hundredths, and must be 4.5 or more.
    TooLight {
        /// The contrast, such as 217 for 2.17.
        contrast: u32,
    },
}

impl Color {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Result<Self, ColorProblem> {
        let color = Self::read(text.trim()).ok_or(ColorProblem::NotAColor)?;
        let contrast = contrast(WHITE, color.luminance());
        if contrast < LEAST_CONTRAST {
            return Err(ColorProblem::TooLight { contrast });
        }
        Ok(color)
    }

    fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let plain = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(plain.then_some(digits)?, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// The same hue, as much lighter as it must be to be read on a dark page. Text on it is to be dark.
    #[must_use]
    pub fn on_dark(self) -> Self {
        let mixed = (0..=255_u8).map(|white| self.mixed_with_white(white));
        mixed
            .into_iter()
            .find(|color| contrast(color.luminance(), DARK_PAGE) >= LEAST_CONTRAST)
            .unwrap_or(Self([u8::MAX; 3]))
    }

    /// `white` of 255 parts are white.
    fn mixed_with_white(self, white: u8) -> Self {
        let Self(channels) = self;
        Self(channels.map(|channel| {
            let missing = u16::from(u8::MAX.saturating_sub(channel));
            let added = missing.saturating_mul(u16::from(white)).div_euclid(255);
            channel.saturating_add(u8::try_from(added).unwrap_or(u8::MAX))
        }))
    }

    /// In millionths of white's.
    fn luminance(self) -> u32 {
        let Self(channels) = self;
        let weights = [2_126_u32, 7_152, 722];
        let sum = channels.iter().zip(weights).map(|(channel, weight)| {
            let linear = LINEAR.get(usize::from(*channel)).copied();
            u64::from(linear.unwrap_or(WHITE)).saturating_mul(u64::from(weight))
        });
        let sum = sum.fold(0_u64, u64::saturating_add);
        u32::try_from(sum.div_euclid(10_000)).unwrap_or(WHITE)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([red, green, blue]) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// The ratio of two luminances in hundredths, rounded down.
fn contrast(lighter: u32, darker: u32) -> u32 {
    let lighter = lighter.saturating_add(FLARE).saturating_mul(100);
    let darker = darker.saturating_add(FLARE);
    lighter.checked_div(darker).unwrap_or_default()
}

/// The linear light of each value of a channel (sRGB, IEC 61966-2-1), in millionths.
#[rustfmt::skip]
const LINEAR: [u32; 256] = [
    0, 304, 607, 911, 1_214, 1_518, 1_821, 2_125, 2_428, 2_732,
    3_035, 3_347, 3_677, 4_025, 4_391, 4_777, 5_182, 5_605, 6_049, 6_512,
    6_995, 7_499, 8_023, 8_568, 9_134, 9_721, 10_330, 10_960, 11_612, 12_286,
    12_983, 13_702, 14_444, 15_209, 15_996, 16_807, 17_642, 18_500, 19_382, 20_289,
    21_219, 22_174, 23_153, 24_158, 25_187, 26_241, 27_321, 28_426, 29_557, 30_713,
    31_896, 33_105, 34_340, 35_601, 36_889, 38_204, 39_546, 40_915, 42_311, 43_735,
    45_186, 46_665, 48_172, 49_707, 51_269, 52_861, 54_480, 56_128, 57_805, 59_511,
    61_246, 63_010, 64_803, 66_626, 68_478, 70_360, 72_272, 74_214, 76_185, 78_187,
    80_220, 82_283, 84_376, 86_500, 88_656, 90_842, 93_059, 95_307, 97_587, 99_899,
    102_242, 104_616, 107_023, 109_462, 111_932, 114_435, 116_971, 119_538, 122_139, 124_772,
    127_438, 130_136, 132_868, 135_633, 138_432, 141_263, 144_128, 147_027, 149_960, 152_926,
    155_926, 158_961, 162_029, 165_132, 168_269, 171_441, 174_647, 177_888, 181_164, 184_475,
    187_821, 191_202, 194_618, 198_069, 201_556, 205_079, 208_637, 212_231, 215_861, 219_526,
    223_228, 226_966, 230_740, 234_551, 238_398, 242_281, 246_201, 250_158, 254_152, 258_183,
    262_251, 266_356, 270_498, 274_677, 278_894, 283_149, 287_441, 291_771, 296_138, 300_544,
    304_987, 309_469, 313_989, 318_547, 323_143, 327_778, 332_452, 337_164, 341_914, 346_704,
    351_533, 356_400, 361_307, 366_253, 371_238, 376_262, 381_326, 386_429, 391_572, 396_755,
    401_978, 407_240, 412_543, 417_885, 423_268, 428_690, 434_154, 439_657, 445_201, 450_786,
    456_411, 462_077, 467_784, 473_531, 479_320, 485_150, 491_021, 496_933, 502_886, 508_881,
    514_918, 520_996, 527_115, 533_276, 539_479, 545_724, 552_011, 558_340, 564_712, 571_125,
    577_580, 584_078, 590_619, 597_202, 603_827, 610_496, 617_207, 623_960, 630_757, 637_597,
    644_480, 651_406, 658_375, 665_387, 672_443, 679_542, 686_685, 693_872, 701_102, 708_376,
    715_694, 723_055, 730_461, 737_910, 745_404, 752_942, 760_525, 768_151, 775_822, 783_538,
    791_298, 799_103, 806_952, 814_847, 822_786, 830_770, 838_799, 846_873, 854_993, 863_157,
    871_367, 879_622, 887_923, 896_269, 904_661, 913_099, 921_582, 930_111, 938_686, 947_307,
    955_973, 964_686, 973_445, 982_251, 991_102, 1_000_000,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_has_a_colour_that_text_can_be_read_in() {
        let check = |text: &str, expect: Result<&str, ColorProblem>| {
            let color = Color::parse(text).map(|color| color.to_string());
            assert_eq!(color, expect.map(str::to_owned), "{text}");
        };
        let light = |contrast| Err(ColorProblem::TooLight { contrast });
        check("#000000", Ok("#000000"));
        check("#2563eb", Ok("#2563eb"));
        check(" #C00000 ", Ok("#c00000"));
        // The lightest grey that passes, and the next.
        check("#767676", Ok("#767676"));
        check("#777777", light(447));
        check("#ffffff", light(100));
        check("#ffff00", light(107));
        check("#00ff00", light(137));
        for text in [
            "",
            "#",
            "#fff",
            "2563eb",
            "#2563e",
            "#2563ebff",
            "#2563eg",
            "#+563eb",
            "red",
            "#2563e\u{660}",
            "rgb(0,0,0)",
            "#000;}*{",
        ] {
            check(text, Err(ColorProblem::NotAColor));
        }
    }

    #[test]
    fn on_a_dark_page_a_dark_colour_is_lighter_and_a_light_one_stays() {
        let check = |text: &str, expect: &str| {
            let shown = Color::parse(text).unwrap().on_dark();
            assert_eq!(shown.to_string(), expect, "{text}");
            assert!(contrast(shown.luminance(), DARK_PAGE) >= LEAST_CONTRAST);
        };
        check("#767676", "#8b8b8b");
        check("#000000", "#8b8b8b");
        check("#2563eb", "#5887ef");
        check("#c00000", "#d96868");
    }
}
