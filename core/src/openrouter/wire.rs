//! The members that answers and chunks have in common, and the allow-list by which they are
//! written for the caller. What is not named here (provider, cost details, routing metadata, …)
//! does not leave the gateway.

use super::choices;
use super::usage::write_usage;
use crate::json::{self, Kind, ObjectWriter, Raw};
use crate::money::Nanos;
use crate::usage::Usage;

/// The known members of an answer or chunk; null counts as absent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wire<'a> {
    pub(super) id: Option<Raw<'a>>,
    pub(super) model: Option<Raw<'a>>,
    pub(super) created: Option<Raw<'a>>,
    pub(super) choices: Option<Raw<'a>>,
    pub(super) usage: Option<Raw<'a>>,
    pub(super) error: Option<Raw<'a>>,
    pub(super) provider: Option<Raw<'a>>,
    system_fingerprint: Option<Raw<'a>>,
    service_tier: Option<Raw<'a>>,
}

impl<'a> Wire<'a> {
    /// `None` when the text is not a JSON object.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let root = json::read_value(text)?;
        if root.kind() != Kind::Object {
            return None;
        }
        let mut wire = Self::default();
        for (name, value) in root.members().filter(|(_, value)| !value.is_null()) {
            let slot = match &*name {
                "id" => &mut wire.id,
                "model" => &mut wire.model,
                "created" => &mut wire.created,
                "choices" => &mut wire.choices,
                "usage" => &mut wire.usage,
                "error" => &mut wire.error,
                "provider" => &mut wire.provider,
                "system_fingerprint" => &mut wire.system_fingerprint,
                "service_tier" => &mut wire.service_tier,
                _ => continue,
            };
            *slot = slot.or(Some(value));
        }
        Some(wire)
    }

    /// The caller's version: our id, the choices, and usage with the charge.
    pub(super) fn write(&self, id: &str, object: &str, usage: Option<(&Usage, Nanos)>) -> String {
        let choices = self.choices.map(choices::write);
        let choices = choices.as_deref().unwrap_or("[]");
        let mut out = ObjectWriter::with_capacity(choices.len().saturating_add(512));
        out.string("id", id);
        out.string("object", object);
        let scalars = [
            ("created", self.created, Kind::Number),
            ("model", self.model, Kind::String),
            ("system_fingerprint", self.system_fingerprint, Kind::String),
            ("service_tier", self.service_tier, Kind::String),
        ];
        for (name, value, kind) in scalars {
            if let Some(value) = value.filter(|value| value.kind() == kind) {
                out.raw(name, value.text());
            }
        }
        out.raw("choices", choices);
        if let Some((usage, charge)) = usage {
            out.raw("usage", &write_usage(usage, charge));
        }
        out.end()
    }
}
