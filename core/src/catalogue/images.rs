//! How many prompt tokens one image is at most, by model. OpenRouter's data does not say, so the
//! figures come from the makers' own pages; where those leave a doubt, the larger one stands here.
//! A model that matches no row gets no images.

/// One maker's rule for some of its models.
struct Row {
    /// How the slug starts.
    starts: &'static str,
    /// What the rest of it contains; empty for anything.
    contains: &'static str,
    /// Prompt tokens of one image, at most.
    max_tokens: u64,
    /// Where the figure is from and how it was derived.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for people and for the table's test")
    )]
    source: &'static str,
}

const fn row(
    starts: &'static str,
    contains: &'static str,
    max_tokens: u64,
    source: &'static str,
) -> Row {
    Row {
        starts,
        contains,
        max_tokens,
        source,
    }
}

/// The first row that matches holds, so narrow ones stand before wide ones.
const TABLE: &[Row] = &[
    row(
        "sim/",
        "",
        1_000,
        "Tollgate's simulator counts every image as at most this",
    ),
    // OpenAI, patches of 32 × 32 pixels times a factor per model. `detail: original` allows 10,000
    // patches from GPT-5.4 on, and nothing in the slug tells which of the GPT-5.x came before it.
    row(
        "openai/gpt-5.",
        "nano",
        24_600,
        "OpenAI images guide, 2026-03: 10,000 patches × 2.46",
    ),
    row(
        "openai/gpt-5.",
        "mini",
        16_200,
        "OpenAI images guide, 2026-03: 10,000 patches × 1.62",
    ),
    row(
        "openai/gpt-5.",
        "",
        12_000,
        "OpenAI images guide, 2026-03: 10,000 patches × 1.2",
    ),
    // The guide's cap is 1,536 patches; users were billed for up to 2,500, so that stands here.
    row(
        "openai/gpt-5-nano",
        "",
        6_150,
        "OpenAI images guide, 2026-03: 2,500 patches × 2.46",
    ),
    row(
        "openai/gpt-5-mini",
        "",
        4_050,
        "OpenAI images guide, 2026-03: 2,500 patches × 1.62",
    ),
    row(
        "openai/gpt-4.1-nano",
        "",
        3_779,
        "OpenAI images guide, 2025-08: 1,536 patches × 2.46",
    ),
    row(
        "openai/gpt-4.1-mini",
        "",
        2_489,
        "OpenAI images guide, 2025-08: 1,536 patches × 1.62",
    ),
    row(
        "openai/o4-mini",
        "",
        2_642,
        "OpenAI images guide, 2025-08: 1,536 patches × 1.72",
    ),
    // OpenAI, tiles: fitted into 2,048 × 2,048, the short side to 768, so at most 2 × 4 of 512.
    row(
        "openai/gpt-4o-mini",
        "",
        48_169,
        "OpenAI images guide, 2025-08: 2,833 + 8 × 5,667",
    ),
    row(
        "openai/gpt-5",
        "",
        1_445,
        "OpenAI images guide, 2025-08: 70 + 8 × 140, as GPT-4o",
    ),
    row(
        "openai/gpt-4o",
        "",
        1_445,
        "OpenAI images guide, 2025-08: 85 + 8 × 170",
    ),
    row(
        "openai/chatgpt-4o",
        "",
        1_445,
        "OpenAI images guide, 2025-08: 85 + 8 × 170",
    ),
    row(
        "openai/gpt-4.1",
        "",
        1_445,
        "OpenAI images guide, 2025-08: 85 + 8 × 170",
    ),
    row(
        "openai/gpt-4-turbo",
        "",
        1_445,
        "OpenAI images guide, 2025-08: 85 + 8 × 170",
    ),
    row(
        "openai/o1",
        "",
        1_275,
        "OpenAI images guide, 2025-08: 75 + 8 × 150",
    ),
    row(
        "openai/o3",
        "",
        1_275,
        "OpenAI images guide, 2025-08: 75 + 8 × 150",
    ),
    row(
        "anthropic/claude-",
        "",
        5_000,
        "Anthropic vision page, 2026-04: 4,784 at 2,576 pixels",
    ),
    // Gemini 2 tiles of 258 tokens: at most 24 of them in a picture of 3,072 pixels, rounded up.
    row(
        "google/gemini-2",
        "",
        8_000,
        "Gemini API token page, 2025-06: 258 per tile, 24 tiles",
    ),
    row(
        "google/gemini-3",
        "",
        2_400,
        "Gemini API media resolution page, 2025-11: 2,240",
    ),
    row(
        "google/gemma-",
        "",
        2_600,
        "Gemma 3 report, 2025-03: 256 a crop; Gemma 4: 1,120",
    ),
    row(
        "meta-llama/llama-3.2-",
        "vision",
        6_500,
        "Llama 3.2 model code, 2024-09: 4 tiles × 1,601",
    ),
    row(
        "meta-llama/llama-4-",
        "",
        3_000,
        "Llama 4 model code, 2025-04: 17 tiles × 144 and marks",
    ),
    row(
        "mistralai/pixtral-",
        "",
        4_300,
        "Pixtral report, 2024-10: 64 × 64 patches and breaks",
    ),
    row(
        "mistralai/mistral-",
        "",
        4_300,
        "Mistral vision page, 2025-05: 55 × 55, as Pixtral",
    ),
    row(
        "mistralai/ministral-",
        "",
        4_300,
        "Mistral vision page, 2025-12: 55 × 55, as Pixtral",
    ),
    row(
        "qwen/",
        "",
        16_400,
        "Qwen2.5-VL and Qwen3-VL processor, 2025-09: 16,384 and marks",
    ),
    row(
        "x-ai/grok-",
        "",
        1_800,
        "xAI image guide, 2025-07: 7 tiles × 256",
    ),
    row(
        "amazon/nova-",
        "",
        5_000,
        "Amazon Nova image guide, 2025-03: 2,600 listed, doubled",
    ),
    row(
        "cohere/command-a-vision",
        "",
        3_400,
        "Cohere vision page, 2025-07: 13 × 256",
    ),
];

