//! Ways to cut bytes into the pieces in which a network might deliver them. They are drawn from the
//! bytes themselves, so that an input is a plain recording and still always cut the same way.

/// Longest drawn piece; most are shorter.
const LONGEST: u64 = 40;

/// A small generator of numbers (SplitMix64), good enough to cut and mutate bytes.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The same seed draws the same numbers.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed out of bytes (FNV-1a).
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let hash = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
        });
        Self(hash)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 when there is none.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).expect("64 bits").max(1);
        usize::try_from(self.next() % limit).expect("below a usize")
    }
}

/// The same bytes in several cuts: whole, byte by byte, in two, and in drawn pieces of which some
/// are empty. The first cut is the whole.
pub(crate) fn cuts(bytes: &[u8]) -> [Vec<&[u8]>; 4] {
    let mut chance = Chance::of(bytes);
    let (first, second) = bytes.split_at(chance.below(bytes.len() + 1));
    let mut drawn = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let longest = chance.next() % LONGEST;
        let length = usize::try_from(chance.next() % (longest + 1)).expect("below 40");
        let (piece, after) = rest.split_at(length.min(rest.len()));
        drawn.push(piece);
        rest = after;
    }
    [
        vec![bytes],
        bytes.chunks(1).collect(),
        vec![first, second],
        drawn,
    ]
}
