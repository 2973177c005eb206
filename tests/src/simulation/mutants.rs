//! Faults that are put into the SQL on its way, to prove that the simulation would notice them. Each
//! is a guard that somebody might forget; where two guards protect the same thing, both are taken.

use super::wire::Sender;

/// A fault: texts that are replaced in the schema and in statements.
#[derive(Debug)]
pub struct Mutant {
    /// What is broken, in a few words.
    pub name: &'static str,
    /// Replacements in the migrations.
    schema: &'static [(&'static str, &'static str)],
    /// Replacements in statements.
    statements: &'static [Replacement],
    /// Whose statements; `None`: everybody's.
    sender: Option<Sender>,
}

/// In statements that begin with one text, another is replaced.
#[derive(Debug)]
struct Replacement {
    begin: &'static str,
    find: &'static str,
    replace: &'static str,
}

impl Mutant {
    /// The text of a migration with the fault in it, and which parts of the fault are there.
    #[must_use]
    pub fn schema(&self, mut sql: String) -> (String, Parts) {
        let mut parts = 0;
        for (index, (find, replace)) in self.schema.iter().enumerate() {
            if sql.contains(find) {
                sql = sql.replace(find, replace);
                parts |= 1 << index;
            }
        }
        (sql, parts)
    }

    /// A statement with the fault in it, and which parts of it are there; `None`: it has no place for
    /// it.
    #[must_use]
    pub fn statement(&self, sql: &str, sender: Sender) -> Option<(String, Parts)> {
        if self.sender.is_some_and(|only| only != sender) {
            return None;
        }
        let mut changed: Option<(String, Parts)> = None;
        for (index, replacement) in self.statements.iter().enumerate() {
            let (text, parts) = changed
                .as_ref()
                .map_or((sql, 0), |(text, parts)| (text, *parts));
            if sql.starts_with(replacement.begin) && text.contains(replacement.find) {
                let text = text.replace(replacement.find, replacement.replace);
                changed = Some((text, parts | 1 << (self.schema.len() + index)));
            }
        }
        changed
    }

    /// The mutant with that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|mutant| mutant.name == name)
    }

    /// All its parts: what does not find its place breaks less than it says.
    #[must_use]
    pub fn whole(&self) -> Parts {
        (1 << (self.schema.len() + self.statements.len())) - 1
    }
}

/// Parts of a fault, a bit each.
pub type Parts = u32;

const fn of(begin: &'static str, find: &'static str, replace: &'static str) -> Replacement {
    Replacement {
        begin,
        find,
        replace,
    }
}

const RESOLVE_ONCE: (&str, &str) = ("WHEN OLD.state <> 'held'", "WHEN 0");
const CHARGE: &str = "UPDATE accounts SET balance_nanos = balance_nanos - (n";
const RESOLVE: &str = "UPDATE requests SET state";
const COUNT: &str = "UPDATE keys AS k SET open_holds";
const HOLD: &str = "UPDATE accounts SET held_nanos = accounts.held_nanos + (n.value ->> 'hold')\nFROM json_each(?1)";
const GROW: &str =
    "UPDATE accounts SET held_nanos = accounts.held_nanos + (n.value ->> 'hold') - (h";
const GATE: &str = "SELECT abs(";

const NONE: Mutant = Mutant {
    name: "",
    schema: &[],
    statements: &[],
    sender: None,
};

