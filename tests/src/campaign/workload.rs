//! Calls as random callers make them, and what such a caller was told.

use std::io::Result;

use serde_json::{Value, json};
use tollgate_core::ids::RequestId;
use xtask::clock::now_ms;

use super::connection::Connection;
use super::random::Random;
use crate::price::nanos;

/// Models whose calls a gateway meters in different ways: where closing a stream stops the bill,
/// where it does not, and where the bill is told late, not at all, or for hidden tokens.
const MODELS: [&str; 15] = [
    "sim/at-openai",
    "sim/at-anthropic",
    "sim/at-azure",
    "sim/at-together",
    "sim/at-deepinfra",
    "sim/at-fireworks",
    "sim/at-groq",
    "sim/at-google",
    "sim/at-bedrock",
    "sim/at-mistral",
    "sim/no-usage",
    "sim/late-record",
    "sim/reasoning",
    "sim/long-context",
    "sim/echo",
];

/// When a caller hangs up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leave {
    /// Never: it reads to the end.
    Never,
    /// Before the answer began.
    BeforeHead,
    /// Once it has read so many percent of the output tokens.
    AtPercent(u64),
    /// Once the stream said why it ends, before the usage.
    BeforeUsage,
}

/// A call to be made.
#[derive(Clone, Debug)]
pub struct Order {
    /// Names it: no other call has it.
    pub marker: String,
    /// The model.
    pub model: &'static str,
    /// Whether the answer is streamed.
    pub streamed: bool,
    /// Output tokens.
    pub tokens: u64,
    /// Output tokens a second; 0 is all at once.
    pub pace: u64,
    /// The limit that the caller sets, if it sets one.
    pub max_tokens: Option<u64>,
    /// When its caller hangs up.
    pub leave: Leave,
    /// More knobs of the simulator.
    knobs: String,
    filler: usize,
}

/// How a call ended for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// With a whole answer.
    Whole,
    /// By hanging up.
    Left,
    /// With an error status, before anything was answered.
    Refused(u16),
    /// With an error inside the stream.
    Failed,
    /// With a connection that broke.
    Broken,
    /// Without a connection: nobody listened.
    Unheard,
}

/// What a caller knows of its call.
#[derive(Clone, Debug)]
pub struct Told {
    /// Which call.
    pub marker: String,
    /// The call's number in the database, once a head told it.
    pub id: Option<i64>,
    /// Whether an answer began: its head said 200.
    pub begun: bool,
    /// The charge, where the answer told one, in nanos.
    pub charge: Option<i64>,
    /// How it ended.
    pub end: End,
    /// The code of the error, where one was told.
    pub error: String,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
}

/// How long answers last.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Output tokens at least, and at most.
    pub tokens: (u64, u64),
    /// Output tokens a second, one of these.
    pub paces: &'static [u64],
    /// How many of a hundred calls are streamed.
    pub streamed_percent: u64,
    /// How many of a hundred streams are left before their end.
    pub left_percent: u64,
    /// The longest that a record takes, in milliseconds.
    pub most_record_ms: u64,
}

impl Order {
    /// A random call.
    pub fn draw(random: &mut Random, marker: String, shape: &Shape) -> Self {
        let streamed = random.chance(shape.streamed_percent);
        let leave = if streamed && random.chance(shape.left_percent) {
            Self::draw_leave(random)
        } else if random.chance(shape.left_percent / 4) {
            Leave::BeforeHead
        } else {
            Leave::Never
        };
        Self {
            streamed,
            ..Self::leaving(random, (marker, leave), shape)
        }
    }

    /// A random stream whose caller leaves it then.
    pub fn leaving(random: &mut Random, (marker, leave): (String, Leave), shape: &Shape) -> Self {
        let tokens = random.between(shape.tokens.0, shape.tokens.1);
        let record_ms = random.between(0, shape.most_record_ms);
        // Long enough for a caller to leave before the usage comes.
        let usage_ms = if leave == Leave::BeforeUsage {
            1_500
        } else {
            0
        };
        let ttft_ms = if leave == Leave::BeforeHead {
            300
        } else {
            random.between(0, 40)
        };
        Self {
            marker,
            model: random.pick::<&'static str>(&MODELS[..]),
            streamed: true,
            tokens,
            pace: *random.pick(shape.paces),
            max_tokens: Self::draw_limit(random, tokens),
            leave,
            knobs: format!("record_ms={record_ms} usage_ms={usage_ms} ttft_ms={ttft_ms}"),
            filler: usize::try_from(random.between(0, 60)).unwrap_or_default(),
        }
    }

