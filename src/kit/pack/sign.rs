//! Signatures as minisign makes them, but for the randomness that it mixes in: the same key and bytes give the same
//! signature (RFC 8032), so that a signed set can be made again byte for byte.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b512, Digest};
use clap::Args;
use ed25519_compact::SecretKey;
use minisign::SecretKeyBox;

/// Where the secret key is. None of these: nothing is signed.
#[derive(Debug, Clone, Default, Args)]
pub struct KeyArgs {
    /// File with the minisign secret key to sign with
    #[arg(long, env = "MINISIGN_SECRET_KEY_FILE", value_name = "FILE")]
    pub secret_key: Option<PathBuf>,
    /// The secret key itself, the text of such a file; from the environment only, where no other process sees it
    #[arg(long, env = "MINISIGN_SECRET_KEY", hide_env_values = true, hide = true)]
    pub secret_key_text: Option<String>,
    /// Password of the secret key, when it has one; from the environment only
    #[arg(long, env = "MINISIGN_PASSWORD", hide_env_values = true, hide = true)]
    pub key_password: Option<String>,
}

/// "ED": Ed25519 of the BLAKE2b-512 of the bytes (minisign's signature format).
const ALGORITHM: [u8; 2] = *b"ED";
/// Where number and key stand in minisign's secret key: after three algorithms, the salt and the two limits.
const KEY_NUMBER: std::ops::Range<usize> = 54..62;
const KEY_SECRET: std::ops::Range<usize> = 62..126;

/// Signs with one key.
pub(super) struct Signer {
    number: [u8; 8],
    secret: SecretKey,
    epoch_secs: u64,
}

impl Signer {
    /// The key that the arguments name; `None` when they name none.
    pub(super) fn from_args(args: &KeyArgs, epoch_secs: u64) -> Result<Option<Signer>> {
        let (text, origin) = match (&args.secret_key_text, &args.secret_key) {
            (Some(_), Some(_)) => bail!("both MINISIGN_SECRET_KEY and a key file are given: use one of them"),
            (Some(text), None) => (text.clone(), "MINISIGN_SECRET_KEY".to_owned()),
            (None, Some(path)) => (read(path)?, path.display().to_string()),
            (None, None) => return Ok(None),
        };
        let signer = Signer::from_text(&text, args.key_password.as_deref(), epoch_secs);
        signer.with_context(|| format!("{origin} cannot be used as a minisign secret key")).map(Some)
    }

    fn from_text(text: &str, password: Option<&str>, epoch_secs: u64) -> Result<Signer> {
        let words = |error: minisign::PError| anyhow!("{error}");
        let boxed = || SecretKeyBox::from_string(text.trim_end()).map_err(words);
        let key = match (boxed()?.into_unencrypted_secret_key(), password) {
            (Ok(key), _) => key,
            // Without a password minisign would ask for one, and nobody may be there to answer.
            (Err(_), Some(password)) => boxed()?.into_secret_key(Some(password.to_owned())).map_err(words)?,
            (Err(error), None) => bail!("{error}; a key with a password needs MINISIGN_PASSWORD"),
        };
        let bytes = key.to_bytes();
        let (number, secret) = bytes.get(KEY_NUMBER).zip(bytes.get(KEY_SECRET)).context("it is too short")?;
        let secret = SecretKey::from_slice(secret).map_err(|error| anyhow!("{error}"))?;
        Ok(Signer { number: number.try_into()?, secret, epoch_secs })
    }

    /// The text of the signature of `bytes`, which will be called `name`.
    pub(super) fn sign(&self, name: &str, bytes: &[u8]) -> String {
        let signature = self.secret.sign(Blake2b512::digest(bytes), None);
        let comment = format!("timestamp:{}\tfile:{name}\thashed", self.epoch_secs);
        let both = self.secret.sign([&signature[..], comment.as_bytes()].concat(), None);
        let line = STANDARD.encode([&ALGORITHM[..], &self.number, &signature[..]].concat());
        let last = STANDARD.encode(&both[..]);
        format!("untrusted comment: signature of supervisor-kit\n{line}\ntrusted comment: {comment}\n{last}\n")
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read the secret key {}", path.display()))
}