/// Every fault that the simulation must notice.
pub const ALL: &[Mutant] = &[
    Mutant {
        name: "guards that let everything pass",
        statements: &[of("INSERT INTO guard", "changes()", "-1 + 0 * changes()")],
        ..NONE
    },
    Mutant {
        name: "a settlement that forgets whether the hold is open",
        schema: &[RESOLVE_ONCE],
        statements: &[
            of(CHARGE, "AND r.state = 'held'", ""),
            of(RESOLVE, "AND state = 'held'", ""),
        ],
        ..NONE
    },
    Mutant {
        name: "a sweep that forgets whether the hold is open",
        schema: &[RESOLVE_ONCE],
        statements: &[
            of(CHARGE, "AND r.state = 'held'", ""),
            of(RESOLVE, "AND state = 'held'", ""),
        ],
        sender: Some(Sender::Sweep),
    },
    Mutant {
        name: "a settlement that does not debit",
        statements: &[of(CHARGE, "balance_nanos - (n", "balance_nanos - 0 * (n")],
        ..NONE
    },
    Mutant {
        name: "a settlement that keeps the hold",
        statements: &[of(CHARGE, "held_nanos - (h", "held_nanos - 0 * (h")],
        ..NONE
    },
    Mutant {
        name: "a settlement that charges only the caller",
        statements: &[of(
            CHARGE,
            "balance_nanos - (n.value ->> 'charge')",
            "balance_nanos - iif(n.key = 0, n.value ->> 'charge', 0)",
        )],
        ..NONE
    },
    Mutant {
        name: "a settlement that leaves the key's counter of open calls",
        statements: &[of(
            "UPDATE keys SET open_holds",
            "open_holds - 1",
            "open_holds",
        )],
        ..NONE
    },
    Mutant {
        name: "a hold that is not held",
        statements: &[of(
            HOLD,
            "accounts.held_nanos + (n",
            "accounts.held_nanos + 0 * (n",
        )],
        ..NONE
    },
    Mutant {
        name: "a hold that the key's budget does not see",
        statements: &[of(
            COUNT,
            "held_nanos = held_nanos + ",
            "held_nanos = held_nanos + 0 * ",
        )],
        ..NONE
    },
    Mutant {
        name: "a hold that trusts the gate about credit",
        schema: &[(
            "CHECK (0 <= held_nanos AND held_nanos <= balance_nanos)",
            "CHECK (1)",
        )],
        ..NONE
    },
    Mutant {
        name: "a hold that trusts the gate about suspended accounts",
        statements: &[of(HOLD, "accounts.status = 'active'", "1")],
        ..NONE
    },
    Mutant {
        name: "a hold that trusts the gate about price rules",
        statements: &[of(
            HOLD,
            "p.rules_version = n.value ->> 'rules_version'",
            "1",
        )],
        ..NONE
    },
    Mutant {
        name: "a count that trusts the gate about revoked keys",
        statements: &[
            of(COUNT, "k.revoked_at_ms IS NULL", "1"),
            of(COUNT, "k.version = ", "0 < "),
        ],
        ..NONE
    },
    Mutant {
        name: "a count that trusts the gate about calls at the same time",
        statements: &[of(COUNT, "k.open_holds < ", "0 < ")],
        ..NONE
    },
    Mutant {
        name: "a count that trusts the gate about rate windows",
        statements: &[of(COUNT, "- 60) <= ", "- 60) <= 1000000000 + ")],
        ..NONE
    },
    Mutant {
        name: "a count that trusts the gate about the key's budget",
        statements: &[of(
            COUNT,
            " <= k.budget_",
            " <= 9000000000000000000 + 0 * k.budget_",
        )],
        ..NONE
    },
    Mutant {
        name: "a hold that trusts the gate about spend limits",
        statements: &[of(
            HOLD,
            " <= accounts.spend_limit_",
            " <= 9000000000000000000 + 0 * accounts.spend_limit_",
        )],
        ..NONE
    },
    Mutant {
        name: "an idempotency key that anybody can take",
        statements: &[of(
            "INSERT INTO idempotency_keys",
            "WHERE NOT (",
            "WHERE 1 OR NOT (",
        )],
        ..NONE
    },
    Mutant {
        name: "an extension that is not held",
        statements: &[of(
            GROW,
            "accounts.held_nanos + (n.value ->> 'hold') - (h.value ->> 'hold')",
            "accounts.held_nanos",
        )],
        ..NONE
    },
    Mutant {
        name: "an extension that the key's budget does not see",
        statements: &[of(
            "UPDATE keys AS k SET held_nanos",
            "k.held_nanos + ?4 - ",
            "k.held_nanos + 0 * ",
        )],
        ..NONE
    },
    Mutant {
        name: "an extension that forgets whether the hold is open",
        schema: &[RESOLVE_ONCE],
        statements: &[
            of(GROW, "AND r.state = 'held'", ""),
            of(
                "UPDATE requests SET levels = ?3, lease_until_ms",
                "AND state = 'held'",
                "",
            ),
        ],
        ..NONE
    },
    Mutant {
        name: "a window with room for one more",
        statements: &[
            of(COUNT, "- 60) <= ", "- 60) <= 1 + "),
            of(GATE, "- 60) <= ", "- 60) <= 1 + "),
        ],
        ..NONE
    },
    Mutant {
        name: "a window that forgets too early",
        statements: &[
            of(COUNT, "- 60) <= ", "- 30) <= "),
            of(GATE, "- 60) <= ", "- 30) <= "),
        ],
        ..NONE
    },
    Mutant {
        name: "a retry that does not know its own hold",
        statements: &[of(
            "SELECT (SELECT r.nonce FROM keys",
            "SELECT r.nonce",
            "SELECT -1",
        )],
        ..NONE
    },
    Mutant {
        name: "a sweep that takes holds which are leased",
        statements: &[of(
            "SELECT r.id, r.account_id",
            "r.lease_until_ms < ?1",
            "?1 = ?1",
        )],
        ..NONE
    },
    Mutant {
        name: "a mark of the sweep that passes open holds",
        statements: &[of("UPDATE sweeps", "r.state = 'held'", "r.state = 'lost'")],
        ..NONE
    },
    Mutant {
        name: "a renewal that does not move the lease",
        statements: &[of(
            "UPDATE requests SET lease_until_ms = ?3",
            "lease_until_ms = ?3",
            "lease_until_ms = min(lease_until_ms, ?3)",
        )],
        ..NONE
    },
    Mutant {
        name: "a ledger that takes the same event twice",
        schema: &[("reference TEXT NOT NULL UNIQUE", "reference TEXT NOT NULL")],
        statements: &[of(
            "INSERT INTO ledger_entries",
            "ON CONFLICT (reference) DO NOTHING",
            "",
        )],
        ..NONE
    },
    Mutant {
        name: "a credit that forgets the debt",
        statements: &[of(
            "UPDATE accounts SET balance_nanos = balance_nanos + (?2",
            "(?2 - min(debt_nanos, ?2)),\n  debt_nanos = debt_nanos - min(debt_nanos, ?2)",
            "?2",
        )],
        ..NONE
    },
    Mutant {
        name: "a credit whose sum is rounded on the way",
        statements: &[of(
            "UPDATE accounts SET balance_nanos = balance_nanos + (?2",
            "(?2 - min(debt_nanos, ?2))",
            "?2 - min(debt_nanos, ?2)",
        )],
        ..NONE
    },
    Mutant {
        name: "a true-up that may happen twice",
        schema: &[("OLD.trued_up_at_ms IS NOT NULL OR", "")],
        statements: &[
            of(
                "DELETE FROM true_ups",
                "DELETE FROM true_ups WHERE",
                "UPDATE true_ups SET attempts = attempts WHERE",
            ),
            of(
                "UPDATE requests SET outcome",
                "AND trued_up_at_ms IS NULL",
                "",
            ),
        ],
        ..NONE
    },
    Mutant {
        name: "a true-up that takes what is held",
        statements: &[of(
            "INSERT INTO ledger_entries",
            "balance_nanos - held_nanos",
            "balance_nanos",
        )],
        ..NONE
    },
    Mutant {
        name: "a clawback that takes what is held",
        statements: &[of(
            "UPDATE accounts SET balance_nanos = balance_nanos - min",
            "balance_nanos - held_nanos",
            "balance_nanos",
        )],
        ..NONE
    },
];
