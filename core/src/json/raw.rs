//! A JSON value that was checked before, as the text it was written in, and ways to walk it.
//! Nothing here can fail on a checked text; on any other it yields less, and never panics.

use std::borrow::Cow;

use super::decimal::Decimal;
use super::scan::Mode;
use super::text::{self, Piece};

/// The text of one checked JSON value, without white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl<'a> Raw<'a> {
    pub(super) fn from_checked(text: &'a str) -> Self {
        Self(text.trim_matches([' ', '\n', '\r', '\t']))
    }

    /// The value exactly as it was written.
    #[must_use]
    pub const fn text(self) -> &'a str {
        self.0
    }

    /// What the value is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The value of `true` or `false`.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A whole number that is not negative, written without fraction or exponent, in 64 bits.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        // `parse` alone would take a leading `+`, which JSON does not have.
        (self.kind() == Kind::Number).then(|| self.0.parse().ok())?
    }

    /// A number, exactly.
    #[must_use]
    pub fn as_decimal(self) -> Option<Decimal<'a>> {
        (self.kind() == Kind::Number).then(|| Decimal::from_checked(self.0))?
    }

    /// A string, decoded; borrowed when it has no escapes.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        (self.kind() == Kind::String).then(|| decode(self.0))
    }

    /// The length of a string after decoding, in bytes; 0 for anything else.
    #[must_use]
    pub fn str_len(self) -> u64 {
        let mut length = 0_usize;
        if self.kind() == Kind::String {
            each_piece(self.0, |piece| {
                length = length.saturating_add(match piece {
                    Piece::Plain(text) => text.len(),
                    Piece::Escaped(c) => c.len_utf8(),
                });
            });
        }
        u64::try_from(length).unwrap_or(u64::MAX)
    }

    /// Calls `each` with the pieces of a string after decoding, in order and without copying what
    /// has no escapes; not at all for anything else.
    pub fn each_text(self, mut each: impl FnMut(&str)) {
        if self.kind() == Kind::String {
            each_piece(self.0, |piece| match piece {
                Piece::Plain(text) => each(text),
                Piece::Escaped(c) => each(c.encode_utf8(&mut [0; 4])),
            });
        }
    }

    /// The members of an object, in order; none for anything else.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        Members(Walk::inside(self, Kind::Object))
    }

    /// The elements of an array, in order; none for anything else.
    #[must_use]
    pub fn elements(self) -> Elements<'a> {
        Elements(Walk::inside(self, Kind::Array))
    }

    /// The first member of an object with this name, unless it is null.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Self> {
        let (_, value) = self.members().find(|(key, _)| key == name)?;
        (!value.is_null()).then_some(value)
    }
}

/// Iterator over an object's members.
#[derive(Clone, Debug)]
pub struct Members<'a>(Walk<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Raw<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.0.value()?;
        let value = self.0.value()?;
        Some((decode(name.0), value))
    }
}

/// Iterator over an array's elements.
#[derive(Clone, Debug)]
pub struct Elements<'a>(Walk<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.value()
    }
}

/// The rest of an object's or array's inside. The separators carry no information in a checked
/// text, so they are skipped like white space.
#[derive(Clone, Debug)]
struct Walk<'a>(&'a str);

impl<'a> Walk<'a> {
    fn inside(raw: Raw<'a>, kind: Kind) -> Self {
        if raw.kind() != kind {
            return Self("");
        }
        let end = raw.0.len().saturating_sub(1);
        Self(raw.0.get(1..end).unwrap_or_default())
    }

    fn value(&mut self) -> Option<Raw<'a>> {
        let separates = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b':');
        let start = self.0.bytes().position(|byte| !separates(&byte))?;
        let rest = self.0.get(start..)?;
        let (value, after) = rest.split_at_checked(value_length(rest.as_bytes()))?;
        self.0 = after;
        Some(Raw(value))
    }
}

/// The length of the value that a text begins with.
fn value_length(bytes: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0_usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => at = at.saturating_add(string_length(bytes, at)),
            b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => {
                at = at.saturating_add(1);
                continue;
            }
            _ => at = at.saturating_add(scalar_length(bytes, at)),
        }
        at = at.saturating_add(1);
        if depth == 0 {
            break;
        }
    }
    at.min(bytes.len())
}

/// How far the closing quote is from the opening one.
fn string_length(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at.saturating_add(1)..).unwrap_or_default();
    text::closing_quote(rest).saturating_add(1)
}

/// How far the last byte of a number or literal is from its first.
fn scalar_length(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-');
    let length = rest
        .iter()
        .position(|byte| !goes_on(byte))
        .unwrap_or(rest.len());
    length.saturating_sub(1)
}

/// Decodes a checked string, quotes included.
pub(super) fn decode(quoted: &str) -> Cow<'_, str> {
    let inside = quoted
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let inside = inside.unwrap_or_default();
    if !inside.as_bytes().contains(&b'\\') {
        return Cow::Borrowed(inside);
    }
    let mut out = String::with_capacity(inside.len());
    each_piece(quoted, |piece| match piece {
        Piece::Plain(text) => out.push_str(text),
        Piece::Escaped(c) => out.push(c),
    });
    Cow::Owned(out)
}

fn each_piece<'a>(quoted: &'a str, on_piece: impl FnMut(Piece<'a>)) {
    // The text was checked, so the only thing that the reader could report is the place of the
    // closing quote.
    let _end = text::read(quoted, 1, Mode::Tolerant, on_piece);
}
