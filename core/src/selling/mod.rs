//! What sellers do: the operator and resellers set prices, look after their customers and see what
//! they earn. Every statement names the seller, and reaches only the accounts right below it. How a
//! call is priced is in `pricing`, how credit moves in `ledger`.

mod customer;
mod customers;
mod draft;
mod market;
mod overlap;
mod reseller;
mod revenue;
mod rules;

pub use customer::{
    Customer, CustomerBatch, CustomerPerson, Gift, GiftProblem, MAX_GIFT, MAX_REASON,
    customer_batch, limit_customer, limit_spending, read_gift, suspend_customer,
};
pub use customers::{CustomerLine, CustomerOrder, CustomersQuery, SPEND_DAYS, read_customer_line};
pub use draft::{MAX_MIN_CHARGE, MAX_PRIORITY, RuleDraft, RuleInput, RuleProblem};
pub use market::{Market, MarketBatch, MarketQuery, PreviewLine, preview};
pub use overlap::{Extent, Overlap, overlaps};
pub use reseller::{MAX_ACCOUNT_NAME, NewSeller, TakeInBatch, TakenIn};
pub use revenue::{
    CustomerEarnings, DayCharges, Days, EXPORT_HEADER, Earnings, ExportLine, MAX_DAYS,
    MOST_EARNERS, Revenue, RevenueBatch, export_statement, read_export_line, revenue_batch,
};
pub use rules::{
    MAX_LIVE_RULES, RuleLine, SaveBatch, Saved, end_rule, ended_rules_statement,
    live_rules_statement, read_rule_line, save_rule,
};
