//! Signatures: HMAC-SHA-256 over raw bytes, by any of several secrets. In: what was signed and what a header says. Out: whether
//! one of our secrets made it. The comparison takes the same time wherever it fails, and the length is looked at first.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use hyper::HeaderMap;
use sha2::{Digest, Sha256};

use crate::config::secret::Secret;

/// Bytes of a signature.
const SIGNATURE_BYTES: usize = 32;
/// Characters of one in Base64, with its padding.
const BASE64_LENGTH: usize = 44;
/// The fewest bytes of a secret.
pub const SECRET_BYTES_MIN: usize = 16;

/// The secrets that may sign: at least one, none of them short.
#[derive(Clone, Debug)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// Secrets: several while one is changed for another.
    ///
    /// # Errors
    /// No secret, or one that is empty or short; the message does not repeat it.
    pub fn new(secrets: Vec<Secret>) -> Result<Self, String> {
        if secrets.is_empty() {
            return Err("`secret` names none, so nothing could be proven".to_owned());
        }
        for secret in &secrets {
            let length = secret.expose().trim().len();
            if length == 0 {
                return Err("a secret is empty: anyone could sign with it".to_owned());
            }
            if length < SECRET_BYTES_MIN {
                return Err(format!(
                    "a secret has {length} bytes, which can be guessed; take {SECRET_BYTES_MIN} at least, such as \
                     `openssl rand -hex 32` makes them"
                ));
            }
        }
        Ok(Secrets(secrets))
    }

    /// Whether one of the secrets signed the parts, one after the other. All are tried, whichever fits.
    fn made(&self, parts: &[&[u8]], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        let mut fits = false;
        for secret in &self.0 {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
                .expect("HMAC takes keys of any length");
            for part in parts {
                mac.update(part);
            }
            fits |= mac.verify_slice(signature).is_ok();
        }
        fits
    }

    /// Whether a header in Base64, with padding, signs the parts.
    pub fn base64(&self, parts: &[&[u8]], header: &[u8]) -> bool {
        if header.len() != BASE64_LENGTH {
            return false;
        }
        STANDARD
            .decode(header)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .is_some_and(|signature| self.made(parts, &signature))
    }

    /// Whether a header in lower-case hexadecimal digits signs the parts.
    pub fn hex(&self, parts: &[&[u8]], header: &[u8]) -> bool {
        unhex(header).is_some_and(|signature| self.made(parts, &signature))
    }
}

/// 64 lower-case digits. Upper-case ones are no second way to write the same signature.
fn unhex(text: &[u8]) -> Option<[u8; SIGNATURE_BYTES]> {
    if text.len() != 2 * SIGNATURE_BYTES {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; SIGNATURE_BYTES];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// The one value of a header; nothing where it is missing, empty or given twice.
pub fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.as_bytes();
    (values.next().is_none() && !value.is_empty()).then_some(value)
}

/// A name for bytes: 32 hexadecimal digits of their digest.
pub fn name_of(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        // Lengths keep apart what would else run together.
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut name = String::with_capacity(32);
    for byte in digest.finalize().iter().take(16) {
        for nibble in [byte >> 4, byte & 15] {
            name.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is a digit"));
        }
    }
    name
}
