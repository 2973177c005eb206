//! Rows of many things, and the way to the next of them. A table that is wider than the screen scrolls by
//! itself, also with the keyboard.

use maud::{Markup, html};

use super::icon::Icon;
use crate::language::Language;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    head: &'a str,
    number: bool,
    wide_only: bool,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// What it lists; screen readers say it.
    pub caption: &'a str,
    /// Its columns.
    pub columns: &'a [Column<'a>],
    /// Its rows, with a cell for each column. The first cell names the row.
    pub rows: &'a [Vec<Markup>],
    /// The id of its body, for rows that htmx adds; `None` where nothing does.
    pub body_id: Option<&'a str>,
}

impl<'a> Column<'a> {
    /// A column of words.
    pub const fn text(head: &'a str) -> Self {
        Self {
            head,
            number: false,
            wide_only: false,
        }
    }

    /// A column of numbers: right-aligned, with digits of one width.
    pub const fn number(head: &'a str) -> Self {
        Self {
            head,
            number: true,
            wide_only: false,
        }
    }

    /// The same, left out where the screen is narrow.
    #[must_use]
    pub const fn wide_only(mut self) -> Self {
        self.wide_only = true;
        self
    }

    const fn class(self) -> Option<&'static str> {
        match (self.number, self.wide_only) {
            (false, false) => None,
            (true, false) => Some("num"),
            (false, true) => Some("wide"),
            (true, true) => Some("num wide"),
        }
    }
}

/// A table that stays inside the page.
pub fn table(table: &Table<'_>) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(table.caption) {
            table class="rows" {
                caption class="sr-only" { (table.caption) }
                thead {
                    tr {
                        @for column in table.columns {
                            th scope="col" class=[column.class()] { (column.head) }
                        }
                    }
                }
                tbody id=[table.body_id] { (rows(table.columns, table.rows)) }
            }
        }
    }
}

/// The rows alone, for htmx to add to a body.
pub fn rows(columns: &[Column<'_>], rows: &[Vec<Markup>]) -> Markup {
    html! {
        @for row in rows {
            tr {
                @for (column, cell) in columns.iter().zip(row) {
                    td class=[column.class()] { (cell) }
                }
            }
        }
    }
}

/// The way to newer and older rows; nothing where all of them are shown.
pub fn pager(language: Language, newer: Option<&str>, older: Option<&str>) -> Markup {
    html! {
        @if newer.is_some() || older.is_some() {
            nav class="pager" aria-label=(language.tr("More rows")) {
                @if let Some(href) = newer {
                    a href=(href) rel="prev" class="btn btn-plain btn-sm" {
                        (Icon::Previous) (language.tr("Newer"))
                    }
                }
                @if let Some(href) = older {
                    a href=(href) rel="next" class="btn btn-plain btn-sm" {
                        (language.tr("Older")) (Icon::Next)
                    }
                }
            }
        }
    }
}
