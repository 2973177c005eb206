//! Tells what is running where: for people on the terminal, for programs in the ready file.

use std::path::Path;

use serde::Serialize;

use crate::demo::Demo;
use crate::failure::{Failure, OrFail};
use crate::repo::write_whole;
use crate::stack::Stack;

/// A model that the seed prices and the simulator answers for.
const MODEL: &str = "openai/gpt-4o-mini";

#[derive(Serialize)]
struct Ready<'a> {
    gateway_url: String,
    dashboard_url: String,
    simulator_url: String,
    mailbox_url: String,
    turso_url: &'a str,
    turso_auth_token: &'a str,
    demo: Option<&'a Demo>,
    stripe: Option<Stripe<'a>>,
}

/// How the simulator plays Stripe; none when the dashboard talks to the real one.
#[derive(Serialize)]
struct Stripe<'a> {
    webhook_url: String,
    webhook_secret: &'a str,
    simulator_url: String,
}

/// Writes the ready file in one step: whoever sees it sees all of it.
pub fn write(file: &Path, stack: &Stack, demo: Option<&Demo>) -> Result<(), Failure> {
    let ready = Ready {
        gateway_url: stack.gateway_url(),
        dashboard_url: stack.dashboard_url(),
        simulator_url: stack.simulator_url(),
        mailbox_url: stack.mailbox_url(),
        turso_url: stack.database().url(),
        turso_auth_token: stack.database_token(),
        demo,
        stripe: stack.stripe().map(|(webhook_url, webhook_secret)| Stripe {
            webhook_url,
            webhook_secret,
            simulator_url: format!("{}/stripe", stack.simulator_url()),
        }),
    };
    let text = serde_json::to_vec_pretty(&ready).or_fail(|| "the ready file".to_owned())?;
    write_whole(file, &text)
}

/// Prints the addresses and a call to paste.
pub fn print(stack: &Stack, demo: Option<&Demo>) {
    println!("gateway    {}", stack.gateway_url());
    println!("dashboard  {}", stack.dashboard_url());
    println!("simulator  {}", stack.simulator_url());
    println!("mailbox    {}", stack.mailbox_url());
    println!("database   {}", stack.database().url());
    println!("state      {}", stack.state_dir().display());
    if let Some(demo) = demo {
        println!("\nsign in once with these links (more of them: start again)");
        println!("end user   {}", demo.end_user.sign_in_url);
        println!("reseller   {}", demo.reseller.sign_in_url);
        println!("operator   {}", demo.operator.sign_in_url);
        println!(
            "\ncurl {}/v1/chat/completions -H 'authorization: Bearer {}' \
             -H 'content-type: application/json' \
             -d '{{\"model\":\"{MODEL}\",\"messages\":[{{\"role\":\"user\",\"content\":\"hello\"}}]}}'",
            stack.gateway_url(),
            demo.key,
        );
    }
    println!("\nCtrl-C stops everything\n");
}
