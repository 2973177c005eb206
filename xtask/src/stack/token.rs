//! The credential of the local database: a key pair made once per state directory, and a token
//! signed with it. Without the token nobody on this machine can open the database.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};

use crate::failure::{Failure, OrFail};
use crate::repo::write_whole;

/// The key of this state directory, made when it is first asked for.
pub fn signing_key(state: &Path) -> Result<SigningKey, Failure> {
    let file = state.join("database.key");
    if let Ok(bytes) = fs::read(&file)
        && let Ok(seed) = bytes.try_into()
    {
        return Ok(SigningKey::from_bytes(&seed));
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).or_fail(|| "there are no random numbers".to_owned())?;
    write_whole(&file, &seed)?;
    Ok(SigningKey::from_bytes(&seed))
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
