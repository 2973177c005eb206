//! Limits on calls and tokens: whole numbers or `none`. Which limits there are is not said here, and
//! budgets are amounts, read in `money.rs`.

use crate::failure::Failure;

/// A limit beyond this limits nothing, so it is a typing error.
const MAX_LIMIT: u64 = 1_000_000_000_000;

/// A limit: a whole number of at least `least`, or `none` for no limit.
///
/// # Errors
/// When the text is neither, or the number limits nothing.
pub fn limit(flag: &str, text: &str, least: u64) -> Result<Option<u64>, Failure> {
    if text == "none" {
        return Ok(None);
    }
    let wrong = |why: &str| {
        Failure::new(format!("`--{flag} {text}` is no limit: {why}")).hint(format!(
            "a limit is a whole number from `{least}` on, or `none`"
        ))
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        let why = if text.starts_with('-') {
            "it is below zero"
        } else {
            "it is not a whole number"
        };
        return Err(wrong(why));
    }
    match text.parse::<u64>() {
        Ok(limit) if limit < least => Err(wrong("it is too small")),
        Ok(limit) if limit <= MAX_LIMIT => Ok(Some(limit)),
        Ok(_) | Err(_) => Err(wrong("it is so large that it limits nothing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::same;

    #[test]
    fn limits_are_whole_numbers_or_none() {
        let check = |text: &str, least: u64, expect: Result<Option<u64>, &str>| {
            same(text, limit("max-tokens", text, least), expect);
        };
        check("none", 0, Ok(None));
        check("0", 0, Ok(Some(0)));
        check("60", 0, Ok(Some(60)));
        check("1000000000000", 0, Ok(Some(1_000_000_000_000)));
        check("0", 1, Err("too small"));
        check("1000000000001", 0, Err("limits nothing"));
        check("99999999999999999999999", 0, Err("limits nothing"));
        check("-1", 0, Err("below zero"));
        check("1.5", 0, Err("not a whole number"));
        check("+1", 0, Err("not a whole number"));
        check("", 0, Err("not a whole number"));
        check("None", 0, Err("not a whole number"));
    }
}
