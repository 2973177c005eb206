//! How people prove who they are: codes by e-mail, one-time links, GitHub, a second factor, and the
//! sessions that follow. Only hashes of what browsers and mailboxes hold are stored, and every proof
//! is used up by the transaction that accepts it. Cookies, mails and requests belong to the dashboard.

mod agent;
mod arrival;
mod code;
mod ending;
mod github;
mod github_answers;
mod known_browser;
mod link;
mod network;
mod next;
mod proof;
mod second_factor;
mod session;
mod token;
mod totp;

pub use agent::describe_agent;
pub use arrival::{NewSession, Newcomer, Refusal, SignIn, SignInBatch, SignedIn};
pub use code::{AskForCode, Asked, Attempt, CODE_MS, Code, EnterCode, PendingCode};
pub use ending::{
    SessionLine, cleanup_batch, end_session, read_session_line, sessions_statement,
    sign_out_everywhere, sign_out_statement,
};
pub use github::{BackFromGithub, GithubTrip, GoToGithub, SignInWithGithub};
pub use github_answers::{
    GithubUser, access_token_form, read_access_token, read_primary_email, read_user,
};
pub use known_browser::KnownBrowser;
pub use link::{NewLink, UseLink};
pub use network::NetworkHash;
pub use next::LocalPath;
pub use second_factor::{
    GiveSecondFactor, SecondFactorTry, SetUpSecondFactor, TryBatch, TrySecondFactor,
    remove_second_factor,
};
pub use session::{SecondFactor, Session, Visit, VisitBatch, Visitor, touch_statement};
pub use token::{FormToken, Token, TokenHash};
pub use totp::TotpSecret;
