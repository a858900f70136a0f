//! The keys that check tokens: where they are read, and the secret that we make ourselves.
//!
//! There may be several at a time, so that one can be replaced while tokens of the one before are still about. Those in
//! files are looked at again and again, since whoever replaces them cannot stop the server for it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use jsonwebtoken::{
    Algorithm, DecodingKey, Header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use parking_lot::RwLock;
use sha2::{Digest, Sha256};

use crate::config::Config;

/// A key that can check tokens of one algorithm only, so that no token chooses how its key is read.
pub(super) struct VerifyingKey {
    pub algorithm: Algorithm,
    pub id: Option<String>,
    pub decoding: DecodingKey,
    /// Whether it checks tokens of built-in accounts, and no others.
    pub is_accounts: bool,
    /// Where it is from, in words.
    pub origin: String,
}

impl VerifyingKey {
    fn of_secret(secret: &str, is_accounts: bool, origin: String) -> Self {
        Self {
            algorithm: Algorithm::HS256,
            id: None,
            decoding: DecodingKey::from_secret(secret.as_bytes()),
            is_accounts,
            origin,
        }
    }

    /// Whether a token with this head may be signed by it. Who names a key means that one.
    pub fn fits(&self, header: &Header) -> bool {
        self.algorithm == header.alg
            && (self.id.is_none() || header.kid.is_none() || self.id == header.kid)
    }
}

/// The file in the data folder that holds the secret that we made.
const SECRET_FILE: &str = "jwt-secret";

/// The keys in force.
pub(super) struct KeyRing {
    /// Of the settings.
    fixed: Vec<Arc<VerifyingKey>>,
    files: Vec<KeyFile>,
    state: RwLock<State>,
}

struct State {
    /// Those of the files, then the others.
    keys: Arc<[Arc<VerifyingKey>]>,
    /// What was in the files.
    read: Vec<Vec<u8>>,
    /// What is wrong with them now.
    problem: Option<String>,
}

struct KeyFile {
    path: PathBuf,
    /// The setting that names it.
    setting: &'static str,
    parse: fn(&[u8], &str) -> Result<Vec<VerifyingKey>, String>,
}

impl KeyFile {
    fn read(&self) -> Result<Vec<u8>, String> {
        fs::read(&self.path).map_err(|error| format!("{}: {error}", self.name()))
    }

    fn parse(&self, content: &[u8]) -> Result<Vec<VerifyingKey>, String> {
        let name = self.name();
        (self.parse)(content, &name).map_err(|error| format!("{name}: {error}"))
    }

    fn name(&self) -> String {
        format!("{} {}", self.setting, self.path.display())
    }
}

impl KeyRing {
    /// Reads what the settings name. `secret` signs, too.
    pub fn read(config: &Config, secret: Option<&str>) -> Result<Self, String> {
        let pem = config.jwt_public_key.0.iter().map(|path| KeyFile {
            path: path.clone(),
            setting: "jwt_public_key",
            parse: pem_keys,
        });
        let jwks = config.jwt_jwks.0.iter().map(|path| KeyFile {
            path: path.clone(),
            setting: "jwt_jwks",
            parse: jwks_keys,
        });
        let previous = config.jwt_previous_secrets.0.iter().enumerate();
        let secrets = secret
            .map(|secret| (secret, "jwt_secret".to_owned()))
            .into_iter()
            .chain(previous.map(|(i, secret)| {
                let origin = format!("number {} of jwt_previous_secrets", i + 1);
                (secret.as_str(), origin)
            }));
        let fixed = secrets.flat_map(|(secret, origin)| {
            let accounts = format!("{origin}, as it signs for built-in accounts");
            [
                VerifyingKey::of_secret(secret, false, origin),
                VerifyingKey::of_secret(&accounts_secret(secret), true, accounts),
            ]
        });
        let mut ring = Self {
            fixed: fixed.map(Arc::new).collect(),
            files: pem.chain(jwks).collect(),
            state: RwLock::new(State {
                keys: Arc::new([]),
                read: Vec::new(),
                problem: None,
            }),
        };
        let read = ring.contents()?;
        let keys = ring.parse(&read)?;
        *ring.state.get_mut() = State {
            keys,
            read,
            problem: None,
        };
        Ok(ring)
    }

    pub fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    pub fn current(&self) -> Arc<[Arc<VerifyingKey>]> {
        Arc::clone(&self.state.read().keys)
    }

