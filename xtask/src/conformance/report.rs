//! What a run found, for people and for programs.

use serde_json::{Value, json};

use super::checks::{CHECKS, Check};
use super::outcome::{Outcome, Stop};
use super::session::Session;
use super::usd::Usd;
use crate::failure::Failure;

/// Every check with its promise, as a table in Markdown.
#[must_use]
pub fn markdown_table() -> String {
    let head = "| Check | Promise |\n| --- | --- |\n".to_owned();
    let rows = CHECKS.iter().map(|check| {
        let poor = if check.poor {
            "; needs the poor key"
        } else {
            ""
        };
        format!("| `{}` | {}{poor} |\n", check.id, check.title)
    });
    head + &rows.collect::<String>()
}

/// What one check found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The check's id.
    pub id: &'static str,
    /// What a payer gains.
    pub title: &'static str,
    /// How it ended.
    pub outcome: Outcome,
}

/// What a whole run found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Each check, in the order in which they were made.
    pub checks: Vec<Finding>,
    base_url: String,
    model: String,
    calls: u64,
    charged: Usd,
}

impl Finding {
    pub(super) const fn of(check: &Check, outcome: Outcome) -> Self {
        Self {
            id: check.id,
            title: check.title,
            outcome,
        }
    }

    /// `pass`, `fail` or `not_applicable`.
    #[must_use]
    pub const fn result(&self) -> &'static str {
        match self.outcome {
            Ok(_) => "pass",
            Err(Stop::Fail(_)) => "fail",
            Err(Stop::NotApplicable(_)) => "not_applicable",
        }
    }

    /// What was seen.
    #[must_use]
    pub fn seen(&self) -> &str {
        match &self.outcome {
            Ok(seen) | Err(Stop::Fail(seen) | Stop::NotApplicable(seen)) => seen,
        }
    }

    pub(super) fn text(&self) -> String {
        let mark = match self.outcome {
            Ok(_) => "pass",
            Err(Stop::Fail(_)) => "FAIL",
            Err(Stop::NotApplicable(_)) => "n/a ",
        };
        let seen = self.seen().replace('\n', "\n      ");
        format!("{mark}  {}\n      {}\n      {seen}", self.id, self.title)
    }
}

impl Findings {
    pub(super) fn of(session: &Session) -> Self {
        Self {
            checks: Vec::new(),
            base_url: session.options.base_url.clone(),
            model: session.model.slug.clone(),
            calls: 0,
            charged: Usd::ZERO,
        }
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.checks.push(finding);
    }

    pub(super) fn close(&mut self, session: &Session) {
        for caller in [
            Some(&session.rich),
            session.poor.as_ref().map(|poor| &poor.caller),
        ] {
            let Some(caller) = caller else { continue };
            self.calls += caller.gateway().calls();
            self.charged = self.charged + caller.booked_so_far().0;
        }
    }

    /// The ids of the checks that ended so.
    #[must_use]
    pub fn ids(&self, result: &str) -> Vec<&'static str> {
        let ended = self.checks.iter().filter(|check| check.result() == result);
        ended.map(|check| check.id).collect()
    }

    pub(super) fn summary(&self) -> String {
        let count = |result| self.ids(result).len();
        format!(
            "\n{} passed, {} failed, {} not applicable; {} calls, `{}` charged",
            count("pass"),
            count("fail"),
            count("not_applicable"),
            self.calls,
            self.charged
        )
    }

    /// Everything, for programs; `charged` is US dollars in a text, exact.
    #[must_use]
    pub fn json(&self) -> Value {
        let checks = self.checks.iter().map(|check| {
            json!({
                "id": check.id,
                "title": check.title,
                "result": check.result(),
                "seen": check.seen(),
            })
        });
        json!({
            "base_url": self.base_url,
            "model": self.model,
            "calls": self.calls,
            "charged": self.charged.plain(),
            "checks": checks.collect::<Value>(),
        })
    }

    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let failed = self.ids("fail");
        if failed.is_empty() {
            return Ok(());
        }
        Err(
            Failure::new(format!("these checks failed: `{}`", failed.join("`, `")))
                .hint("`docs/BILLING.md` says what each is about"),
        )
    }
}
