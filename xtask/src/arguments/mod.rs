//! Values that people type: amounts, percentages, dates, durations, limits, names and ids. Each is
//! read strictly, and what is wrong with it is said in one sentence. No clock is read here.

mod ids;
mod limits;
mod money;
mod text;
mod time;

pub use ids::{account, key, kind, rule};
pub use limits::limit;
pub use money::{markup, usd, usd_from_zero};
pub use text::{email, line, origin, pattern, reference};
pub use time::{later, moment};

/// What was read is what was expected, or its refusal says so and gives a hint.
#[cfg(test)]
fn same<T: PartialEq + std::fmt::Debug>(
    text: &str,
    got: Result<T, crate::failure::Failure>,
    expect: Result<T, &str>,
) {
    match (got, expect) {
        (Ok(got), Ok(expect)) => assert_eq!(got, expect, "{text}"),
        (Err(got), Err(expect)) => {
            let got = got.to_string();
            assert!(
                got.contains(expect) && got.contains("\nhint: "),
                "{text}: {got}"
            );
        }
        (got, expect) => panic!("`{text}`: {got:?} is not {expect:?}"),
    }
}
