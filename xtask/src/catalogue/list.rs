//! Shows what the provider bills for each model now, and what is announced.

use serde_json::{Value, json};
use tollgate_core::catalogue::{Cost, CostLine, Dimension, costs_statement, read_cost_line};
use tollgate_core::money::Picos;
use tollgate_core::pattern;

use crate::admin::Session;
use crate::arguments;
use crate::failure::Failure;
use crate::report::{Report, Table, moment};

pub(super) fn run(session: &Session<'_>, form: Option<&str>) -> Result<Report, Failure> {
    let form = form.map(arguments::pattern).transpose()?;
    let mut lines = session.list(costs_statement(), read_cost_line)?;
    lines.retain(|line| {
        form.as_ref()
            .is_none_or(|form| pattern::matches(form, &line.model))
    });
    let shown: Vec<&CostLine> = lines
        .iter()
        .enumerate()
        .filter(|(index, line)| !is_replaced(line, lines.get(index + 1), session.now_ms))
        .map(|(_, line)| line)
        .collect();
    Ok(Report {
        text: table(&shown, session.now_ms).to_text(),
        json: Value::from_iter(shown.iter().map(|line| to_json(line))),
    })
}

/// Whether the line after it is the same model's and holds already.
fn is_replaced(line: &CostLine, next: Option<&CostLine>, now_ms: i64) -> bool {
    next.is_some_and(|next| next.model == line.model && next.effective_from_ms <= now_ms)
}

fn table(lines: &[&CostLine], now_ms: i64) -> Table {
    let mut table = Table::new(&[
        "model",
        ">prompt $/M",
        ">completion $/M",
        ">cache read $/M",
        "besides",
        "since",
        "source",
    ]);
    for line in lines {
        let mut cells = vec![line.model.clone()];
        match &line.cost {
            Ok(cost) => cells.extend(prices(cost)),
            Err(error) => {
                cells.extend([
                    "-".into(),
                    "-".into(),
                    "-".into(),
                    format!("not sold: {error}"),
                ]);
            }
        }
        let from = moment(line.effective_from_ms);
        cells.push(if line.effective_from_ms > now_ms {
            format!("from {from}")
        } else {
            from
        });
        cells.push(if line.enabled {
            line.source.clone()
        } else {
            format!("switched off; {}", line.source)
        });
        table.row(cells);
    }
    table
}

fn prices(cost: &Cost) -> [String; 4] {
    let million =
        |price: Option<Picos>| price.map_or_else(|| "-".into(), Picos::to_usd_per_million);
    let shown = [
        Dimension::Prompt,
        Dimension::Completion,
        Dimension::InputCacheRead,
    ];
    let mut besides: Vec<String> = cost
        .prices
        .iter()
        .filter(|(dimension, price)| !shown.contains(dimension) && *price > Picos::ZERO)
        .map(|(dimension, price)| match dimension {
            Dimension::Request
            | Dimension::Image
            | Dimension::ImageOutput
            | Dimension::WebSearch => {
                format!("{} ${}", dimension.key(), price.to_usd())
            }
            _ => format!("{} ${}/M", dimension.key(), price.to_usd_per_million()),
        })
        .collect();
    if !cost.overrides.is_empty() {
        besides.push(format!("{} overrides", cost.overrides.len()));
    }
    [
        million(cost.prices.get(Dimension::Prompt)),
        million(cost.prices.get(Dimension::Completion)),
        million(cost.prices.get(Dimension::InputCacheRead)),
        if besides.is_empty() {
            "-".into()
        } else {
            besides.join(", ")
        },
    ]
}

fn to_json(line: &CostLine) -> Value {
    // What is stored is JSON already; a cost that cannot be read has none.
    let cost = line
        .cost
        .as_ref()
        .ok()
        .and_then(|cost| serde_json::from_str::<Value>(&cost.to_json()).ok());
    json!({
        "model": line.model,
        "enabled": line.enabled,
        "effective_from_ms": line.effective_from_ms,
        "cost_picos": cost,
        "source": line.source,
    })
}
