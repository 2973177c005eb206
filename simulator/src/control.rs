//! `/_sim/…`: what a test asks about the requests that the simulator received. Never recorded itself.

use std::sync::Arc;

use hyper::{Method, Response};
use serde_json::{Value, json};

use crate::World;
use crate::mail;
use crate::provider::generation::Generation;
use crate::provider::pricing::Usd;
use crate::record::{Entry, Outcome};
use crate::reply::{JSON, Reply, plain};

/// Which entries are asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filter {
    model: Option<String>,
    since: u64,
}

impl Filter {
    fn read(query: &str) -> Self {
        let mut filter = Self::default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "model" => filter.model = Some(value.replace("%2F", "/").replace("%2f", "/")),
                "since" => filter.since = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        filter
    }

    fn wants(&self, entry: &Entry) -> bool {
        entry.seq > self.since
            && self
                .model
                .as_ref()
                .is_none_or(|m| entry.model.as_ref() == Some(m))
    }
}

/// Answers a control request; the path is without `/_sim`.
pub async fn answer(
    world: &Arc<World>,
    method: &Method,
    path: &str,
    query: &str,
) -> Response<Reply> {
    if let Some(path) = path.strip_prefix("/mail") {
        return told(mail::control(&world.mailbox, method, path, query).await);
    }
    let body = match (method, path) {
        (&Method::POST, "/github/down") => {
            let down = query == "on=1";
            world.github.set_down(down);
            json!({"down": down})
        }
        (&Method::GET, "/health") => json!({"status": "ok"}),
        (&Method::GET, "/idle") => {
            world.until(|log| log.in_flight() == 0).await;
            stats(world)
        }
        (&Method::GET, "/stats") => stats(world),
        (&Method::GET, "/requests") => {
            let filter = Filter::read(query);
            let log = world.log();
            let requests = log
                .entries()
                .filter(|entry| filter.wants(entry))
                .map(describe);
            json!({"last_seq": log.last_seq(), "requests": requests.collect::<Vec<_>>()})
        }
        (&Method::DELETE, "/requests") => {
            world.forget();
            json!({"last_seq": world.log().last_seq()})
        }
        _ => return told(None),
    };
    told(Some(body))
}

fn told(body: Option<Value>) -> Response<Reply> {
    match body {
        Some(body) => plain(200, JSON, body.to_string()),
        None => plain(404, JSON, r#"{"error":"no such control"}"#),
    }
}

fn stats(world: &World) -> Value {
    let log = world.log();
    let totals = log.totals();
    json!({
        "last_seq": log.last_seq(),
        "in_flight": log.in_flight(),
        "received": totals.received,
        "clients_gone": totals.clients_gone,
        "billed_usd": Usd(totals.billed_picos).to_string(),
    })
}

fn describe(entry: &Entry) -> Value {
    let headers: Vec<[&str; 2]> = entry
        .headers
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(<[_; 2]>::from)
        .collect();
    let ended = entry.outcome.as_ref();
    let generation = ended.and_then(|outcome| outcome.generation.as_ref());
    let billed = ended.map(|_| {
        generation
            .map_or(Usd(0), |made| made.cost().total())
            .to_string()
    });
    json!({
        "seq": entry.seq,
        "received_at": entry.received.to_string(),
        "method": entry.method,
        "path": entry.path,
        "headers": headers,
        "body": String::from_utf8_lossy(&entry.body),
        "body_bytes": entry.body_bytes,
        "model": entry.model,
        "open": ended.is_none(),
        "status": ended.and_then(|outcome| outcome.status),
        "client_gone": ended.is_some_and(|outcome: &Outcome| outcome.client_gone),
        "generation_id": generation.map(|made| &*made.id),
        "provider": generation.map(|made| made.model.host.name),
        "recorded": generation.is_some_and(Generation::is_recorded),
        "usage": generation.map(|made| {
            let usage = made.usage();
            json!({"prompt_tokens": usage.prompt, "completion_tokens": usage.completion})
        }),
        "billed_usd": billed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_filtered_by_model_and_number() {
        let check = |query: &str, model: Option<&str>, since: u64| {
            let expect = Filter {
                model: model.map(str::to_owned),
                since,
            };
            assert_eq!(Filter::read(query), expect, "{query}");
        };
        check("", None, 0);
        check("model=sim/echo", Some("sim/echo"), 0);
        check("model=sim%2Fecho&since=7", Some("sim/echo"), 7);
        check("since=x&colour=blue", None, 0);
    }
}