    fn draw_leave(random: &mut Random) -> Leave {
        match random.between(0, 5) {
            0 => Leave::BeforeHead,
            1 => Leave::BeforeUsage,
            _ => Leave::AtPercent(random.between(0, 99)),
        }
    }

    fn draw_limit(random: &mut Random, tokens: u64) -> Option<u64> {
        match random.between(0, 3) {
            0 => None,
            1 => Some(random.between(1, tokens)),
            _ => Some(tokens + random.between(0, 200)),
        }
    }

    fn body(&self) -> Value {
        let Self {
            marker,
            tokens,
            pace,
            knobs,
            ..
        } = self;
        let filler = "more words ".repeat(self.filler);
        let content = format!("{marker} {filler}[[tokens={tokens} tps={pace} {knobs}]]");
        let mut body = json!({
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            "stream": self.streamed,
        });
        if let Some(limit) = self.max_tokens {
            body["max_tokens"] = json!(limit);
        }
        if self.streamed {
            body["stream_options"] = json!({"include_usage": true});
        }
        body
    }

    /// Makes the call, as far as its caller stays.
    #[must_use]
    pub fn place(&self, address: &str, key: &str) -> Told {
        let mut told = Told {
            marker: self.marker.clone(),
            id: None,
            begun: false,
            charge: None,
            end: End::Unheard,
            error: String::new(),
            at_ms: 0,
        };
        // A connection that breaks leaves what was told before.
        told.end = match Connection::send(address, key, &self.body()) {
            Ok(connection) => self.follow(connection, &mut told).unwrap_or(End::Broken),
            Err(_) => End::Unheard,
        };
        told.at_ms = now_ms();
        told
    }

    fn follow(&self, mut connection: Connection, told: &mut Told) -> Result<End> {
        if self.leave == Leave::BeforeHead {
            return Ok(End::Left);
        }
        let head = connection.head()?;
        let id = head.header("x-request-id").and_then(RequestId::parse);
        told.id = id.map(RequestId::get);
        told.begun = head.status == 200;
        if !told.begun {
            let body: Value = serde_json::from_str(&connection.body()?)?;
            told.error = code_of(&body);
            return Ok(End::Refused(head.status));
        }
        if !self.streamed {
            let charge = head.header("x-tollgate-charge").map(nanos);
            let _ = connection.body()?;
            told.charge = charge;
            return Ok(End::Whole);
        }
        self.read_stream(connection, told)
    }

    fn read_stream(&self, mut connection: Connection, told: &mut Told) -> Result<End> {
        let limit = self.max_tokens.unwrap_or(u64::MAX);
        let leave_after = match self.leave {
            Leave::AtPercent(percent) => self.tokens.min(limit) * percent / 100,
            Leave::Never | Leave::BeforeHead | Leave::BeforeUsage => u64::MAX,
        };
        let (mut pieces, mut failed) = (0, false);
        if leave_after == 0 {
            return Ok(End::Left);
        }
        while let Some(data) = connection.event()? {
            let Ok(chunk) = serde_json::from_str::<Value>(&data) else {
                continue;
            };
            failed |= chunk.get("error").is_some();
            // A stream that ends because credit does says so beside the answer.
            for place in [&chunk, &chunk["tollgate"]] {
                if place.get("error").is_some() {
                    told.error = code_of(place);
                }
            }
            let choice = &chunk["choices"][0];
            let said = choice["delta"]["content"].as_str().unwrap_or_default();
            pieces += u64::from(!said.is_empty());
            if pieces >= leave_after {
                return Ok(End::Left);
            }
            if self.leave == Leave::BeforeUsage && choice["finish_reason"].is_string() {
                return Ok(End::Left);
            }
            if let Some(cost) = chunk["usage"]["cost"].as_f64() {
                told.charge = Some(whole_nanos(cost));
            }
        }
        Ok(if failed { End::Failed } else { End::Whole })
    }
}

fn code_of(value: &Value) -> String {
    value["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// An amount of US dollars in nanos. Far below 2^53 of them, the nearest float still tells which.
fn whole_nanos(usd: f64) -> i64 {
    let nanos = usd * 1e9;
    let whole = nanos.round();
    assert!((nanos - whole).abs() < 1e-3, "parts of a nano: {usd}");
    whole as i64
}
