//! Which calls are looked for, as the address says it, and the addresses of neighbouring pages.

use tollgate_core::ids::{KeyId, RequestId};
use tollgate_core::request_log::{Cursor, Filter, LogQuery, RequestStatus};

use crate::form::Form;
use crate::utc_day;

/// The longest name of a model that is looked for, in bytes.
const LONGEST_MODEL: usize = 800;

/// A search as it was typed. What cannot be read is left out of the filter, and is told at its field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// The fields that are filled in, by their names.
    typed: Vec<(&'static str, String)>,
    /// What is looked for, and from where on.
    pub query: LogQuery,
}

const FIELDS: [&str; 5] = ["key", "model", "status", "from", "to"];

impl Search {
    /// Reads an address' query.
    pub fn read(query: &Form) -> Self {
        let typed: Vec<(&str, String)> = FIELDS
            .into_iter()
            .filter_map(|name| Some((name, query.given(name)?.to_owned())))
            .collect();
        let call = |name| RequestId::parse(query.get(name));
        let cursor = call("older").map(Cursor::Older);
        let model = query.given("model");
        Self {
            typed,
            query: LogQuery {
                filter: Filter {
                    key: KeyId::parse(query.get("key")),
                    model: model
                        .filter(|model| model.len() <= LONGEST_MODEL)
                        .map(str::to_owned),
                    status: RequestStatus::parse(query.get("status")),
                    from_ms: utc_day::first_ms(query.get("from")),
                    to_ms: utc_day::end_ms(query.get("to")),
                },
                cursor: cursor.or_else(|| call("newer").map(Cursor::Newer)),
            },
        }
    }

    /// What stands in a field.
    pub fn typed(&self, name: &str) -> &str {
        let typed = self.typed.iter().find(|(known, _)| *known == name);
        typed.map_or("", |(_, value)| value)
    }

    /// Whether a day was typed that is none.
    pub fn is_wrong_day(&self, name: &str) -> bool {
        let typed = self.typed(name);
        !typed.is_empty() && utc_day::first_ms(typed).is_none()
    }

    /// Whether everything that is filled in is looked for. The list tells what is not; a file could not.
    pub fn is_complete(&self) -> bool {
        let filter = &self.query.filter;
        let read = [
            ("key", filter.key.is_some()),
            ("model", filter.model.is_some()),
            ("status", filter.status.is_some()),
            ("from", filter.from_ms.is_some()),
            ("to", filter.to_ms.is_some()),
        ];
        let mut read = read.into_iter();
        read.all(|(name, read)| read || self.typed(name).is_empty())
    }

    /// Whether anything is looked for.
    pub fn is_empty(&self) -> bool {
        self.typed.is_empty()
    }

    /// Whether calls that begin at this moment belong to the page.
    pub fn is_live(&self, now_ms: i64) -> bool {
        let filter = &self.query.filter;
        self.query.cursor.is_none()
            && filter.to_ms.is_none_or(|to_ms| now_ms < to_ms)
            && filter.from_ms.is_none_or(|from_ms| from_ms <= now_ms)
    }

    /// The address of another page of the same search.
    pub fn at(&self, cursor: Cursor) -> String {
        let (name, id) = match cursor {
            Cursor::Older(id) => ("older", id),
            Cursor::Newer(id) => ("newer", id),
        };
        self.address("/requests", &[(name, id.to_string())])
    }

    /// An address with this search and something besides.
    pub fn address(&self, path: &str, more: &[(&str, String)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.typed).extend_pairs(more);
        address(path, &query.finish())
    }
}

/// The address of the log with a filter: names of `key`, `model`, `status`, `from` and `to`, and values.
pub fn link_to(filter: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(filter);
    address("/requests", &query.finish())
}

fn address(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_MS: i64 = 1_793_707_200_000; // 3 November 2026.

    #[test]
    fn a_search_is_in_the_address_and_nothing_else_is() {
        let check = |query: &str, expect: &str| {
            let search = Search::read(&Form::parse(query.as_bytes()));
            assert_eq!(search.address("/requests", &[]), expect, "{query}");
        };
        check("", "/requests");
        check("key=&model=&older=req_0000000000000", "/requests");
        check(
            "model=a%2Fb&x=y&key=key_1",
            "/requests?key=key_1&model=a%2Fb",
        );
        check("model=%26status%3Dok", "/requests?model=%26status%3Dok");
        let search = Search::read(&Form::parse(b"status=failed"));
        let id = RequestId::first_at(NOON_MS);
        assert_eq!(
            search.at(Cursor::Older(id)),
            format!("/requests?status=failed&older={id}")
        );
    }

    #[test]
    fn only_the_latest_calls_are_live() {
        let check = |query: &str, expect: bool| {
            let search = Search::read(&Form::parse(query.as_bytes()));
            assert_eq!(search.is_live(NOON_MS), expect, "{query}");
        };
        check("", true);
        check("key=key_1&status=ok", true);
        check("from=2026-11-03&to=2026-11-03", true);
        check("to=2026-11-02", false);
        check("from=2026-11-04", false);
        check(&format!("older={}", RequestId::first_at(NOON_MS)), false);
    }

    #[test]
    fn days_are_whole_and_wrong_ones_are_told() {
        let search = Search::read(&Form::parse(b"from=2026-11-03&to=2026-11-03"));
        let filter = &search.query.filter;
        assert_eq!(
            filter.to_ms.zip(filter.from_ms).map(|(to, from)| to - from),
            Some(86_400_000)
        );
        let search = Search::read(&Form::parse(b"from=yesterday"));
        assert!(search.is_wrong_day("from") && !search.is_wrong_day("to"));
        assert_eq!(search.query.filter.from_ms, None);
    }

    #[test]
    fn a_search_that_is_read_in_part_is_not_taken_for_the_whole() {
        let check = |query: &str, expect: bool| {
            let search = Search::read(&Form::parse(query.as_bytes()));
            assert_eq!(search.is_complete(), expect, "{query}");
        };
        check("", true);
        check("key=&from=&other=x", true);
        check("from=2026-11-03&to=2026-11-03&status=failed&model=a", true);
        check("from=9999-12-31", false);
        check("to=3.11.2026", false);
        check("key=other", false);
        check("status=other", false);
        check(&format!("model={}", "m".repeat(801)), false);
    }
}
