//! A seller's brand and hosts: stored as they were given, shown once they are verified, and nobody else's
//! to change.

use tollgate_core::audit::Changed;
use tollgate_core::brand::{
    BrandInput, DomainLine, Host, Logo, LogoType, MAX_DOMAINS, Requested, StoredLogo,
    domains_statement, logo_statement, read_domain_line, read_logo, remove_domain, request_domain,
    verify_domain,
};
use tollgate_core::brand::{Site, brand_statement, read_brand, read_site, site_statement};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::limits::Limits;

use crate::world::World;

/// A picture of one pixel.
const WEBP: &[u8] =
    b"RIFF\x1c\0\0\0WEBPVP8L\x0f\0\0\0/\0\0\0\0\x07\x10\xfd\x8f\xfe\x07\"\xa2\xff\x01\0";

fn edit(world: &World, account: &AccountId, (name, color): (&str, &str)) -> Changed {
    let input = BrandInput {
        name,
        color,
        support_url: "https://help.example",
    };
    let edit = input.read().unwrap();
    world.made(&edit.to_batch(account, &world.by(account)))
}

fn logo(world: &World, account: &AccountId) -> Option<StoredLogo> {
    let reply = world.database.run(logo_statement(account));
    reply.rows(0).first().map(|row| read_logo(row).unwrap())
}

fn site(world: &World, host: &str) -> Option<Site> {
    let reply = world.database.run(site_statement(host));
    reply.rows(0).first().map(|row| read_site(row).unwrap())
}

fn ask(world: &World, account: &AccountId, host: &str) -> Requested {
    let host = Host::parse(host).unwrap();
    let request = request_domain(account, &host, &world.by(account));
    request.read(&world.database.execute(request.batch()))
}

fn hosts(world: &World, account: &AccountId, everybody: bool) -> Vec<DomainLine> {
    let reply = world.database.run(domains_statement(account, everybody));
    let rows = reply.rows(0).iter();
    rows.map(|row| read_domain_line(row).unwrap()).collect()
}

#[test]
fn a_brand_shows_under_a_host_as_soon_as_the_operator_verified_it() {
    let world = World::new();
    let (seller, operator) = (&world.reseller, &world.operator);
    assert_eq!(edit(&world, seller, ("Shop", "#C00000")), Changed::Now);
    assert_eq!(ask(&world, seller, "Shop.Example"), Requested::Now);
    assert_eq!(ask(&world, seller, "shop.example"), Requested::Before);
    assert_eq!(site(&world, "shop.example"), None);
    let waiting = hosts(&world, operator, true).remove(0);
    assert_eq!(
        (waiting.host.as_str(), &waiting.account),
        ("shop.example", seller)
    );
    assert_eq!(waiting.verified_at_ms, None);
    // Seen on a page as somebody else's, who gave it up in the meantime.
    let another = verify_domain(operator, ("shop.example", operator), &world.by(operator));
    assert_eq!(world.made(&another), Changed::NotFound);
    assert_eq!(site(&world, "shop.example"), None);
    let verify = verify_domain(operator, ("shop.example", seller), &world.by(operator));
    assert_eq!(world.made(&verify), Changed::Now);
    assert_eq!(world.made(&verify), Changed::Refused);
    let shown = site(&world, "shop.example").unwrap();
    assert_eq!(
        (&shown.seller, shown.origin.as_str()),
        (seller, "https://shop.example")
    );
    let brand = (shown.brand.name.as_str(), shown.brand.color.as_str());
    assert_eq!(brand, ("Shop", "#c00000"));
    assert_eq!(
        shown.brand.support_url.as_deref(),
        Some("https://help.example")
    );
    let remove = remove_domain(seller, "shop.example", &world.by(seller));
    assert_eq!(world.made(&remove), Changed::Now);
    assert_eq!(site(&world, "shop.example"), None);
    let log = "SELECT group_concat(action || ' ' || subject, ', ') FROM \
               (SELECT action, subject FROM audit_log WHERE actor = 'person:per_ada' ORDER BY id)";
    let log: String = world.row(Statement::new(log)).get(0).unwrap();
    let expect = format!(
        "brand.edit {seller}, domain.request shop.example, domain.verify shop.example, \
         domain.remove shop.example"
    );
    assert_eq!(log, expect);
}

