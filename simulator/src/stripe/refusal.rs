//! Errors in Stripe's shape, with its types and codes. Who refuses what stands with the calls.

use serde_json::{Map, Value, json};

/// A call that is not done.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// `invalid_request_error`, `card_error`, …
    pub kind: &'static str,
    /// Stripe's error code, where it has one.
    pub code: Option<&'static str>,
    /// What to tell the developer.
    pub message: String,
    /// The parameter at fault in bracket notation.
    pub param: Option<String>,
    /// Further members of the error object.
    pub more: Map<String, Value>,
}

impl Refusal {
    /// 400 `invalid_request_error`.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            code: None,
            message: message.into(),
            param: None,
            more: Map::new(),
        }
    }

    /// A parameter that the call does not have.
    #[must_use]
    pub fn unknown(param: &str) -> Self {
        Self::invalid(format!("Received unknown parameter: {param}"))
            .code("parameter_unknown")
            .param(param)
    }

    /// A parameter that the call needs.
    #[must_use]
    pub fn missing(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}."))
            .code("parameter_missing")
            .param(param)
    }

    /// An object that a parameter names and that does not exist: 400.
    #[must_use]
    pub fn no_such(what: &str, id: &str, param: &str) -> Self {
        Self::invalid(format!("No such {what}: '{id}'"))
            .code("resource_missing")
            .param(param)
    }

    /// The same for an object that the path names: 404.
    #[must_use]
    pub fn not_found(what: &str, id: &str) -> Self {
        let refusal = Self::no_such(what, id, "id");
        Self {
            status: 404,
            ..refusal
        }
    }

    /// With Stripe's error code.
    #[must_use]
    pub fn code(self, code: &'static str) -> Self {
        Self {
            code: Some(code),
            ..self
        }
    }

    /// With the parameter at fault.
    #[must_use]
    pub fn param(self, param: &str) -> Self {
        Self {
            param: Some(param.to_owned()),
            ..self
        }
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut error = self.more.clone();
        error.insert("type".to_owned(), json!(self.kind));
        error.insert("message".to_owned(), json!(self.message));
        if let Some(code) = self.code {
            let doc = format!(
                "https://stripe.com/docs/error-codes/{}",
                code.replace('_', "-")
            );
            error.insert("code".to_owned(), json!(code));
            error.insert("doc_url".to_owned(), json!(doc));
        }
        if let Some(param) = &self.param {
            error.insert("param".to_owned(), json!(param));
        }
        json!({"error": error})
    }
}
