//! PEM (RFC 7468), as people's files have it: several blocks, text around them, lines of any length.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::escape_control;

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// What it says that it is.
    pub(super) label: String,
    /// Its bytes.
    pub(super) der: Vec<u8>,
}

/// Why a text is not PEM that can be used. Never shows any of its content but labels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It holds a private key.
    #[error("it holds a private key, which does not belong here: name the file of the public key, and see who could read this one")]
    PrivateKey,
    /// It is DER.
    #[error("it looks like DER and not like PEM: convert it (openssl … -inform DER)")]
    Der,
    /// It is a key of SSH.
    #[error("it is a key in the form of OpenSSH: convert it (ssh-keygen -e -m PKCS8 -f FILE)")]
    Ssh,
    /// It is a key of minisign or signify.
    #[error("it is a key of minisign or signify, which sign in another form")]
    Minisign,
    /// It is JSON, a JWK perhaps.
    #[error("it is JSON and not PEM")]
    Json,
    /// There is no block in it.
    #[error("there is no PEM block in it (-----BEGIN … on a line of its own)")]
    NoBlock,
    /// A block does not end.
    #[error("the block {0:?} does not end with its own -----END line")]
    Unfinished(String),
    /// What is in a block is not Base64.
    #[error("the block {0:?} is not Base64")]
    NotBase64(String),
}

/// The blocks of a text, in their order; never none.
pub(super) fn blocks(bytes: &[u8]) -> Result<Vec<Block>, PemError> {
    // Before all else, and however broken the rest is.
    if contains(bytes, b"PRIVATE KEY") {
        return Err(PemError::PrivateKey);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| if bytes.first() == Some(&0x30) { PemError::Der } else { PemError::NoBlock })?;
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) else { continue };
        let end = format!("-----END {label}-----");
        let shown = || escape_control(label).into_owned();
        let mut body = String::new();
        loop {
            match lines.next() {
                Some(line) if line == end => break,
                Some(line) if !line.starts_with("-----") => body.extend(line.chars().filter(|letter| !letter.is_ascii_whitespace())),
                _ => return Err(PemError::Unfinished(shown())),
            }
        }
        let der = STANDARD.decode(body).map_err(|_| PemError::NotBase64(shown()))?;
        blocks.push(Block { label: label.to_owned(), der });
    }
    if blocks.is_empty() { Err(instead(text.trim())) } else { Ok(blocks) }
}

/// What a text without a block may be.
fn instead(text: &str) -> PemError {
    match text {
        "" => PemError::Empty,
        _ if text.starts_with(['{', '[']) => PemError::Json,
        _ if text.starts_with("ssh-") || text.starts_with("ecdsa-sha2-") || text.starts_with("sk-") => PemError::Ssh,
        _ if text.starts_with("untrusted comment:") => PemError::Minisign,
        _ if text.starts_with('0') && text.chars().any(char::is_control) => PemError::Der,
        _ => PemError::NoBlock,
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
