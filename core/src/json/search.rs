//! Finding a byte fast: 32 bytes at a time, because images arrive as strings of megabytes and
//! every chunk of a stream is searched several times.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// High bits where the word has this byte; other high bits only above a true one.
pub(crate) const fn equal(word: u64, byte: u64) -> u64 {
    // Repeats the byte in all eight places; no byte times `ONES` overflows.
    let zeros = word ^ byte.wrapping_mul(ONES);
    zeros.wrapping_sub(ONES) & !zeros & HIGHS
}

/// High bits where the word has a byte below `limit` (at most 128); others only above a true one.
pub(crate) const fn below(word: u64, limit: u64) -> u64 {
    word.wrapping_sub(limit.wrapping_mul(ONES)) & !word & HIGHS
}

/// The offset of the first byte for which `is` holds, or the length. `marks` must mark exactly the
/// bytes for which `is` holds, up to the first of them.
pub(crate) fn first(bytes: &[u8], marks: impl Fn(u64) -> u64, is: impl Fn(u8) -> bool) -> usize {
    let mut at = 0_usize;
    for block in bytes.as_chunks::<32>().0 {
        let words = block.as_chunks::<8>().0.iter();
        if words.fold(0, |found, word| found | marks(u64::from_le_bytes(*word))) != 0 {
            break;
        }
        at = at.saturating_add(32);
    }
    let (words, rest) = bytes.get(at..).unwrap_or_default().as_chunks::<8>();
    for word in words {
        let found = marks(u64::from_le_bytes(*word));
        if found != 0 {
            let byte = found.trailing_zeros() >> 3;
            return at.saturating_add(usize::try_from(byte).unwrap_or_default());
        }
        at = at.saturating_add(8);
    }
    at.saturating_add(rest.iter().position(|byte| is(*byte)).unwrap_or(rest.len()))
}
