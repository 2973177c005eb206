//! One day's calls: each resolved as it may be, their sums as in the roll-ups, and the provider's
//! bill beside ours.

use super::{Drift, MOST_DRIFTS, Snapshot, What};
use crate::calendar::rfc3339;
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement};
use crate::ids::RequestId;
use crate::money::Nanos;
use crate::sweep::LOOK_BACK_MS;
use crate::usage_days::{COLUMNS, USAGE};

const MS_PER_DAY: i64 = 86_400_000;

/// The numbers of `usage_days`, in the order of its columns.
const MEASURES: [&str; 10] = [
    "settled",
    "voided",
    "prompt_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "charge_nanos",
    "base_nanos",
    "true_up_nanos",
];

/// What the calls of one day say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// How many calls were looked at.
    pub requests: u64,
    /// Whether all calls of the day are still there, so that its roll-ups were compared.
    pub whole: bool,
    /// What does not add up.
    pub drifts: Vec<Drift>,
    /// The calls whose cost the provider reported, by model.
    pub costs: Vec<ModelCost>,
}

/// What the provider billed for a model, beside what our cost table says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCost {
    /// The model's slug.
    pub model: String,
    /// Calls whose cost the provider reported.
    pub calls: u64,
    /// Those among them of which it said something else than our table.
    pub differing: u64,
    /// What our table says they cost.
    pub ours: Nanos,
    /// What the provider says they cost.
    pub reported: Nanos,
    /// The largest difference of one call, either way.
    pub largest: Nanos,
}

impl ModelCost {
    /// Adds the calls of another day.
    pub fn add(&mut self, other: &Self) {
        let sum = |a: Nanos, b: Nanos| Nanos::new(a.get().saturating_add(b.get()));
        self.calls = self.calls.saturating_add(other.calls);
        self.differing = self.differing.saturating_add(other.differing);
        self.ours = sum(self.ours, other.ours);
        self.reported = sum(self.reported, other.reported);
        self.largest = self.largest.max(other.largest);
    }
}

/// The batch that reads one day.
#[derive(Clone, Debug)]
pub struct DayBatch {
    snapshot: Snapshot,
    /// Such as `2026-11-22`.
    date: String,
}

const EXTENT: &str = "\
SELECT (SELECT count(*) FROM requests WHERE id >= ?1 AND id < ?2), pruned_to_id <= ?3
FROM usage_marks WHERE id = 1";

const OPEN: &str = "\
SELECT id FROM requests
WHERE id >= ?1 AND id < min(?2, (SELECT rolled_to_id FROM usage_marks WHERE id = 1))
  AND state = 'held' ORDER BY id LIMIT ?3";

const RESOLVED: &str = "\
SELECT id FROM requests WHERE id >= ?1 AND id < ?2 AND NOT CASE state
    WHEN 'held' THEN outcome IS NULL AND resolved_at_ms IS NULL
    WHEN 'settled' THEN coalesce(outcome <> 'not_sent', 0) AND resolved_at_ms IS NOT NULL
    ELSE coalesce(outcome = 'not_sent', 0) AND resolved_at_ms IS NOT NULL END
ORDER BY id LIMIT ?3";

// The most that a charge may be, and what it is; a call that was voided charges nothing.
const CHARGES: &str = "\
SELECT r.id, l.value ->> 'account',
  coalesce(CASE r.state WHEN 'voided' THEN 0 ELSE l.value ->> 'hold' END, 0),
  coalesce(l.value ->> 'charge', -1)
FROM requests r JOIN json_each(r.levels) l
WHERE r.id >= ?1 AND r.id < ?2 AND NOT coalesce(l.value ->> 'charge' BETWEEN 0
  AND CASE r.state WHEN 'voided' THEN 0 ELSE l.value ->> 'hold' END, r.state = 'held')
ORDER BY r.id LIMIT ?3";

// A call's id may be older than the call, and its day is the call's.
fn usage_sql() -> String {
    format!(
        "SELECT side, {COLUMNS} FROM (
           SELECT 0 AS side, {COLUMNS} FROM usage_days
           WHERE day = ?4 AND account_id IN (SELECT id FROM accounts)
           UNION ALL
           SELECT 1, {COLUMNS} FROM ({USAGE}
             WHERE r.id >= ?1 AND r.id < min(?2, (SELECT rolled_to_id FROM usage_marks WHERE id = 1))
               AND r.created_at_ms / 86400000 = ?4 GROUP BY 1, 2, 3, 4, 5))
         WHERE (SELECT pruned_to_id FROM usage_marks WHERE id = 1) <= ?1
         GROUP BY {COLUMNS} HAVING count(*) = 1
         ORDER BY account_id, key_id, model, caller_id, side LIMIT ?3"
    )
}

// Costs beyond anything that a call can have are cut off as in the roll-ups.
const COSTS: &str = "\
SELECT model, count(*), sum(ours <> reported), sum(ours), sum(reported), max(abs(ours - reported))
FROM (SELECT model, min(coalesce(cost_nanos, 0), 1000000000000000) AS ours,
    min(reported_cost_nanos, 1000000000000000) AS reported
  FROM requests WHERE id >= ?1 AND id < ?2 AND reported_cost_nanos IS NOT NULL)
