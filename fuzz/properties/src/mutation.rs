//! Seeded changes to recorded inputs, for the short run: no coverage guides them, but the same seed
//! makes the same inputs on every machine.

use crate::pieces::Chance;

/// Inputs are not grown beyond this.
const LONGEST: usize = 8_192;

/// Makes new inputs out of a corpus and a dictionary.
#[derive(Debug)]
pub struct Mutator<'a> {
    corpus: &'a [Vec<u8>],
    words: &'a [Vec<u8>],
    chance: Chance,
}

impl<'a> Mutator<'a> {
    /// A mutator whose inputs depend on nothing but these arguments.
    #[must_use]
    pub const fn new(corpus: &'a [Vec<u8>], words: &'a [Vec<u8>], seed: u64) -> Self {
        Self {
            corpus,
            words,
            chance: Chance::new(seed),
        }
    }

    /// The next input: one of the corpus with one to four changes.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.any(self.corpus).to_vec();
        for _ in 0..=self.chance.below(4) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.chance.below(input.len() + 1);
        let end = (at + self.chance.below(16)).min(input.len());
        match self.chance.below(8) {
            0 => drop(input.drain(at..end)),
            1 => drop(input.drain(at..)),
            2 => {
                let copy = input[at..end].to_vec();
                let to = self.chance.below(input.len() + 1);
                input.splice(to..to, copy);
            }
            3 => {
                let other = self.any(self.corpus);
                let from = self.chance.below(other.len() + 1);
                input.splice(at.., other[from..].iter().copied());
            }
            4 => {
                let bit = 1 << self.chance.below(8);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= bit;
                }
            }
            5 => {
                let byte = self.chance.next().to_le_bytes()[0];
                input.insert(at, byte);
            }
            6 => {
                let word = self.any(self.words);
                input.splice(at..end, word.iter().copied());
            }
            _ => {
                let word = self.any(self.words);
                input.splice(at..at, word.iter().copied());
            }
        }
    }

    fn any(&mut self, list: &'a [Vec<u8>]) -> &'a [u8] {
        let index = self.chance.below(list.len());
        list.get(index).map_or(&[], Vec::as_slice)
    }
}