#[test]
fn a_seller_sees_its_own_brand_before_it_has_a_host() {
    let world = World::new();
    let own = |account: &AccountId| {
        let reply = world.database.run(brand_statement(account));
        reply.rows(0).first().map(|row| read_brand(row).unwrap())
    };
    let seller = &world.reseller;
    let unset = own(seller).unwrap();
    assert_eq!((unset.color.as_str(), unset.updated_at_ms), ("#2563eb", 0));
    assert_eq!(edit(&world, seller, ("Shop", "#c00000")), Changed::Now);
    let set = own(seller).unwrap();
    assert_eq!((set.name.as_str(), set.color.as_str()), ("Shop", "#c00000"));
    assert!(!set.has_logo);
    assert_eq!(own(&AccountId::from_random([9; 10])), None);
}

#[test]
fn a_logo_is_stored_replaced_and_taken_away() {
    let world = World::new();
    let seller = &world.reseller;
    let change = world.by(seller);
    let picture = Logo::read(WEBP.to_vec()).unwrap();
    let store = picture.to_batch(seller, &change);
    assert_eq!(world.made(&store), Changed::Refused);
    assert_eq!(edit(&world, seller, ("Shop", "#2563eb")), Changed::Now);
    let named = |world: &World| -> i64 {
        let select = "SELECT updated_at_ms FROM brands WHERE account_id = ?1";
        world
            .row(Statement::new(select).bind(seller.as_str()))
            .get(0)
            .unwrap()
    };
    let before = named(&world);
    assert_eq!(world.made(&store), Changed::Now);
    assert!(named(&world) > before);
    let stored = logo(&world, seller).unwrap();
    assert_eq!((&stored.bytes[..], stored.format), (WEBP, LogoType::WebP));
    // Another name leaves the logo.
    assert_eq!(edit(&world, seller, ("Store", "#2563eb")), Changed::Now);
    assert_eq!(logo(&world, seller), Some(stored));
    assert_eq!(world.made(&Logo::removal(seller, &change)), Changed::Now);
    assert_eq!(logo(&world, seller), None);
    let log = "SELECT group_concat(before || after, ' ') FROM \
               (SELECT before, after FROM audit_log WHERE action = 'brand.logo' ORDER BY id)";
    let log: String = world.row(Statement::new(log)).get(0).unwrap();
    let expect = r#"{"type":null,"bytes":null}{"bytes":36,"type":"image/webp"} {"type":"image/webp","bytes":36}{}"#;
    assert_eq!(log, expect);
}

#[test]
fn a_host_belongs_to_who_asked_first_and_nobody_has_many() {
    let world = World::new();
    let other = world.new_reseller(0, 0);
    let seller = &world.reseller;
    for number in 1..=MAX_DOMAINS {
        assert_eq!(
            ask(&world, seller, &format!("shop{number}.example")),
            Requested::Now
        );
    }
    assert_eq!(ask(&world, seller, "shop9.example"), Requested::TooMany);
    assert_eq!(ask(&world, seller, "shop1.example"), Requested::Before);
    assert_eq!(ask(&world, &other, "shop1.example"), Requested::Taken);
    assert_eq!(hosts(&world, &other, false), []);
    assert_eq!(hosts(&world, seller, false).len(), 5);
}

#[test]
fn nobody_changes_the_brand_or_hosts_of_another() {
    let world = World::new();
    let other = world.new_reseller(0, 0);
    let customer = world.caller(&world.reseller, 0, Limits::default()).account;
    assert_eq!(ask(&world, &other, "other.example"), Requested::Now);
    assert_eq!(
        edit(&world, &customer, ("Me", "#000000")),
        Changed::NotFound
    );
    assert_eq!(ask(&world, &customer, "me.example"), Requested::Impossible);
    for outsider in [&world.reseller, &customer, &other] {
        let verify = verify_domain(outsider, ("other.example", &other), &world.by(outsider));
        assert_eq!(world.made(&verify), Changed::NotFound);
        assert_eq!(hosts(&world, outsider, true), []);
        if outsider != &other {
            let remove = remove_domain(outsider, "other.example", &world.by(outsider));
            assert_eq!(world.made(&remove), Changed::NotFound);
            assert_eq!(hosts(&world, outsider, false), []);
        }
    }
    let nobody = remove_domain(&other, "nobody.example", &world.by(&other));
    assert_eq!(world.made(&nobody), Changed::NotFound);
    // The operator may take away anybody's.
    let remove = remove_domain(&world.operator, "other.example", &world.by(&world.operator));
    assert_eq!(world.made(&remove), Changed::Now);
    assert_eq!(hosts(&world, &world.operator, true), []);
}
