//! A gateway that bills like the worst of its peers, as far as a caller can tell: it reads a balance
//! and writes it back later, charges streams when they have ended well, and believes what it is sent.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

pub const RICH: &str = "naive-rich";
pub const POOR: &str = "naive-poor";

/// Nanos for each token of a prompt and of an answer.
const INPUT: i64 = 1_000;
const OUTPUT: i64 = 2_000;
/// What a caching or reasoning model lists for these tokens and nobody is charged.
const CACHE_READ: &str = "0.0000001";
const REASONING: &str = "0.00001";
/// What every call is charged before anything else is known.
const FLAT: i64 = 7_000;
/// The longest answer of the models.
const MOST: u64 = 4_096;

/// It listens until the test's process ends.
pub struct NaiveGateway {
    address: String,
    books: Shared,
}

#[derive(Default)]
struct Books {
    /// What was spent, by key.
    spent: HashMap<String, i64>,
    charges: HashMap<String, i64>,
    completions: usize,
}

type Shared = Arc<Mutex<Books>>;

struct Request {
    path: String,
    key: String,
    text: String,
    body: Value,
}

/// An answer that is about to be given.
struct Answer {
    id: String,
    model: String,
    completion: u64,
    usage: Value,
    charge: i64,
}

impl NaiveGateway {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let books = Shared::default();
        let shared = books.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let books = shared.clone();
                // Whoever hangs up ends its own thread only.
                std::thread::spawn(move || serve(connection.ok()?, &books));
            }
        });
        Self { address, books }
    }

    /// How many completions it was asked for.
    pub fn completions(&self) -> usize {
        self.books.lock().unwrap().completions
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

fn granted(key: &str) -> i64 {
    if key == POOR {
        7_000_000
    } else {
        1_000_000_000
    }
}

fn serve(mut connection: TcpStream, books: &Shared) -> Option<()> {
    let request = read(&connection)?;
    let path = request.path.clone();
    match path.strip_prefix("/v1/")? {
        "models" => reply(&mut connection, 200, &models()),
        "credits" => {
            let spent = *books
                .lock()
                .unwrap()
                .spent
                .entry(request.key.clone())
                .or_default();
            let told =
                json!({"total_credits": usd(granted(&request.key)), "total_usage": usd(spent)});
            reply(&mut connection, 200, &json!({"data": told}))
        }
        "chat/completions" => complete(&mut connection, &request, books),
        other => {
            let id = other.strip_prefix("generation?id=")?;
            match books.lock().unwrap().charges.get(id) {
                Some(charge) => {
                    let told = json!({"data": {"id": id, "total_cost": usd(*charge)}});
                    reply(&mut connection, 200, &told)
                }
                None => refuse(&mut connection, 404, "not_found"),
            }
        }
    }
}

fn complete(connection: &mut TcpStream, request: &Request, books: &Shared) -> Option<()> {
    let (number, spent) = {
        let mut books = books.lock().unwrap();
        books.completions += 1;
        let spent = *books.spent.entry(request.key.clone()).or_default();
        (books.completions, spent)
    };
    if spent >= granted(&request.key) {
        return refuse(connection, 402, "insufficient_quota");
    }
    let body = &request.body;
    let readable = body["messages"][0]["content"].is_string()
        && !body["temperature"].is_string()
        && !body["max_tokens"].is_string();
    if !readable {
        write(books, request, spent + FLAT);
        return refuse(connection, 400, "invalid_request_error");
    }
    let answer = Answer::to(request, number);
    // Time for others to read the same balance.
    std::thread::sleep(Duration::from_millis(100));
    if body["stream"] == true {
        stream(connection, &answer, request)?;
    }
    write(books, request, spent + answer.charge);
    let charges = &mut books.lock().unwrap().charges;
    charges.insert(answer.id.clone(), answer.charge);
    if body["stream"] == true {
        return Some(());
    }
    let choice = json!({"message": {"role": "assistant", "content": "word"}, "finish_reason": answer.finish()});
    let choices = vec![choice; body["n"].as_u64().unwrap_or(1) as usize];
    reply(
        connection,
        200,
        &json!({"id": answer.id, "model": answer.model, "choices": choices, "usage": answer.usage}),
    )
}

fn write(books: &Shared, request: &Request, spent: i64) {
    books
        .lock()
        .unwrap()
        .spent
        .insert(request.key.clone(), spent);
}

impl Answer {
    fn to(request: &Request, number: usize) -> Self {
        let body = &request.body;
        let model = body["model"].as_str().unwrap_or_default().to_owned();
        let content = body["messages"][0]["content"].as_str().unwrap_or_default();
        let prompt = content.len() as u64 / 4;
        let wanted = match content {
            long if long.contains("very many words") => MOST,
            some if some.contains("some words") => 100,
            _ => 3,
        };
        let bounds = ["max_completion_tokens", "max_tokens"];
        let bound = bounds.iter().find_map(|name| body[*name].as_u64());
        let answers = body["n"].as_u64().unwrap_or(1);
        let completion = wanted.min(bound.unwrap_or(MOST));
        // The bill believes the first bound in the text, and one answer.
        let first = request.text.split("\"max_tokens\":").nth(1);
        let digits = first.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
        let billed = digits.flatten().and_then(|digits| digits.parse().ok());
        let mut output = completion.min(billed.unwrap_or(MOST));
        if body["stream"] == true && body["stream_options"].is_null() {
            // No usage, no output.
            output = 0;
        }
        let charge = match model.as_str() {
            "naive/plain" | "naive/cached" | "naive/reasoning" => {
                prompt as i64 * INPUT + output as i64 * OUTPUT
            }
            _ => 0,
        };
        let cached = if model == "naive/cached" {
            prompt / 2
        } else {
            0
        };
        let reasoning = if model == "naive/reasoning" {
            completion / 2
        } else {
            0
        };
        let usage = json!({
            "prompt_tokens": prompt,
            "completion_tokens": completion * answers,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
            "cost": usd(charge),
        });
        Self {
            id: format!("naive-{number}"),
            model,
            completion,
            usage,
            charge,
        }
    }

    fn finish(&self) -> &'static str {
        if self.completion > 3 && self.completion != 100 {
            "length"
        } else {
            "stop"
        }
    }
}

