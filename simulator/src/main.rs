//! The simulator's command line. What it simulates is in the library.

use std::process::ExitCode;

use lexopt::prelude::*;
use tokio::signal::unix::{SignalKind, signal};
use tollgate_simulator::stripe::outbox::Webhook;
use tollgate_simulator::{Config, Simulator};

const USAGE: &str = "\
usage: tollgate-simulator --port N [--host 127.0.0.1] [--ttft-ms 0]
                          [--tokens-per-second 0] [--length 32] [--record-ms 0]
                          [--stripe-webhook-url URL --stripe-webhook-secret SECRET]

Stand-ins for OpenRouter and Stripe on loopback. Port 0 chooses a free port; 0 tokens a second is
unlimited. The webhook URL begins with `http://`.";

enum Wish {
    Run(Config),
    Help,
}

fn main() -> ExitCode {
    match read_arguments() {
        Ok(Wish::Help) => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        Ok(Wish::Run(config)) => run(config),
        Err(error) => {
            eprintln!("{error}\nhint: `tollgate-simulator --help` lists the options");
            ExitCode::from(2)
        }
    }
}

fn read_arguments() -> Result<Wish, lexopt::Error> {
    let mut config = Config::default();
    let mut parser = lexopt::Parser::from_env();
    let mut port = None;
    let (mut webhook_url, mut webhook_secret) = (None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("port") => port = Some(parser.value()?.parse()?),
            Long("host") => config.host = parser.value()?.string()?,
            Long("ttft-ms") => config.ttft_ms = parser.value()?.parse()?,
            Long("tokens-per-second") => config.tokens_per_second = parser.value()?.parse()?,
            Long("record-ms") => config.record_ms = parser.value()?.parse()?,
            Long("length") => config.tokens = parser.value()?.parse()?,
            Long("stripe-webhook-url") => webhook_url = Some(parser.value()?.string()?),
            Long("stripe-webhook-secret") => webhook_secret = Some(parser.value()?.string()?),
            Long("help") | Short('h') => return Ok(Wish::Help),
            other => return Err(other.unexpected()),
        }
    }
    config.port = port.ok_or("missing option `--port`")?;
    config.stripe_webhook = match (webhook_url, webhook_secret) {
        (Some(url), Some(secret)) => Some(Webhook { url, secret }),
        (None, None) => None,
        _ => return Err("`--stripe-webhook-url` and `--stripe-webhook-secret` go together".into()),
    };
    Ok(Wish::Run(config))
}

#[tokio::main]
async fn run(config: Config) -> ExitCode {
    let address = format!("{}:{}", config.host, config.port);
    let simulator = match Simulator::start(config).await {
        Ok(simulator) => simulator,
        Err(error) => {
            eprintln!("cannot listen on `{address}`: {error}\nhint: choose another `--port`");
            return ExitCode::FAILURE;
        }
    };
    println!("simulator listening on http://{}", simulator.address());
    match until_told_to_stop().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot wait for signals: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn until_told_to_stop() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped,
        _ = terminate.recv() => Ok(()),
    }
}
