//! Every part of the design system on a few pages, for the tests beside this file.

use jiff::civil::date;
use maud::{Markup, html};
use tollgate_core::money::Nanos;

use super::*;
use crate::language::Language;

const LANGUAGE: Language = Language::English;
/// 3 November 2026, 10:15:42 UTC.
const NOW_MS: i64 = 1_793_700_942_000;

fn surroundings(title: &str, text: &str) -> Frame {
    let entry = |label, path, icon| Entry { label, path, icon };
    Frame {
        title: title.to_owned(),
        language: LANGUAGE,
        brand: Brand {
            name: format!("Northwind AI{text}"),
            logo: None,
            color_sheet: None,
            support_url: Some("https://support.example/".to_owned() + text),
        },
        nav: Some(Nav {
            role: "Reseller",
            entries: vec![
                entry("Overview", "/", Icon::Overview),
                entry("Keys", "/keys", Icon::Keys),
                entry("Requests", "/requests", Icon::Requests),
                entry("Billing", "/billing", Icon::Billing),
                entry("Playground", "/playground", Icon::Playground),
                entry("Prices", "/prices", Icon::Prices),
                entry("Customers", "/customers", Icon::Customers),
                entry("Revenue", "/revenue", Icon::Revenue),
                entry("Brand", "/brand", Icon::Brand),
                entry("Resellers", "/resellers", Icon::Resellers),
                entry("Models", "/models", Icon::Models),
                entry("Provider accounts", "/providers", Icon::Providers),
                entry("Domains", "/domains", Icon::Domains),
                entry("Audit log", "/audit", Icon::Audit),
                entry("Settings", "/settings", Icon::Settings),
            ],
            active: "/".to_owned(),
            person: format!("ada@northwind.example{text}"),
            csrf: format!("token{text}"),
        }),
        flash: Some(Flash {
            kind: Kind::Success,
            text: format!("The pack of $50.00 is on your account.{text}"),
        }),
    }
}

fn usd_nanos(dollars: &str) -> Nanos {
    Nanos::parse_usd(dollars).unwrap()
}

fn spend(last: i8, text: &str) -> Days {
    let models = [
        "gpt-5.2",
        "claude-opus-4.7",
        "gemini-3-pro",
        "mistral-large",
        "llama-4",
        "qwen-3",
        "deepseek-v4",
        "command-r",
    ];
    let rows = (1..=last).flat_map(|day| {
        (0i64..).zip(models).filter_map(move |(at, model)| {
            let wave = (i64::from(day) * 37 + at * 53) % 29;
            let nanos = wave * wave * 9_000_000 / (at + 1);
            // Some days have nothing.
            (day % 9 != 5).then(|| {
                (
                    date(2026, 10, day),
                    format!("{model}{text}"),
                    Nanos::new(nanos),
                )
            })
        })
    });
    Days::from_rows(date(2026, 10, 1), date(2026, 10, last), rows)
}

fn overview(text: &str) -> Markup {
    let ranks: Vec<Rank> = [
        ("production", "81.2"),
        ("staging", "12.034"),
        ("laptop", "0.00042"),
    ]
    .into_iter()
    .map(|(name, value)| Rank {
        label: format!("{name}{text}"),
        href: Some(format!("/keys/{text}")),
        value: usd_nanos(value),
        note: Some(format!("1,204 requests{text}")),
    })
    .collect();
    let trend = format!("12% more than the week before{text}");
    html! {
        (page_head(&format!("Overview{text}"), &format!("What you have and where it goes.{text}"),
            link_button("Buy credit", "/billing", Tone::Primary)))
        (tiles(&[
            Stat { label: "Balance", value: money(usd_nanos("42.506281")), hint: Some("$0.12 of it is held"), trend: None },
            Stat {
                label: "Spent in 7 days",
                value: money(usd_nanos("18.2")),
                hint: None,
                trend: Some(Trend { direction: Direction::Up, text: &trend, kind: Kind::Warning }),
            },
            Stat { label: "Per day", value: money(usd_nanos("2.6")), hint: Some("over the last week"), trend: None },
            Stat { label: "Lasts", value: html! { "16 days" }, hint: Some(text), trend: None },
        ]))
        (card("Spend per day", day_bars(LANGUAGE, "spend", &format!("Spend per day{text}"), &spend(31, text))))
        div class="grid gap-6 lg:grid-cols-2" {
            (card("By key", ranking(&format!("Spend by key{text}"), &ranks)))
            (card("This week", html! {
                (day_bars(LANGUAGE, "week", "Spend this week", &Days::from_rows(
                    date(2026, 10, 1), date(2026, 10, 7),
                    (1..=7).map(|day| (date(2026, 10, day), String::new(), Nanos::new(i64::from(day) * 23_000_000))),
                )))
                (sparkline(&format!("Balance{text}"), &[40, 38, 35, 33, 60, 58, 51, 44, 42]))
            }))
        }
        (card_with("Latest requests", link_button("All requests", "/requests", Tone::Quiet), html! {
            (requests(text))
            (pager(LANGUAGE, Some(&format!("/?before={text}")), Some(&format!("/?after={text}"))))
        }))
    }
}

