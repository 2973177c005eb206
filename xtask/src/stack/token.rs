//! The secrets of a state directory, made once: the key pair of the local database with a token signed by
//! it, without which nobody on this machine can open the database, and the key that seals secrets in it.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};

use crate::failure::{Failure, OrFail};
use crate::repo::write_whole;

/// The key of this state directory, made when it is first asked for.
pub fn signing_key(state: &Path) -> Result<SigningKey, Failure> {
    Ok(SigningKey::from_bytes(&secret(
        &state.join("database.key"),
    )?))
}

/// The setting `SEALING_KEYS` of this state directory.
pub fn sealing_keys(state: &Path) -> Result<String, Failure> {
    let key = secret(&state.join("sealing.key"))?;
    Ok(format!("local:{}", STANDARD.encode(key)))
}

/// The 32 bytes of a file, drawn when they are first asked for.
fn secret(file: &Path) -> Result<[u8; 32], Failure> {
    if let Ok(bytes) = fs::read(file)
        && let Ok(secret) = bytes.try_into()
    {
        return Ok(secret);
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).or_fail(|| "there are no random numbers".to_owned())?;
    write_whole(file, &secret)?;
    Ok(secret)
}

/// The public key as sqld reads it: base64 for URLs.
pub fn public_key(key: &SigningKey) -> String {
    URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes())
}

/// A token that may read and write and does not expire: it dies with the state directory.
pub fn issue(key: &SigningKey) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#);
    let claims = URL_SAFE_NO_PAD.encode(r#"{"a":"rw"}"#);
    let signed = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).to_bytes());
    format!("{signed}.{signature}")
}
