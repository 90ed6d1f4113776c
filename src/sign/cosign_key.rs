//! Private keys as `cosign generate-key-pair` writes them: PKCS #8 in NaCl's secretbox, its key drawn from a password by scrypt
//! (github.com/secure-systems-lab/go-securesystemslib, `encrypted`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use serde::Deserialize;

use super::key::SigningKeyError;

/// Highest cost that is worked for: 16 times what cosign writes, 128 MB of memory a million.
const MOST_COST: u64 = 1 << 20;
/// Of block size and parallelism.
const MOST_BLOCKS: u32 = 16;

#[derive(Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "N")]
    cost: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// The PKCS #8 key inside.
pub(super) fn open(sealed: &[u8], password: &str) -> Result<Vec<u8>, SigningKeyError> {
    let damaged = || SigningKeyError::WrongPassword;
    let unknown = |what: String| SigningKeyError::UnknownEncryption(crate::model::escape_control(&what).into_owned());
    let Sealed { kdf, cipher, ciphertext } = serde_json::from_slice(sealed).map_err(|_| damaged())?;
    if kdf.name != "scrypt" || cipher.name != "nacl/secretbox" {
        return Err(unknown(format!("{} and {}", kdf.name, cipher.name)));
    }
    let Params { cost, r, p } = kdf.params;
    let costly = || unknown(format!("scrypt with N = {cost}, r = {r}, p = {p}"));
    if !cost.is_power_of_two() || cost > MOST_COST || r > MOST_BLOCKS || p > MOST_BLOCKS {
        return Err(costly());
    }
    let log_cost = u8::try_from(cost.trailing_zeros()).map_err(|_| costly())?;
    let params = scrypt::Params::new(log_cost, r, p, Key::default().len()).map_err(|_| costly())?;
    let [salt, nonce, ciphertext] = [kdf.salt, cipher.nonce, ciphertext].map(|text| STANDARD.decode(text).map_err(|_| damaged()));
    let nonce: [u8; 24] = nonce?.try_into().map_err(|_| damaged())?;
    let mut key = Key::default();
    scrypt::scrypt(password.as_bytes(), &salt?, &params, &mut key).map_err(|_| costly())?;
    XSalsa20Poly1305::new(&key).decrypt(Nonce::from_slice(&nonce), ciphertext?.as_slice()).map_err(|_| damaged())
}