    /// Takes up what has changed in the files. Compares what is in them: their times and sizes may be the same.
    pub fn reload(&self) {
        let changed = self.contents().and_then(|read| {
            if read == self.state.read().read {
                return Ok(None);
            }
            Ok(Some((self.parse(&read)?, read)))
        });
        let mut state = self.state.write();
        match changed {
            Ok(None) => state.problem = None,
            Ok(Some((keys, read))) => {
                tracing::info!(keys = keys.len(), "the keys that check tokens have changed");
                *state = State {
                    keys,
                    read,
                    problem: None,
                };
            }
            Err(problem) if state.problem.as_ref() == Some(&problem) => {}
            Err(problem) => {
                tracing::warn!(problem, "the keys before stay in force");
                state.problem = Some(problem);
            }
        }
    }

    fn contents(&self) -> Result<Vec<Vec<u8>>, String> {
        self.files.iter().map(KeyFile::read).collect()
    }

    fn parse(&self, contents: &[Vec<u8>]) -> Result<Arc<[Arc<VerifyingKey>]>, String> {
        let mut keys = Vec::new();
        for (file, content) in self.files.iter().zip(contents) {
            keys.extend(file.parse(content)?.into_iter().map(Arc::new));
        }
        keys.extend(self.fixed.iter().cloned());
        Ok(keys.into())
    }
}

/// All the public keys of a file, one below the other.
fn pem_keys(pem: &[u8], origin: &str) -> Result<Vec<VerifyingKey>, String> {
    const BEGIN: &str = "-----BEGIN ";
    let text = String::from_utf8_lossy(pem);
    let blocks: Vec<String> = text
        .split(BEGIN)
        .skip(1)
        .map(|rest| format!("{BEGIN}{rest}"))
        .collect();
    let keys = blocks
        .iter()
        .map(|block| pem_key(block, origin))
        .collect::<Option<Vec<_>>>();
    keys.filter(|keys| !keys.is_empty())
        .ok_or_else(|| "not public keys of RSA, P-256 or Ed25519 in PEM".to_owned())
}

/// An Ed25519, P-256 or RSA key, whichever it is.
fn pem_key(pem: &str, origin: &str) -> Option<VerifyingKey> {
    // A private key would do as well, and must not lie around here.
    if !pem.contains("PUBLIC KEY") {
        return None;
    }
    let pem = pem.as_bytes();
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
            origin: origin.to_owned(),
        })
    })
}

fn jwks_keys(json: &[u8], origin: &str) -> Result<Vec<VerifyingKey>, String> {
    let set: JwkSet = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let keys: Vec<VerifyingKey> = set
        .keys
        .iter()
        .filter_map(|jwk| jwk_key(jwk, origin))
        .collect();
    if keys.is_empty() {
        Err("holds no key for RS256, ES256 or EdDSA".to_owned())
    } else {
        Ok(keys)
    }
}

/// `None` for what is no key of ours: a set may be made for others too.
fn jwk_key(jwk: &Jwk, origin: &str) -> Option<VerifyingKey> {
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    let is_for_us = jwk.common.key_algorithm.is_none_or(|meant| meant == name)
        && !matches!(
            jwk.common.public_key_use,
            Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_))
        );
    if !is_for_us {
        return None;
    }
    let id = jwk.common.key_id.clone();
    let origin = match &id {
        Some(id) => format!("{origin}, key {id}"),
        None => origin.to_owned(),
    };
    Some(VerifyingKey {
        algorithm,
        id,
        decoding: DecodingKey::from_jwk(jwk).ok()?,
        is_accounts: false,
        origin,
    })
}

/// The secret in the data folder, made on the first start.
pub(super) fn kept_secret(data_dir: &Path, may_make: bool) -> Result<String, String> {
    let named = |error: io::Error| format!("data_dir: {SECRET_FILE}: {error}");
    let path = data_dir.join(SECRET_FILE);
    match fs::read_to_string(&path) {
        Ok(secret) if secret.trim().len() >= 32 => return Ok(secret.trim().to_owned()),
        Ok(_) => {
            let short = "is shorter than 32 bytes; delete it to have a new one made";
            return Err(named(io::Error::other(short)));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(named(error)),
        Err(_) if !may_make => {
            return Err(
                "there is no key yet: none is set, and the server has not made one".to_owned(),
            );
        }
        Err(_) => {}
    }
    let secret = random_secret();
    fs::create_dir_all(data_dir)
        .and_then(|()| write_private(&path, &secret))
        .map_err(named)?;
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
