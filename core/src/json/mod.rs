//! JSON as Tollgate needs it: a strict reader for what callers send (what is priced must be what
//! every other reader would see), a tolerant one for what providers answer, both borrowing the
//! text, and a writer that keeps raw values exact. No value trees and no floats.

mod decimal;
mod raw;
mod scan;
pub(crate) mod search;
mod text;
mod write;

pub use decimal::Decimal;
pub use raw::{Elements, Kind, Members, Raw};
pub use write::{ObjectWriter, push_string};

use std::borrow::Cow;

use crate::error::{ApiError, ErrorCode};
use scan::{Fault, FaultKind, Mode};

/// The deepest nesting that is read, the outermost object included.
pub const MAX_DEPTH: usize = 64;

const LONGEST_SHOWN_NAME: usize = 64;

/// A caller's body, known to be one strict JSON object.
#[derive(Debug)]
pub struct Object<'a> {
    /// The top-level fields in the order they were sent; every name occurs once.
    pub fields: Vec<(Cow<'a, str>, Raw<'a>)>,
    /// Bytes of text at any depth: keys and strings after decoding, numbers and literals as
    /// written, and one for each of `{ } [ ] , : "`. A token covers at least one byte, so this
    /// bounds the tokens that the body can become, however the JSON is rewritten compactly.
    pub text_bytes: u64,
}

/// Reads a caller's body: UTF-8, exactly one object, nothing after it, no key twice in any object,
/// nested at most `MAX_DEPTH` deep, no lone surrogates. Errors are `invalid_json` with line and
/// column, or `duplicate_field` with the name; nothing else of the body is repeated.
pub fn parse_object(body: &[u8]) -> Result<Object<'_>, ApiError> {
    let text = std::str::from_utf8(body)
        .map_err(|error| invalid(body, error.valid_up_to(), "the body is not UTF-8"))?;
    let text_bytes = scan::check(text, Mode::Strict).map_err(|fault| explain(body, &fault))?;
    let root = Raw::from_checked(text);
    if root.kind() != Kind::Object {
        return Err(ApiError::new(ErrorCode::InvalidJson));
    }
    Ok(Object {
        fields: root.members().collect(),
        text_bytes,
    })
}

/// Reads a provider's text: any JSON value. Keys may repeat (the first counts) and surrogates may
/// be alone, because a provider that cuts an emoji between two chunks must not end the stream.
#[must_use]
pub fn read_value(text: &str) -> Option<Raw<'_>> {
    scan::check(text, Mode::Tolerant).ok()?;
    Some(Raw::from_checked(text))
}

/// A field's name for a message: in backticks, shortened, without control characters.
#[must_use]
pub fn shown_name(name: &str) -> String {
    let mut out = String::from("`");
    for (count, c) in name.chars().enumerate() {
        if count == LONGEST_SHOWN_NAME {
            out.push('…');
            break;
        }
        match c {
            '`' => out.push('\''),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out.push('`');
    out
}

fn explain(body: &[u8], fault: &Fault) -> ApiError {
    let what = match &fault.kind {
        FaultKind::DuplicateKey(name) => {
            let shown = shown_name(name);
            return ApiError::new(ErrorCode::DuplicateField)
                .with_message(format!("the field {shown} appears twice in one object"))
                .with_param(shown.trim_matches('`'));
        }
        FaultKind::Syntax => "this is not valid JSON",
        FaultKind::Ended => "the body ends in the middle of a value",
        FaultKind::Trailing => "there is more after the JSON object",
        FaultKind::TooDeep => "the body is nested more than 64 deep",
        FaultKind::Text => "a string has an invalid escape or a raw control character",
    };
    invalid(body, fault.at, what)
}

fn invalid(body: &[u8], at: usize, what: &str) -> ApiError {
    let before = body.get(..at).unwrap_or(body);
    let line = before
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        .saturating_add(1);
    let on_line = before
        .rsplit(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    // A byte of the form 10xxxxxx continues a character, so the rest counts characters.
    let column = on_line
        .iter()
        .filter(|byte| **byte & 0xC0 != 0x80)
        .count()
        .saturating_add(1);
    ApiError::new(ErrorCode::InvalidJson)
        .with_message(format!("{what} (line {line}, column {column})"))
}

#[cfg(test)]
mod tests;
