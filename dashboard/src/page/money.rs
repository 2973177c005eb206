//! Amounts of money as people read them. The text is cut, never rounded up: a page does not claim more
//! credit than there is. The exact amount stands in the title where it says more.

use maud::{Markup, html};
use tollgate_core::money::Nanos;

/// How many digits an amount below one dollar shows from its first one on.
const SIGNIFICANT: usize = 3;

/// An amount in US dollars: `$1,234.56`; below a dollar three digits, as in `$0.000123`.
pub fn usd(amount: Nanos) -> String {
    let (sign, whole, decimals) = parts(amount);
    let shown = if whole == "0" {
        let zeros = decimals.bytes().take_while(|byte| *byte == b'0').count();
        let kept = decimals.get(..zeros + SIGNIFICANT).unwrap_or(&decimals);
        kept.trim_end_matches('0')
    } else {
        decimals.get(..2).unwrap_or(&decimals)
    };
    format!("{sign}${}.{shown:0<2}", grouped(&whole))
}

/// An amount with its exact value in the title, in digits of one width.
pub fn money(amount: Nanos) -> Markup {
    marked(amount, usd(amount))
}

/// The same with a plus before what is gained, for lists of what came and went.
pub fn signed_money(amount: Nanos) -> Markup {
    let plus = if amount > Nanos::ZERO { "+" } else { "" };
    marked(amount, format!("{plus}{}", usd(amount)))
}

/// The whole amount, for a column that must add up to the last digit.
pub fn exact_money(amount: Nanos) -> Markup {
    html! { span.money { (exact_usd(amount)) } }
}

/// The same with a plus before what came.
pub fn exact_signed_money(amount: Nanos) -> Markup {
    let plus = if amount > Nanos::ZERO { "+" } else { "" };
    html! { span.money { (plus) (exact_usd(amount)) } }
}

fn exact_usd(amount: Nanos) -> String {
    let (sign, whole, decimals) = parts(amount);
    format!("{sign}${}.{decimals:0<2}", grouped(&whole))
}

/// Sign, dollars and decimals without zeros at their end.
fn parts(amount: Nanos) -> (&'static str, String, String) {
    let exact = amount.to_usd();
    let (sign, digits) = match exact.strip_prefix('-') {
        Some(digits) => ("\u{2212}", digits),
        None => ("", exact.as_str()),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let decimals = decimals.trim_end_matches('0');
    (sign, whole.to_owned(), decimals.to_owned())
}

fn marked(amount: Nanos, text: String) -> Markup {
    let exact = amount.to_string();
    let says_more = Nanos::parse_usd(&text.replace(['$', ',', '+'], "").replace('\u{2212}', "-"));
    let title = (says_more != Ok(amount)).then_some(exact);
    html! { span.money title=[title] { (text) } }
}

/// Hundredths of a percent as people read them: `12.5%`.
pub fn percent(bps: i64) -> String {
    let sign = if bps < 0 { "\u{2212}" } else { "" };
    let (whole, part) = (bps.unsigned_abs() / 100, bps.unsigned_abs() % 100);
    let part = format!("{part:02}");
    let part = part.trim_end_matches('0');
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{part}%", grouped(&whole.to_string()))
}

/// What part of `whole` the amount is, cut to a tenth of a percent; `None` of nothing.
pub fn share(part: Nanos, whole: Nanos) -> Option<String> {
    let permille = (i128::from(part.get()) * 1_000).checked_div(i128::from(whole.get()))?;
    Some(percent(i64::try_from(permille.checked_mul(10)?).ok()?))
}

/// A number of things: `12,345`.
pub fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// Digits in groups of three.
pub(super) fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dollars: &str, shown: &str, title: Option<&str>) {
        let amount = Nanos::parse_usd(dollars).unwrap();
        let html = money(amount).into_string();
        let title = title.map_or_else(String::new, |title| format!(" title=\"{title}\""));
        let expect = format!("<span class=\"money\"{title}>{shown}</span>");
        assert_eq!(html, expect, "{dollars}");
    }

    #[test]
    fn a_statement_shows_every_digit() {
        let check =
            |nanos: i64, expect: &str| assert_eq!(exact_usd(Nanos::new(nanos)), expect, "{nanos}");
        check(44_999_892_000, "$44.999892");
        check(-108_000, "\u{2212}$0.000108");
        check(1_234_500_000_000, "$1,234.50");
        check(0, "$0.00");
        check(1, "$0.000000001");
    }

    #[test]
    fn amounts_show_what_matters_and_the_title_every_digit() {
        check("0", "$0.00", None);
        check("12.34", "$12.34", None);
        check("5", "$5.00", None);
        check("1234567.8", "$1,234,567.80", None);
        check("123456", "$123,456.00", None);
        check("0.5", "$0.50", None);
        check("0.004218372", "$0.00421", Some("$0.004218372"));
        check("0.000123", "$0.000123", None);
        check("0.000000001", "$0.000000001", None);
        check("-0.25", "\u{2212}$0.25", None);
        check("-1500", "\u{2212}$1,500.00", None);
        check(
            "9223372036.854775807",
            "$9,223,372,036.85",
            Some("$9223372036.854775807"),
        );
    }

    #[test]
    fn a_page_never_shows_more_credit_than_there_is() {
        check("9.999999999", "$9.99", Some("$9.999999999"));
        check("0.999999999", "$0.999", Some("$0.999999999"));
        check("0.1009", "$0.10", Some("$0.1009"));
    }

    #[test]
    fn a_statement_tells_gains_from_losses() {
        let check = |nanos: i64, expect: &str| {
            let html = signed_money(Nanos::new(nanos)).into_string();
            assert!(html.contains(&format!(">{expect}<")), "{html}");
        };
        check(5_000_000_000, "+$5.00");
        check(0, "$0.00");
        check(-5_000_000_000, "\u{2212}$5.00");
        check(i64::MIN, "\u{2212}$9,223,372,036.85");
    }

    #[test]
    fn a_markup_and_a_margin_are_read_as_percentages() {
        let check = |bps: i64, expect: &str| assert_eq!(percent(bps), expect);
        check(0, "0%");
        check(2_000, "20%");
        check(1_250, "12.5%");
        check(1, "0.01%");
        check(-1_205, "\u{2212}12.05%");
        check(10_000_000, "100,000%");
        let check = |part: i64, whole: i64, expect: Option<&str>| {
            let share = share(Nanos::new(part), Nanos::new(whole));
            assert_eq!(share.as_deref(), expect, "{part} {whole}");
        };
        check(1, 6, Some("16.6%"));
        check(5, 0, None);
        check(-1, 2, Some("\u{2212}50%"));
        check(i64::MAX, 1, None);
    }
}
