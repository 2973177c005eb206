//! HMAC under keys of 32 bytes, which cannot fail: a key shorter than the hash's block is taken as it
//! is, with zeros after it (RFC 2104).

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// An HMAC-SHA256 that has taken the purpose; what it is about follows. One key then serves many
/// purposes. A purpose has no NUL in it.
pub(crate) fn hmac_sha256(key: &[u8; 32], purpose: &str) -> Hmac<Sha256> {
    let mut block = [0; 64];
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    let mut mac = <Hmac<Sha256> as Mac>::new(&block.into());
    mac.update(purpose.as_bytes());
    mac.update(b"\0");
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_32_bytes_is_the_key_of_the_standard() {
        let mut standard = <Hmac<Sha256> as Mac>::new_from_slice(&[7; 32]).unwrap();
        standard.update(b"form\0text");
        let mut ours = hmac_sha256(&[7; 32], "form");
        ours.update(b"text");
        assert!(ours.finalize() == standard.finalize());
    }
}