/// Prompt tokens that one image can be at most for that model. `None`: not known.
pub(super) fn max_tokens(slug: &str) -> Option<u64> {
    TABLE
        .iter()
        .find(|row| {
            let rest = slug.strip_prefix(row.starts);
            rest.is_some_and(|rest| rest.contains(row.contains))
        })
        .map(|row| row.max_tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_bounded_by_the_narrowest_row() {
        let check =
            |slug: &str, expect: Option<u64>| assert_eq!(max_tokens(slug), expect, "{slug}");
        check("sim/echo", Some(1_000));
        check("openai/gpt-4o", Some(1_445));
        check("openai/gpt-4o-2024-11-20", Some(1_445));
        check("openai/gpt-4o-mini", Some(48_169));
        check("openai/gpt-4.1", Some(1_445));
        check("openai/gpt-4.1-mini", Some(2_489));
        check("openai/gpt-4.1-nano", Some(3_779));
        check("openai/gpt-5", Some(1_445));
        check("openai/gpt-5-mini", Some(4_050));
        check("openai/gpt-5.4", Some(12_000));
        check("openai/gpt-5.4-mini", Some(16_200));
        check("openai/gpt-5.4-nano", Some(24_600));
        check("openai/o3-pro", Some(1_275));
        check("openai/o4-mini-high", Some(2_642));
        check("openai/gpt-3.5-turbo", None);
        check("anthropic/claude-sonnet-4.5", Some(5_000));
        check("google/gemini-2.5-flash", Some(8_000));
        check("google/gemini-3-pro-preview", Some(2_400));
        check("meta-llama/llama-3.2-11b-vision-instruct", Some(6_500));
        check("meta-llama/llama-3.2-3b-instruct", None);
        check("unheard-of/vision", None);
    }

    #[test]
    fn every_row_can_be_reached_and_names_its_source_and_date() {
        for (index, row) in TABLE.iter().enumerate() {
            let slug = format!("{}{}", row.starts, row.contains);
            assert_eq!(
                max_tokens(&slug),
                Some(row.max_tokens),
                "row {index}: {slug}"
            );
            assert!(
                row.starts.starts_with("sim/") || row.source.contains("20"),
                "{slug}"
            );
        }
    }
}