fn requests(text: &str) -> Markup {
    let zone = Zone::named("Europe/Berlin");
    let row = |minutes: i64, state: Markup, cost: &str| {
        vec![
            ago(LANGUAGE, NOW_MS - minutes * 60_000, NOW_MS, &zone),
            html! { a href="/requests/1" { "gpt-5.2" (text) } },
            html! { "production" (text) },
            html! { "1,204" },
            html! { "388" },
            state,
            money(usd_nanos(cost)),
        ]
    };
    table(&Table {
        caption: &format!("Requests{text}"),
        columns: &[
            Column::text("When"),
            Column::text("Model"),
            Column::text("Key").wide_only(),
            Column::number("In").wide_only(),
            Column::number("Out").wide_only(),
            Column::text("State"),
            Column::number("Charge"),
        ],
        rows: &[
            row(0, badge(Kind::Info, "running"), "0.12"),
            row(
                5,
                badge(Kind::Success, &format!("settled{text}")),
                "0.004218372",
            ),
            row(130, badge(Kind::Neutral, "voided"), "0"),
            row(4_000, badge(Kind::Danger, "refused"), "1.2"),
        ],
        body_id: Some("latest"),
    })
}

fn choices() -> [Choice<'static>; 3] {
    [
        ("all", "All models"),
        ("gpt-*", "GPT"),
        ("claude-*", "Claude"),
    ]
    .map(|(value, label)| Choice {
        value,
        label,
        chosen: value == "gpt-*",
    })
}

fn fields(text: &str) -> Markup {
    let choices = choices();
    let error = format!("an amount between $5 and $500{text}");
    form(
        &format!("/keys{text}"),
        text,
        Some(text),
        html! {
            (Field::text("name", "Name").value(text).hint("Only you see it.").placeholder(text).required())
            (Field::usd("budget", "Budget per month").value("12,x").error(Some(&error)).hint("Empty: no budget."))
            div class="grid gap-5 sm:grid-cols-2" {
                (Field::decimal("markup", "Markup").value("20").suffix("%"))
                (Field::number("priority", "Priority").value("10").min("0").max("100").step("1"))
                (Field::datetime("from", "Starts"))
                (Field::select("model", "Model", &choices))
            }
            (Field::email("email", "E-mail").value(text))
            (Field::secret("secret", "Credential"))
            (Field::url("url", "Support link").value(text).list("links"))
            (Field::search("q", "Search").max_length(80).id("search-again"))
            (Field::date("day", "Day"))
            (Field::one_time_code("code", "Code").autocomplete("one-time-code"))
            (Field::textarea("note", "Reason", 3).value(text))
            (Field::checkboxes("models", "Allowed models", &choices).error(Some(text)))
            (Field::radios("which", "Which", &choices).hint(text))
            (Field::checkbox("auto", "Top up by itself", true).hint("When the balance falls below the amount."))
            (Field::color("color", "Colour").value("#2f5bea"))
            (Field::file("logo", "Logo", "image/png,image/jpeg,image/webp").hint("PNG, JPEG or WebP, at most 100 KB"))
            div class="actions" {
                (submit("Save changes", Tone::Primary))
                (link_button("Cancel", "/keys", Tone::Plain))
            }
        },
    )
}

