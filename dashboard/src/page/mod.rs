//! The design system: what every page is made of. Functions from values to HTML, without I/O, time or
//! chance; `maud` escapes what they are given. What a page says and does is its feature's, not here.

mod chart;
mod color;
mod content;
mod control;
mod days;
mod field;
mod form;
mod frame;
#[cfg(test)]
mod gallery;
mod icon;
mod money;
mod ranking;
mod table;
mod when;

pub use chart::day_bars;
pub use color::color_sheet;
pub use content::{
    Direction, Kind, Stat, Tab, Trend, alert, alert_with, badge, busy, card, card_with, code_block,
    copy_box, definition_list, empty_state, live_region, page_head, stat, tabs, tiles,
};
pub use control::{ButtonForm, Confirm, Tone, button_form, link_button, submit};
pub use days::{Days, Series};
pub use field::{Choice, Field};
pub use form::{filter_form, form, upload_form};
pub use frame::{Brand, Entry, Flash, Frame, Nav, door, frame};
pub use icon::Icon;
pub use money::{count, exact_money, exact_signed_money, money, percent, share, signed_money, usd};
pub use ranking::{Rank, ranking, sparkline};
pub use table::{Column, Table, forward, pager, rows, table};
pub use when::{Zone, ago, date_text, day, moment};

#[cfg(test)]
mod tests;
