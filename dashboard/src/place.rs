//! Who is where: the site that the host names, and the person who signed in. A handler's argument says
//! whom the route list let in, so that a page for sellers cannot be reached with a buyer's session.

use std::ops::Deref;

use tollgate_core::audit::Change;
use tollgate_core::brand::Site;
use tollgate_core::ids::AccountId;
use tollgate_core::sign_in::{FormToken, Session, Token};

use crate::language::Language;
use crate::visit::Visit;

/// A site, and what its forms carry.
#[derive(Clone, Debug)]
pub struct Place {
    /// The site.
    pub site: Site,
    /// What every form carries; none before the browser has a cookie.
    pub csrf: Option<FormToken>,
    /// The token of a browser in which nobody signed in yet.
    pub browser: Option<Token>,
}

impl Place {
    /// A site as this browser sees it.
    pub const fn new(site: Site, csrf: Option<FormToken>, browser: Option<Token>) -> Self {
        Self {
            site,
            csrf,
            browser,
        }
    }

    /// The same for a browser that gets another token now.
    pub fn with_browser(&self, browser: Token) -> Self {
        let known = self.browser.as_ref().map(FormToken::of);
        // The forms of who is signed in carry the session's token all the same.
        let csrf = self
            .csrf
            .clone()
            .filter(|csrf| Some(csrf) != known.as_ref());
        Self {
            site: self.site.clone(),
            csrf: csrf.or_else(|| Some(FormToken::of(&browser))),
            browser: Some(browser),
        }
    }

    /// The hidden field of forms.
    pub fn csrf(&self) -> &str {
        self.csrf.as_ref().map_or("", FormToken::as_str)
    }
}

/// Somebody who signed in.
#[derive(Clone, Debug)]
pub struct Person {
    /// Where.
    pub place: Place,
    /// The session's token, which is in the cookie.
    pub token: Token,
    /// Who it is.
    pub session: Session,
}

impl Person {
    /// A session at a site.
    pub const fn new(place: Place, token: Token, session: Session) -> Self {
        Self {
            place,
            token,
            session,
        }
    }

    /// The account whose pages these are.
    pub const fn account(&self) -> &AccountId {
        &self.session.account
    }

    /// The language of the pages.
    pub fn language(&self) -> Language {
        Language::of_tag(&self.session.language)
    }

    /// A change of the person's, as the audit log of the person's account has it.
    pub fn change(&self, visit: &Visit) -> Change {
        self.change_of(self.account(), visit)
    }

    /// The same in the audit log of another account, such as a customer's.
    pub fn change_of(&self, account: &AccountId, visit: &Visit) -> Change {
        Change {
            account: account.clone(),
            actor: format!("person:{}", self.session.person),
            at_ms: visit.now_ms,
        }
    }
}

macro_rules! role {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Person);

        impl Deref for $name {
            type Target = Person;

            fn deref(&self) -> &Person {
                &self.0
            }
        }
    };
}

role!(
    /// Who has a wallet: an end user or a reseller.
    Buyer
);
role!(
    /// Who has customers: a reseller or the operator.
    Seller
);
role!(
    /// The operator.
    Operator
);