GROUP BY model ORDER BY model";

/// Reads one UTC day, counted since 1970, all at one moment.
#[must_use]
pub fn day(day: i64) -> DayBatch {
    let start_ms = day.saturating_mul(MS_PER_DAY);
    let end_ms = start_ms.saturating_add(MS_PER_DAY);
    let first = |at_ms: i64| RequestId::first_at(at_ms).get();
    let early = first(start_ms.saturating_sub(LOOK_BACK_MS));
    let late = first(end_ms.saturating_add(LOOK_BACK_MS));
    let range = |sql| {
        Statement::new(sql)
            .bind(first(start_ms))
            .bind(first(end_ms))
    };
    let most = i64::try_from(MOST_DRIFTS).unwrap_or(i64::MAX);
    let snapshot = Snapshot::of([
        range(EXTENT).bind(early),
        range(OPEN).bind(most),
        range(RESOLVED).bind(most),
        range(CHARGES).bind(most),
        Statement::new(usage_sql())
            .bind(early)
            .bind(late)
            .bind(most)
            .bind(day),
        range(COSTS),
    ]);
    let moment = rfc3339(start_ms).unwrap_or_default();
    let date = moment.split('T').next().unwrap_or_default().to_owned();
    DayBatch { snapshot, date }
}

impl DayBatch {
    /// What to execute.
    #[must_use]
    pub const fn batch(&self) -> &Batch {
        &self.snapshot.batch
    }

    /// What the reply to the batch says.
    ///
    /// # Errors
    /// When a statement failed or a row is not as expected: then nothing is known of the day.
    pub fn read(&self, reply: &Reply) -> Result<Day, HranaFault> {
        let rows = |place| self.snapshot.rows(reply, place);
        let extent = rows(0)?.first().ok_or(HranaFault::Malformed)?;
        let mut drifts = Vec::new();
        for (place, what) in [(1, What::RolledWhileOpen), (2, What::Resolved)] {
            for row in rows(place)? {
                drifts.push(Drift {
                    what,
                    subject: RequestId::from_stored(row.get(0)?).to_string(),
                    expected: 0,
                    found: 1,
                });
            }
        }
        for row in rows(3)? {
            let request = RequestId::from_stored(row.get(0)?);
            drifts.push(Drift {
                what: What::Charge,
                subject: format!("{request} {}", row.get::<String>(1)?),
                expected: row.get(2)?,
                found: row.get(3)?,
            });
        }
        self.compare_usage(rows(4)?, &mut drifts)?;
        Ok(Day {
            requests: extent.get(0)?,
            whole: extent.get(1)?,
            drifts,
            costs: rows(5)?.iter().map(read_cost).collect::<Result<_, _>>()?,
        })
    }

    /// The rows that only one side has: a pair of them differs in some number, and a row without a
    /// partner is missing on the other side.
    fn compare_usage(&self, rows: &[Row], drifts: &mut Vec<Drift>) -> Result<(), HranaFault> {
        // The last of too many may have lost its partner.
        let whole = rows.len().min(MOST_DRIFTS.saturating_sub(1));
        let mut rows = rows
            .iter()
            .take(whole)
            .map(UsageRow::read)
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .peekable();
        while let Some(row) = rows.next() {
            let partner = rows.next_if(|next| next.name == row.name);
            let zeros = [0; MEASURES.len()];
            let (found, expected) = match (row.rolled_up, partner) {
                (true, partner) => (row.numbers, partner.map_or(zeros, |next| next.numbers)),
                (false, _) => (zeros, row.numbers),
            };
            let [account, key, model, _] = &row.name;
            let subject = format!("{account} {} {key} {model}", self.date);
            for (column, (found, expected)) in MEASURES.into_iter().zip(found.iter().zip(expected))
            {
                let what = What::UsageDay(column);
                drifts.extend(super::compare(what, &subject, expected, *found));
            }
        }
        Ok(())
    }
}

struct UsageRow {
    /// Whether it is of `usage_days`; otherwise it is made from the requests.
    rolled_up: bool,
    /// Account, key, model and caller.
    name: [String; 4],
    numbers: [i64; MEASURES.len()],
}

impl UsageRow {
    fn read(row: &Row) -> Result<Self, HranaFault> {
        let mut numbers = [0; MEASURES.len()];
        for (column, number) in (6..).zip(&mut numbers) {
            *number = row.get(column)?;
        }
        Ok(Self {
            rolled_up: row.get::<i64>(0)? == 0,
            name: [row.get(1)?, row.get(3)?, row.get(4)?, row.get(5)?],
            numbers,
        })
    }
}

fn read_cost(row: &Row) -> Result<ModelCost, HranaFault> {
    Ok(ModelCost {
        model: row.get(0)?,
        calls: row.get(1)?,
        differing: row.get(2)?,
        ours: Nanos::new(row.get(3)?),
        reported: Nanos::new(row.get(4)?),
        largest: Nanos::new(row.get(5)?),
    })
}
