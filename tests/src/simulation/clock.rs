//! Time: what really passed, and what the clocks of the Workers say, which may jump.

use super::chance::Chance;

/// 2026-11-22T12:00:00Z.
const START_MS: i64 = 1_795_348_800_000;

/// How far behind its own past a clock may fall, in milliseconds: the sweep looks back ten minutes.
const BACK_MS: i64 = 300_000;

/// The clock of everybody, apart from the little by which each Worker's is off.
#[derive(Debug)]
pub struct Clock {
    /// What it says, in Unix milliseconds.
    pub now_ms: i64,
    /// What has really passed, in milliseconds.
    pub true_ms: i64,
    latest_ms: i64,
}

impl Clock {
    /// Some moment within a few weeks.
    pub fn new(chance: &mut Chance) -> Self {
        let now_ms = START_MS + chance.within(0, 40 * 86_400_000);
        Self {
            now_ms,
            true_ms: 0,
            latest_ms: now_ms,
        }
    }

    /// A moment passes.
    pub fn pass(&mut self, chance: &mut Chance) {
        let passed = match chance.below(40) {
            0..20 => 0,
            20..34 => chance.within(1, 50),
            34..39 => chance.within(50, 2_000),
            _ => chance.within(2_000, 20_000),
        };
        self.forward(passed);
    }

    /// Much time passes, or the clock jumps; by how much.
    pub fn jump(&mut self, chance: &mut Chance) -> i64 {
        let jump = match chance.below(12) {
            0..2 => 60_000,
            2..4 => chance.within(59_000, 62_000),
            4..6 => chance.within(118_000, 122_000),
            6..8 => chance.within(178_000, 300_000),
            8 => chance.within(3_590_000, 3_700_000),
            9 => chance.within(80_000_000, 90_000_000),
            _ => return self.backward(chance),
        };
        self.forward(jump);
        jump
    }

    /// So much time passes.
    pub fn forward(&mut self, ms: i64) {
        self.now_ms += ms;
        self.true_ms += ms;
        self.latest_ms = self.latest_ms.max(self.now_ms);
    }

    fn backward(&mut self, chance: &mut Chance) -> i64 {
        let target = self.now_ms - chance.within(1, BACK_MS);
        let before = self.now_ms;
        self.now_ms = target.max(self.latest_ms - BACK_MS);
        self.now_ms - before
    }
}
