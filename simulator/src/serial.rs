//! Ids that look random and never come twice, not even from another process: clients keep them in
//! databases. They are no secrets; what may be guessed is a provider's affair.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// A source of ids.
#[derive(Debug)]
pub struct Serial {
    started_ns: i128,
    next: AtomicU64,
}

impl Serial {
    /// A source whose ids differ from those of any source made at another nanosecond.
    #[must_use]
    pub fn new() -> Self {
        Self {
            started_ns: Timestamp::now().as_nanosecond(),
            next: AtomicU64::new(1),
        }
    }

    /// `length` hexadecimal digits, at most 64.
    #[must_use]
    pub fn hex(&self, length: usize) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut hash = Sha256::new();
        hash.update(self.started_ns.to_le_bytes());
        hash.update(number.to_le_bytes());
        let mut digits = String::new();
        for byte in hash.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        digits.truncate(length);
        digits
    }

    /// In the form of a UUID.
    #[must_use]
    pub fn uuid(&self) -> String {
        let digits = self.hex(32);
        let (mut parts, mut rest) = (Vec::new(), digits.as_str());
        for length in [8, 4, 4, 4] {
            let (part, others) = rest.split_at(length);
            parts.push(part);
            rest = others;
        }
        parts.push(rest);
        parts.join("-")
    }
}

impl Default for Serial {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_wanted_form_and_differ() {
        let serial = Serial::new();
        assert_eq!(serial.hex(20).len(), 20);
        assert_ne!(serial.hex(20), serial.hex(20));
        let lengths: Vec<_> = serial.uuid().split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}
