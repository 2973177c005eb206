//! Knobs that change one call: `sim/echo?ttft_ms=200&tps=50` in the model's name, or
//! `[[ttft_ms=200 tps=50]]` in the last user message, which wins. Nothing else about the request
//! is read here.

/// What a call asked for. `None` leaves the model's or the simulator's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Knobs {
    /// Milliseconds until the first token.
    pub ttft_ms: Option<u64>,
    /// Output tokens a second; 0 is unlimited.
    pub tps: Option<u64>,
    /// Output tokens when the request does not limit them further.
    pub tokens: Option<u64>,
    /// Hidden reasoning tokens, for `sim/reasoning`.
    pub reasoning: Option<u64>,
    /// Milliseconds until the response head, for `sim/slow-head`.
    pub head_ms: Option<u64>,
    /// Milliseconds of silence, for `sim/pause`.
    pub pause_ms: Option<u64>,
    /// 0 leaves out the usage.
    pub usage: Option<u64>,
    /// Milliseconds between a stream's last token and its usage.
    pub usage_ms: Option<u64>,
    /// Milliseconds between the end of the generation and its record.
    pub record_ms: Option<u64>,
    /// Output tokens before a fault in mid-stream strikes; the default is half of them.
    pub cut_after: Option<u64>,
}

impl Knobs {
    /// Takes over every `name=value` in `text` that is a knob and a whole number.
    pub fn read(&mut self, text: &str) {
        for pair in text.split(|c: char| c == '&' || c == ',' || c.is_whitespace()) {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let value = value.parse().ok();
            let knob = match name {
                "ttft_ms" => &mut self.ttft_ms,
                "tps" => &mut self.tps,
                "tokens" => &mut self.tokens,
                "reasoning" => &mut self.reasoning,
                "head_ms" => &mut self.head_ms,
                "pause_ms" => &mut self.pause_ms,
                "usage" => &mut self.usage,
                "usage_ms" => &mut self.usage_ms,
                "record_ms" => &mut self.record_ms,
                "cut_after" => &mut self.cut_after,
                _ => continue,
            };
            *knob = value.or(*knob);
        }
    }

    /// Takes over every `[[…]]` in `message` and returns the message without them.
    pub fn take_from(&mut self, message: &str) -> String {
        let mut plain = String::with_capacity(message.len());
        let mut rest = message;
        while let Some((before, after)) = rest.split_once("[[") {
            let Some((inside, behind)) = after.split_once("]]") else {
                break;
            };
            plain.push_str(before);
            self.read(inside);
            rest = behind;
        }
        plain.push_str(rest);
        plain
    }
}

/// A model's name without its knobs, and the knobs' text.
#[must_use]
pub fn split_model(model: &str) -> (&str, &str) {
    model.split_once('?').unwrap_or((model, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_sets_knobs_in_the_model_or_in_the_message() {
        let check = |model: &str, message: &str, expect: (Knobs, &str)| {
            let mut knobs = Knobs::default();
            knobs.read(split_model(model).1);
            let plain = knobs.take_from(message);
            assert_eq!((knobs, plain.as_str()), expect, "{model} {message}");
        };
        let none = Knobs::default();
        check("sim/echo", "hi", (none, "hi"));
        check(
            "sim/echo?tps=5",
            "hi",
            (
                Knobs {
                    tps: Some(5),
                    ..none
                },
                "hi",
            ),
        );
        check(
            "sim/echo?tps=5",
            "a [[tps=6]]",
            (
                Knobs {
                    tps: Some(6),
                    ..none
                },
                "a ",
            ),
        );
        check(
            "sim/echo?ttft_ms=1&tokens=2",
            "[[reasoning=3 head_ms=4]] x [[cut_after=5 pause_ms=6 usage=0 usage_ms=7 record_ms=8]]",
            (
                Knobs {
                    ttft_ms: Some(1),
                    tokens: Some(2),
                    reasoning: Some(3),
                    head_ms: Some(4),
                    cut_after: Some(5),
                    pause_ms: Some(6),
                    usage: Some(0),
                    usage_ms: Some(7),
                    record_ms: Some(8),
                    tps: None,
                },
                " x ",
            ),
        );
        check("sim/echo?tps=fast&colour=1", "[[", (none, "[["));
        check("sim/echo", "[[tps=", (none, "[[tps="));
    }
}