fn parts(text: &str) -> Markup {
    let button = |tone, confirm| ButtonForm {
        action: "/keys/1/revoke",
        csrf: text,
        label: "Revoke",
        tone,
        values: &[("id", "key_1")],
        confirm,
    };
    let revoke = button(Tone::Danger, None);
    let ask = button(
        Tone::Danger,
        Some(Confirm {
            id: "revoke",
            title: "Revoke this key?",
            text,
        }),
    );
    let zone = Zone::named("America/New_York");
    let label = if text.is_empty() { "A label" } else { text };
    html! {
        (page_head("Every part", "", html! {}))
        (tabs(label, &[
            Tab { label: "Models", href: "/a", active: true },
            Tab { label, href: text, active: false },
        ]))
        @for kind in [Kind::Neutral, Kind::Info, Kind::Success, Kind::Warning, Kind::Danger] {
            (alert_with(kind, "A heading", html! { "What happened, and what to do. " (text) }))
        }
        (alert(Kind::Info, label))
        (card("Filters", filter_form(text, html! {
            (Field::search("find", "Search").id("find"))
            (Field::select("state", "State", &choices()).id("state"))
            (submit("Show", Tone::Plain))
        })))
        (card("A form", fields(text)))
        (card("Logo", upload_form(text, text, None, submit("Send", Tone::Primary))))
        (card("Buttons", html! {
            div class="actions" {
                (submit("Primary", Tone::Primary)) (submit("Plain", Tone::Plain))
                (submit("Quiet", Tone::Quiet)) (button_form(LANGUAGE, &revoke))
                (button_form(LANGUAGE, &ask)) (busy(LANGUAGE, "busy"))
                button type="button" class="btn btn-primary" aria-busy="true" { "Sending" }
            }
        }))
        (card("A key", html! {
            (copy_box(LANGUAGE, "secret", "Your key", "tg_live_4sVb9eXAmple0000000000000000000000000000000"))
            (copy_box(LANGUAGE, "curl", label, &format!("curl https://gateway.example/v1/chat/completions \\\n  -H \"Authorization: Bearer $KEY\" \\\n  -d '{{\"model\": \"gpt-5.2\"}}'{text}")))
            (code_block(&format!("Code: {label}"), label))
        }))
        (card("Facts", definition_list(&[
            ("Made", moment(LANGUAGE, NOW_MS, &zone)),
            ("Expires", day(LANGUAGE, NOW_MS, &zone)),
            (label, html! { (signed_money(usd_nanos("5"))) " " (signed_money(usd_nanos("-0.000001234"))) }),
        ])))
        (card(label, live_region("live", empty_state("No keys yet", "A key lets your program call models and pays from your balance.", link_button("Create a key", "/keys/new", Tone::Primary)))))
    }
}

fn welcome(text: &str) -> Markup {
    html! {
        h1 { "Sign in" }
        p class="muted" { "We send a code to your e-mail address. There is no password." }
        (form("/sign-in", text, None, html! {
            (Field::email("email", "E-mail").required().autofocus())
            (submit("Send me a code", Tone::Primary))
        }))
    }
}

/// The pages, with this text wherever somebody could have typed it.
pub(super) fn pages(text: &str) -> Vec<(&'static str, String)> {
    let strange = Frame {
        nav: None,
        brand: Brand {
            logo: Some(text.to_owned()),
            color_sheet: Some("/brand.css".to_owned()),
            ..surroundings("", text).brand
        },
        ..surroundings(text, text)
    };
    vec![
        (
            "overview",
            frame(&surroundings("Overview", text), overview(text)).into_string(),
        ),
        (
            "parts",
            frame(&surroundings("Parts", text), parts(text)).into_string(),
        ),
        ("public", frame(&strange, parts(text)).into_string()),
        (
            "door",
            door(
                &Frame {
                    flash: None,
                    ..surroundings("Sign in", text)
                },
                welcome(text),
            )
            .into_string(),
        ),
    ]
}
