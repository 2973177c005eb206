//! How a seller changes what its pages look like and under which hosts they are found. Which brand a host
//! shows is in `brand`. Nothing here is fetched from anywhere: a logo is uploaded, and an address is text.

mod color;
mod domain;
mod edit;
mod logo;

pub use color::{Color, ColorProblem};
pub use domain::{
    DomainLine, DomainProblem, Host, MAX_DOMAINS, RequestDomainBatch, Requested, domains_statement,
    read_domain_line, remove_domain, request_domain, verify_domain,
};
pub use edit::{BrandEdit, BrandInput, BrandProblem, StoredLogo, logo_statement, read_logo};
pub use logo::{Logo, LogoProblem, LogoType, MAX_LOGO_BYTES};
