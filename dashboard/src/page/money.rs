//! Amounts of money as people read them. The text is cut, never rounded up: a page does not claim more
//! credit than there is. The exact amount stands in the title where it says more.

use maud::{Markup, html};
use tollgate_core::money::Nanos;

/// How many digits an amount below one dollar shows from its first one on.
const SIGNIFICANT: usize = 3;

/// An amount in US dollars: `$1,234.56`; below a dollar three digits, as in `$0.000123`.
pub fn usd(amount: Nanos) -> String {
    let exact = amount.to_usd();
    let (sign, digits) = match exact.strip_prefix('-') {
        Some(digits) => ("\u{2212}", digits),
        None => ("", exact.as_str()),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let shown = if whole == "0" {
        let zeros = decimals.bytes().take_while(|byte| *byte == b'0').count();
        let kept = decimals.get(..zeros + SIGNIFICANT).unwrap_or(decimals);
        kept.trim_end_matches('0')
    } else {
        decimals.get(..2).unwrap_or(decimals)
    };
    format!("{sign}${}.{shown:0<2}", grouped(whole))
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

fn marked(amount: Nanos, text: String) -> Markup {
    let exact = amount.to_string();
    let says_more = Nanos::parse_usd(&text.replace(['$', ',', '+'], "").replace('\u{2212}', "-"));
    let title = (says_more != Ok(amount)).then_some(exact);
    html! { span.money title=[title] { (text) } }
}

/// Digits in groups of three.
pub(super) fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
