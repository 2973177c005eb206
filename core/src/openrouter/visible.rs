//! The text of an answer that its caller sees, counted in tokens while it arrives. How tokens are
//! counted is in `tokens`.

use crate::json::{Kind, Raw};
use crate::tokens::Counter;

/// Counts what messages and deltas show. A call has one choice (`n` is always 1), so the pieces of
/// all choices are taken for one answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Visible {
    content: Counter,
    reasoning: Counter,
    tool_calls: Counter,
}

impl Visible {
    /// Counts the messages of a whole answer, or the deltas of a chunk.
    pub(super) fn add(&mut self, choices: Raw<'_>) {
        for choice in choices
            .elements()
            .filter(|choice| choice.kind() == Kind::Object)
        {
            for (name, value) in choice.members() {
                if matches!(&*name, "message" | "delta") {
                    self.add_message(value);
                }
            }
        }
    }

    /// The plausible number of tokens; 0 only when no text was seen.
    pub(super) fn tokens(&self) -> u64 {
        self.sum(Counter::tokens)
    }

    /// The cautious number of tokens.
    pub(super) fn at_most(&self) -> u64 {
        self.sum(Counter::at_most)
    }

    fn sum(&self, count: impl Fn(&Counter) -> u64) -> u64 {
        count(&self.content)
            .saturating_add(count(&self.reasoning))
            .saturating_add(count(&self.tool_calls))
    }

    fn add_message(&mut self, message: Raw<'_>) {
        let mut reasoning: Option<Raw<'_>> = None;
        let mut details = None;
        for (name, value) in message.members() {
            match &*name {
                "content" | "refusal" => value.each_text(|text| self.content.push(text)),
                "reasoning" | "reasoning_content" => {
                    let before = reasoning.map_or(0, Raw::str_len);
                    if value.str_len() > before {
                        reasoning = Some(value);
                    }
                }
                "reasoning_details" => details = Some(value),
                "tool_calls" => each_call_text(value, |text| {
                    text.each_text(|text| self.tool_calls.push(text));
                }),
                _ => {}
            }
        }
        self.add_reasoning(reasoning, details);
    }

    /// OpenRouter repeats `reasoning` in `reasoning_details`, so the longer of the two counts.
    fn add_reasoning(&mut self, reasoning: Option<Raw<'_>>, details: Option<Raw<'_>>) {
        let mut length = 0_u64;
        let each_detail = |each: &mut dyn FnMut(Raw<'_>)| {
            for detail in details.into_iter().flat_map(Raw::elements) {
                detail.get("text").into_iter().for_each(&mut *each);
                detail.get("summary").into_iter().for_each(&mut *each);
            }
        };
        each_detail(&mut |text| length = length.saturating_add(text.str_len()));
        let mut count = |text: Raw<'_>| text.each_text(|text| self.reasoning.push(text));
        match reasoning {
            Some(reasoning) if reasoning.str_len() >= length => count(reasoning),
            _ => each_detail(&mut count),
        }
    }
}

fn each_call_text<'a>(calls: Raw<'a>, mut each: impl FnMut(Raw<'a>)) {
    for function in calls.elements().filter_map(|call| call.get("function")) {
        function.get("name").into_iter().for_each(&mut each);
        function.get("arguments").into_iter().for_each(&mut each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use crate::tokens::estimate;

    #[test]
    fn a_caller_pays_once_for_everything_that_was_seen_and_for_nothing_else() {
        let check = |deltas: &[&str], texts: &[&str]| {
            let mut visible = Visible::default();
            for delta in deltas {
                let choices = format!(r#"[{{"index":0,"delta":{delta}}}]"#);
                let body = format!(r#"{{"choices":{choices}}}"#);
                let object = json::parse_object(body.as_bytes()).unwrap();
                visible.add(object.fields.first().unwrap().1);
            }
            let tokens: u64 = texts.iter().map(|text| estimate(text)).sum();
            assert_eq!(visible.tokens(), tokens, "{deltas:?}");
            assert!(visible.at_most() >= tokens, "{deltas:?}");
        };
        check(&[], &[]);
        check(&["{}", r#"{"role":"assistant","content":""}"#], &[]);
        check(&[r#"{"content":null}"#, "null"], &[]);
        check(
            &[r#"{"content":"unbe"}"#, r#"{"content":"lievable\n"}"#],
            &["unbelievable\n"],
        );
        check(&[r#"{"refusal":"I can't"}"#], &["I can't"]);
        check(
            &[r#"{"content":"yes","reasoning":"let me think"}"#],
            &["yes", "let me think"],
        );
        let repeated = r#"{"reasoning":"let me think","reasoning_details":[
            {"type":"reasoning.text","text":"let me think"}]}"#;
        check(&[repeated, repeated], &["let me thinklet me think"]);
        check(
            &[r#"{"reasoning":"a","reasoning_content":"a longer thought"}"#],
            &["a longer thought"],
        );
        check(
            &[r#"{"reasoning":"a","reasoning_details":[
                {"type":"reasoning.summary","summary":"a thought "},
                {"type":"reasoning.encrypted","data":"AAAA"},
                {"type":"reasoning.text","text":"and another"}]}"#],
            &["a thought and another"],
        );
        check(
            &[
                r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function",
                    "function":{"name":"get_weather","arguments":""}}]}"#,
                r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]}"#,
                r#"{"tool_calls":[{"index":0,"function":{"arguments":"\"Oslo\"}"}}]}"#,
            ],
            &[r#"get_weather{"city":"Oslo"}"#],
        );
    }
}
