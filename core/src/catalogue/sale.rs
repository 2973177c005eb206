//! Which models are on sale: the switches of models and providers, and the list of refused names.

/// SQL that is true of a row `m` of `models` that may be called. `GLOB` reads `*` as a pattern does; its
/// other signs are taken for what they are.
pub(crate) const ON_SALE: &str = "\
m.enabled = 1
  AND NOT EXISTS (SELECT 1 FROM providers v WHERE v.name = m.provider AND v.enabled = 0)
  AND NOT EXISTS (SELECT 1 FROM refused_models f
    WHERE m.slug GLOB replace(replace(f.pattern, '[', '[[]'), '?', '[?]'))";
