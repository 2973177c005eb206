//! One pass over a JSON text that decides whether it is valid and counts its text. It builds
//! nothing; `raw` walks a checked text afterwards.

use std::borrow::Cow;

use super::MAX_DEPTH;
use super::raw::decode;
use super::text::{self, Piece};

/// Below this many keys, comparing each with each is cheaper than sorting.
const FEW_KEYS: usize = 8;

/// How strict the reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// A caller's text: no key twice, no lone surrogate.
    Strict,
    /// A provider's text.
    Tolerant,
}

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) kind: FaultKind,
}

/// What is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    Syntax,
    Ended,
    Trailing,
    TooDeep,
    Text,
    DuplicateKey(String),
}

/// Checks that the text is one JSON value and returns its text bytes (see `Object::text_bytes`).
pub(super) fn check(text: &str, mode: Mode) -> Result<u64, Fault> {
    let mut scan = Scan {
        text,
        mode,
        at: 0,
        text_bytes: 0,
        open: Vec::new(),
        keys: Vec::new(),
    };
    while scan.begin_value()? == Step::Inside || scan.end_values()? == Step::Inside {}
    Ok(scan.text_bytes)
}

#[derive(PartialEq, Eq)]
enum Step {
    /// The next thing is a value inside an open object or array.
    Inside,
    /// A value has ended.
    Ended,
}

/// An object or array that is not closed yet.
struct Open {
    is_object: bool,
    /// Where its keys begin in `Scan::keys`.
    first_key: usize,
}

struct Scan<'a> {
    text: &'a str,
    mode: Mode,
    at: usize,
    text_bytes: u64,
    open: Vec<Open>,
    keys: Vec<Cow<'a, str>>,
}

impl Scan<'_> {
    /// Reads a scalar whole, or opens an object or array up to its first value.
    fn begin_value(&mut self) -> Result<Step, Fault> {
        match self.next_byte()? {
            b'{' => self.open(true),
            b'[' => self.open(false),
            b'"' => {
                self.string()?;
                Ok(Step::Ended)
            }
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(self.fault(FaultKind::Syntax)),
        }
    }

    /// After a value: closes what closes, until another value must follow or the text is over.
    fn end_values(&mut self) -> Result<Step, Fault> {
        while let Some(open) = self.open.last() {
            let is_object = open.is_object;
            match self.next_byte()? {
                b',' => {
                    self.structural();
                    if is_object {
                        self.key()?;
                    }
                    return Ok(Step::Inside);
                }
                b'}' if is_object => self.close()?,
                b']' if !is_object => self.close()?,
                _ => return Err(self.fault(FaultKind::Syntax)),
            }
        }
        self.skip_space();
        if self.at < self.text.len() {
            return Err(self.fault(FaultKind::Trailing));
        }
        Ok(Step::Ended)
    }

    fn open(&mut self, is_object: bool) -> Result<Step, Fault> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.fault(FaultKind::TooDeep));
        }
        self.structural();
        self.open.push(Open {
            is_object,
            first_key: self.keys.len(),
        });
        let closing = if is_object { b'}' } else { b']' };
        if self.next_byte()? == closing {
            self.close()?;
            return Ok(Step::Ended);
        }
        if is_object {
            self.key()?;
        }
        Ok(Step::Inside)
    }

    fn close(&mut self) -> Result<(), Fault> {
        self.structural();
        if let Some(open) = self.open.pop()
            && open.is_object
            && self.mode == Mode::Strict
        {
            let twice = repeated(self.keys.get_mut(open.first_key..).unwrap_or_default());
            if let Some(name) = twice {
                return Err(self.fault(FaultKind::DuplicateKey(name)));
            }
            self.keys.truncate(open.first_key);
        }
        Ok(())
    }

    fn key(&mut self) -> Result<(), Fault> {
        if self.next_byte()? != b'"' {
            return Err(self.fault(FaultKind::Syntax));
        }
        let start = self.at;
        self.string()?;
        if self.mode == Mode::Strict {
            let text = self.text;
            self.keys
                .push(decode(text.get(start..self.at).unwrap_or_default()));
        }
        if self.next_byte()? != b':' {
            return Err(self.fault(FaultKind::Syntax));
        }
        self.structural();
        Ok(())
    }

    fn string(&mut self) -> Result<(), Fault> {
        let mut length = 2_usize;
        let end = text::read(self.text, self.at.saturating_add(1), self.mode, |piece| {
            length = length.saturating_add(match piece {
                Piece::Plain(text) => text.len(),
                Piece::Escaped(c) => c.len_utf8(),
            });
        });
        let end = end.map_err(|(at, kind)| Fault { at, kind })?;
        self.at = end.saturating_add(1);
        self.count(length);
        Ok(())
    }

    fn literal(&mut self, word: &'static str) -> Result<Step, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(self.fault(FaultKind::Syntax));
        }
        self.at = self.at.saturating_add(word.len());
        self.count(word.len());
        Ok(Step::Ended)
    }

    /// RFC 8259: `-`? (`0` | digits without a leading zero) fraction? exponent?
    fn number(&mut self) -> Result<Step, Fault> {
        let start = self.at;
        self.accept(b"-");
        if !self.accept(b"0") {
            self.digits()?;
        }
        if self.accept(b".") {
            self.digits()?;
        }
        if self.accept(b"eE") {
            self.accept(b"+-");
            self.digits()?;
        }
        self.count(self.at.saturating_sub(start));
        Ok(Step::Ended)
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let other = |byte: &u8| !byte.is_ascii_digit();
        let length = rest.iter().position(other).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.fault(FaultKind::Syntax));
        }
        self.at = self.at.saturating_add(length);
        Ok(())
    }

    fn accept(&mut self, any_of: &[u8]) -> bool {
        let byte = self.text.as_bytes().get(self.at);
        let found = byte.is_some_and(|byte| any_of.contains(byte));
        self.at = self.at.saturating_add(usize::from(found));
        found
    }

    fn structural(&mut self) {
        self.at = self.at.saturating_add(1);
        self.count(1);
    }

    fn count(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.text_bytes = self.text_bytes.saturating_add(bytes);
    }

    fn skip_space(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(self.at) {
            self.at = self.at.saturating_add(1);
        }
    }

    fn next_byte(&mut self) -> Result<u8, Fault> {
        self.skip_space();
        let byte = self.text.as_bytes().get(self.at);
        byte.copied().ok_or_else(|| self.fault(FaultKind::Ended))
    }

    fn fault(&self, kind: FaultKind) -> Fault {
        Fault { at: self.at, kind }
    }
}

fn repeated(keys: &mut [Cow<'_, str>]) -> Option<String> {
    if keys.len() <= FEW_KEYS {
        let mut rest: &[Cow<'_, str>] = keys;
        while let Some((key, others)) = rest.split_first() {
            if others.contains(key) {
                return Some(key.to_string());
            }
            rest = others;
        }
        return None;
    }
    keys.sort_unstable();
    let twice = keys.array_windows::<2>().find(|[a, b]| a == b)?;
    Some(twice[0].to_string())
}
