//! Money per day in several series, as a chart or a table shows it. How it is drawn is in `chart`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tollgate_core::money::Nanos;

/// One part of every day's amount, such as one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Its amount for each day.
    pub values: Vec<Nanos>,
}

/// Days in a row without a gap, and what each came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Days {
    /// The days, from the first on.
    pub dates: Vec<Date>,
    /// The parts of their amounts, the largest first.
    pub series: Vec<Series>,
}

impl Days {
    /// Arranges rows of day, name and amount. Days without a row are empty; rows of other days are left
    /// out.
    pub fn from_rows(
        first: Date,
        last: Date,
        rows: impl IntoIterator<Item = (Date, String, Nanos)>,
    ) -> Self {
        let mut dates = Vec::new();
        let mut date = first;
        while date <= last {
            dates.push(date);
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        let mut named = BTreeMap::<String, Vec<Nanos>>::new();
        for (date, name, amount) in rows {
            let Ok(at) = dates.binary_search(&date) else {
                continue;
            };
            let values = named
                .entry(name)
                .or_insert_with(|| vec![Nanos::ZERO; dates.len()]);
            if let Some(value) = values.get_mut(at) {
                *value = sum([*value, amount]);
            }
        }
        let named = named.into_iter();
        let mut series: Vec<Series> = named
            .map(|(name, values)| Series { name, values })
            .collect();
        series.sort_by_key(|series| std::cmp::Reverse(series.total()));
        Self { dates, series }
    }

    /// The same with the series of that name at the end, where what remains is looked for.
    pub fn with_last(mut self, name: &str) -> Self {
        self.series.sort_by_key(|series| series.name == name);
        self
    }

    /// What one day came to.
    pub(super) fn total(&self, at: usize) -> Nanos {
        sum(self.series.iter().map(|series| series.at(at)))
    }

    /// The same with at most so many series, and the rest as one of that name.
    pub(super) fn few(&self, (most, other): (usize, &str)) -> Vec<Series> {
        let Some((own, rest)) = self.series.split_at_checked(most) else {
            return self.series.clone();
        };
        let mut few = own.to_vec();
        match rest {
            [] => {}
            [one] => few.push(one.clone()),
            rest => few.push(Series {
                name: other.to_owned(),
                values: (0..self.dates.len())
                    .map(|at| sum(rest.iter().map(|series| series.at(at))))
                    .collect(),
            }),
        }
        few
    }
}

impl Series {
    pub(super) fn at(&self, day: usize) -> Nanos {
        self.values.get(day).copied().unwrap_or_default()
    }

    pub(super) fn total(&self) -> Nanos {
        sum(self.values.iter().copied())
    }
}

pub(super) fn sum(amounts: impl IntoIterator<Item = Nanos>) -> Nanos {
    let nanos = amounts.into_iter().map(Nanos::get);
    Nanos::new(nanos.fold(0, i64::saturating_add))
}
