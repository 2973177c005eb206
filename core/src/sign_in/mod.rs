//! How people prove who they are: codes by e-mail, one-time links, GitHub, a second factor, and the
//! sessions that follow. Only hashes of what browsers and mailboxes hold are stored, and every proof
//! is used up by the transaction that accepts it. Cookies, mails and requests belong to the dashboard.

mod arrival;
mod code;
mod link;
mod network;
mod next;
mod session;
mod token;

pub use arrival::{NewSession, Newcomer, Refusal, SignIn, SignInBatch, SignedIn};
pub use code::{AskForCode, Asked, CODE_MS, Code, EnterCode, PendingCode};
pub use link::{NewLink, UseLink};
pub use network::NetworkHash;
pub use next::LocalPath;
pub use session::{SecondFactor, Session, Visit, VisitBatch, Visitor, touch_statement};
pub use token::{FormToken, Token, TokenHash};
