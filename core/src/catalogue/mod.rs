//! What can be sold: models, and what the provider bills for them. Reads OpenRouter's `/models`
//! and the form in which costs are stored. What a customer pays is in `pricing`; which models an
//! account may call, and where the catalogue is kept, is not decided here.

mod cost;
mod images;
mod import;
mod model_pricing;
mod models;
mod sale;
mod store;
mod stored;

pub use cost::{ClockWindow, Cost, Dimension, Override, UnitPrices};
pub use import::{Import, ImportError, Refused, import};
pub use models::{ModelLine, ModelsQuery, read_model_line};
pub use sale::{
    NewRefusal, ProviderLine, RefusalLine, RefusalProblem, accept_models, providers_statement,
    read_provider_line, read_refusal_line, refused_models_statement, switch_model, switch_provider,
};
pub(crate) use sale::{is_operator, on_sale_sql, raise_version};
pub use store::{Changes, CostLine, Sources, costs_statement, read_cost_line, store};
pub use stored::StoredCostError;

/// A model as the gateway knows it, without any price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The name that callers send, such as `openai/gpt-4o-mini`.
    pub slug: String,
    /// The name that people read.
    pub name: String,
    /// Tokens of prompt and answer together, at most. `None`: not known.
    pub context_length: Option<u64>,
    /// Tokens of one answer, at most. `None`: not known.
    pub max_completion_tokens: Option<u64>,
    /// Prompt tokens of one image, at most. `None`: images are refused.
    pub max_image_tokens: Option<u64>,
    /// Whether the answer may bill reasoning tokens that its text does not show.
    pub hidden_reasoning: bool,
    /// Whether the maker marks the model as free (`:free`): only then is zero a price.
    pub free: bool,
    /// The public model object as JSON, without pricing and without anything off the allow-list.
    pub details: String,
}
