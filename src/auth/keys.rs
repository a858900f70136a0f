//! The keys that check tokens: where they are read, and the secret that we make ourselves.

use std::{fs, io, path::Path};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, JwkSet},
};
use sha2::{Digest, Sha256};

/// A key that can check tokens of one algorithm only, so that no token chooses how its key is read.
pub(super) struct VerifyingKey {
    pub algorithm: Algorithm,
    pub id: Option<String>,
    pub decoding: DecodingKey,
    /// Whether it checks tokens of built-in accounts, and no others.
    pub is_accounts: bool,
}

/// The file in the data folder that holds the secret that we made.
pub(super) const SECRET_FILE: &str = "jwt-secret";

/// An Ed25519, P-256 or RSA key, whichever the file holds.
pub(super) fn pem_key(pem: &[u8]) -> Option<VerifyingKey> {
    // A private key would do as well, and must not lie around here.
    if !String::from_utf8_lossy(pem).contains("PUBLIC KEY") {
        return None;
    }
    let candidates = [
        (Algorithm::EdDSA, DecodingKey::from_ed_pem(pem)),
        (Algorithm::ES256, DecodingKey::from_ec_pem(pem)),
        (Algorithm::RS256, DecodingKey::from_rsa_pem(pem)),
    ];
    candidates.into_iter().find_map(|(algorithm, key)| {
        Some(VerifyingKey {
            algorithm,
            id: None,
            decoding: key.ok()?,
            is_accounts: false,
        })
    })
}

pub(super) fn jwks_keys(path: &Path) -> Result<Vec<VerifyingKey>, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let set: JwkSet = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let keys: Vec<VerifyingKey> = set
        .keys
        .iter()
        .filter_map(|jwk| {
            let algorithm = match &jwk.algorithm {
                AlgorithmParameters::RSA(_) => Algorithm::RS256,
                AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                    Algorithm::ES256
                }
                AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                    Algorithm::EdDSA
                }
                _ => return None,
            };
            Some(VerifyingKey {
                algorithm,
                id: jwk.common.key_id.clone(),
                decoding: DecodingKey::from_jwk(jwk).ok()?,
                is_accounts: false,
            })
        })
        .collect();
    if keys.is_empty() {
        Err("holds no key for RS256, ES256 or EdDSA".to_owned())
    } else {
        Ok(keys)
    }
}

/// The secret in the data folder, made on the first start.
pub(super) fn kept_secret(data_dir: &Path) -> io::Result<String> {
    let path = data_dir.join(SECRET_FILE);
    match fs::read_to_string(&path) {
        Ok(secret) if secret.trim().len() >= 32 => return Ok(secret.trim().to_owned()),
        Ok(_) => {
            return Err(io::Error::other(
                "is shorter than 32 bytes; delete it to have a new one made",
            ));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    fs::create_dir_all(data_dir)?;
    let secret = random_secret();
    write_private(&path, &secret)?;
    tracing::warn!(
        path = %path.display(),
        "no jwt_secret is set: a random one was made and kept in the data folder, and users can make accounts (setting `accounts`)"
    );
    Ok(secret)
}

/// What signs the tokens of built-in accounts. Not the secret itself: an application that shares it would take anyone who
/// made an account here for a user of its own.
pub(super) fn accounts_secret(secret: &str) -> String {
    let mut digest = Sha256::new_with_prefix("confab accounts\0");
    digest.update(secret);
    hex(&digest.finalize())
}

/// 256 random bits, in hexadecimal.
pub(crate) fn random_secret() -> String {
    hex(&rand::random::<[u8; 32]>())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
