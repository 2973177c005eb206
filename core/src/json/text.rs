//! The inside of JSON strings: finding their end fast, decoding their escapes.

use super::scan::{FaultKind, Mode};
use super::search;

/// Part of a decoded string.
pub(super) enum Piece<'a> {
    /// Text that stands for itself.
    Plain(&'a str),
    /// The character that an escape stands for.
    Escaped(char),
}

/// Reads a string from just after its opening quote and returns where its closing quote is.
/// Pieces come in order; a fault names the place.
pub(super) fn read<'a>(
    text: &'a str,
    start: usize,
    mode: Mode,
    mut on_piece: impl FnMut(Piece<'a>),
) -> Result<usize, (usize, FaultKind)> {
    let bytes = text.as_bytes();
    let mut at = start;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let end = at.saturating_add(special(rest));
        if end > at {
            on_piece(Piece::Plain(text.get(at..end).unwrap_or_default()));
        }
        match bytes.get(end) {
            Some(b'"') => return Ok(end),
            Some(b'\\') => {
                let (c, length) = escape(bytes.get(end..).unwrap_or_default(), mode)
                    .map_err(|kind| (end, kind))?;
                on_piece(Piece::Escaped(c));
                at = end.saturating_add(length);
            }
            Some(_) => return Err((end, FaultKind::Text)),
            None => return Err((end, FaultKind::Ended)),
        }
    }
}

/// The offset of the closing quote in a string that was checked before.
pub(super) fn closing_quote(bytes: &[u8]) -> usize {
    let mut at = 0_usize;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        at = at.saturating_add(special(rest));
        match bytes.get(at) {
            Some(b'\\') => at = at.saturating_add(2),
            _ => return at,
        }
    }
}

/// The offset of the first quote, backslash or control character, or the length.
fn special(bytes: &[u8]) -> usize {
    search::first(
        bytes,
        |word| search::equal(word, 0x22) | search::equal(word, 0x5C) | search::below(word, 0x20),
        |byte| matches!(byte, b'"' | b'\\' | 0..0x20),
    )
}

/// The character of an escape and the length of the escape, from its backslash on.
fn escape(bytes: &[u8], mode: Mode) -> Result<(char, usize), FaultKind> {
    let c = match bytes.get(1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(bytes, mode),
        Some(_) => return Err(FaultKind::Text),
        None => return Err(FaultKind::Ended),
    };
    Ok((c, 2))
}

fn unicode(bytes: &[u8], mode: Mode) -> Result<(char, usize), FaultKind> {
    let first = hex(bytes.get(2..6))?;
    if let Some(c) = char::from_u32(first) {
        return Ok((c, 6));
    }
    let second = match bytes.get(6..8) {
        Some(b"\\u") if first < 0xDC00 => hex(bytes.get(8..12))?,
        _ => 0,
    };
    if (0xDC00..0xE000).contains(&second) {
        let bits = ((first & 0x3FF) << 10) | (second & 0x3FF);
        let c = char::from_u32(bits.saturating_add(0x1_0000)).ok_or(FaultKind::Text)?;
        return Ok((c, 12));
    }
    match mode {
        Mode::Strict => Err(FaultKind::Text),
        Mode::Tolerant => Ok((char::REPLACEMENT_CHARACTER, 6)),
    }
}

fn hex(digits: Option<&[u8]>) -> Result<u32, FaultKind> {
    let digits = digits.ok_or(FaultKind::Ended)?;
    digits.iter().try_fold(0_u32, |value, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(FaultKind::Text)?;
        Ok((value << 4) | digit)
    })
}

#[cfg(test)]
mod tests {
    use super::special;

    #[test]
    fn the_fast_search_finds_the_same_byte_as_the_plain_one() {
        let stop = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        for length in [0, 1, 7, 31, 32, 33, 64, 70] {
            for fill in [
                b'a', 0x20, 0x21, 0x23, 0x5B, 0x5D, 0x7F, 0x80, 0xA2, 0xDC, 0xFF,
            ] {
                for at in 0..=length {
                    for byte in 0..=255 {
                        let mut bytes = vec![fill; length];
                        if let Some(slot) = bytes.get_mut(at) {
                            *slot = byte;
                        }
                        let expect = bytes.iter().position(stop).unwrap_or(length);
                        assert_eq!(special(&bytes), expect, "{bytes:?}");
                    }
                }
            }
        }
    }
}
