//! What a seller's pages look like and under which hosts they are found: which site a host shows, and how a
//! seller and the operator change that. Nothing here is fetched from anywhere: a logo is uploaded, and an address is text.

mod color;
mod domain;
mod edit;
mod logo;
mod own_domain;
mod site;

pub use color::{Color, ColorProblem};
pub use domain::{
    DomainLine, DomainProblem, Host, MAX_DOMAINS, RequestDomainBatch, Requested, domains_statement,
    read_domain_line, remove_domain, request_domain, verify_domain,
};
pub use edit::{BrandEdit, BrandInput, BrandProblem, StoredLogo, logo_statement, read_logo};
pub use logo::{Logo, LogoProblem, LogoType, MAX_LOGO_BYTES};
pub use own_domain::NewDomain;
pub use site::{Brand, Site, brand_statement, read_brand, read_site, site_statement};
