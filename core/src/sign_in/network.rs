//! The network that a request came from, for limits: an IPv4 address, or the /64 of an IPv6 address,
//! which one household or server has to itself.

use core::net::{IpAddr, Ipv6Addr};

use hmac::Mac;

use crate::mac::hmac_sha256;

/// A network, hashed under a secret of the Worker's: there are few enough addresses to try them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkHash([u8; 32]);

impl NetworkHash {
    /// The network of an address as the runtime names it. What is no address is a network of its own.
    #[must_use]
    pub fn of(address: &str, secret: &[u8; 32]) -> Self {
        let network = match address.trim().parse::<IpAddr>().map(|ip| ip.to_canonical()) {
            Ok(IpAddr::V4(address)) => address.to_string(),
            Ok(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
            }
            Err(_) => "unknown".to_owned(),
        };
        let mut mac = hmac_sha256(secret, "network");
        mac.update(network.as_bytes());
        Self(mac.finalize().into_bytes().into())
    }

    /// The bytes that the database keeps.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_holds_for_a_household_and_not_for_its_neighbours() {
        let check = |one: &str, other: &str, same: bool| {
            let secret = [5; 32];
            let equal = NetworkHash::of(one, &secret) == NetworkHash::of(other, &secret);
            assert_eq!(equal, same, "{one} {other}");
        };
        check("192.0.2.1", "192.0.2.1", true);
        check("192.0.2.1", " 192.0.2.1 ", true);
        check("192.0.2.1", "192.0.2.2", false);
        check("192.0.2.1", "::ffff:192.0.2.1", true);
        check("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true);
        check("2001:db8:1:2::1", "2001:0DB8:0001:0002::9", true);
        check("2001:db8:1:2::1", "2001:db8:1:3::1", false);
        check("", "unknown", true);
        check("", "192.0.2.1", false);
        let ours = NetworkHash::of("192.0.2.1", &[5; 32]);
        assert_ne!(ours, NetworkHash::of("192.0.2.1", &[6; 32]));
    }
}
