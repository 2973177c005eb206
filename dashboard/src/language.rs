//! The words of the pages. The source says them in English, where they are read; `messages/en.json`
//! lists all of them, extracted by `cargo xtask docs`, and a translation is such a list with other
//! values.

use std::fmt::Display;

/// A language that pages can be in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// As the source says it.
    #[default]
    English,
}

impl Language {
    /// Every language, with its tag and its own name.
    pub const ALL: [(Self, &'static str, &'static str); 1] = [(Self::English, "en", "English")];

    /// The language of a tag; English if it is not known.
    pub fn of_tag(tag: &str) -> Self {
        let known = Self::ALL.into_iter().find(|(_, known, _)| *known == tag);
        known.map_or(Self::English, |(language, _, _)| language)
    }

    /// Its tag, such as `en`.
    pub fn tag(self) -> &'static str {
        let known = Self::ALL.into_iter().find(|(known, _, _)| *known == self);
        known.map_or("en", |(_, tag, _)| tag)
    }

    /// A message of the catalogue. The argument is a literal, so that it can be extracted.
    pub const fn tr(self, message: &'static str) -> &'static str {
        match self {
            Self::English => message,
        }
    }

    /// The same with `{name}` replaced by its value.
    pub fn fill(self, message: &'static str, values: &[(&str, &dyn Display)]) -> String {
        let mut text = self.tr(message).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), &value.to_string());
        }
        text
    }
}