/// Streams word by word; `None` once nobody listens any more, and then nobody pays.
fn stream(connection: &mut TcpStream, answer: &Answer, request: &Request) -> Option<()> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    connection.write_all(head.as_bytes()).ok()?;
    let mut send = |chunk: &Value| {
        let event = format!("data: {chunk}\n\n");
        connection.write_all(event.as_bytes()).ok()
    };
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        json!({"id": answer.id, "model": answer.model, "choices": [choice]})
    };
    // The head travels alone, so that it can be left at once.
    std::thread::sleep(Duration::from_millis(50));
    for _ in 0..answer.completion {
        send(&chunk(json!({"content": "word "}), Value::Null))?;
        if answer.completion == 100 {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    send(&chunk(json!({}), json!(answer.finish())))?;
    if !request.body["stream_options"].is_null() {
        std::thread::sleep(Duration::from_millis(50));
        send(&json!({"id": answer.id, "choices": [], "usage": answer.usage}))?;
    }
    std::thread::sleep(Duration::from_millis(50));
    connection.write_all(b"data: [DONE]\n\n").ok()
}

fn models() -> Value {
    let entry = |slug: &str, more: Value| {
        let mut pricing = json!({"prompt": "0.000001", "completion": "0.000002"});
        for (name, price) in more.as_object().unwrap() {
            pricing[name] = price.clone();
        }
        json!({"id": slug, "pricing": pricing, "top_provider": {"max_completion_tokens": MOST}})
    };
    json!({"data": [
        entry("naive/plain", json!({})),
        entry("naive/cached", json!({"input_cache_read": CACHE_READ})),
        entry("naive/reasoning", json!({"internal_reasoning": REASONING})),
        entry("naive/dear", json!({"prompt": "0.0001"})),
        entry("naive/unpriced", json!({"prompt": "-1", "completion": "-1"})),
    ]})
}

fn usd(nanos: i64) -> Value {
    json!(nanos as f64 / 1e9)
}

fn read(connection: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut key) = (0, String::new());
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => key = value.trim_start_matches("Bearer ").to_owned(),
            _ => {}
        }
    }
    let mut text = String::new();
    reader.take(length).read_to_string(&mut text).ok()?;
    Some(Request {
        path,
        key,
        body: serde_json::from_str(&text).unwrap_or_default(),
        text,
    })
}

fn refuse(connection: &mut TcpStream, status: u16, code: &str) -> Option<()> {
    let error = json!({"error": {"message": "something is wrong", "code": code}});
    reply(connection, status, &error)
}

fn reply(connection: &mut TcpStream, status: u16, body: &Value) -> Option<()> {
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    connection.write_all((head + &body).as_bytes()).ok()
}
