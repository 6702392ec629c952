//! The files of the console. `build.rs` compresses them; a client that cannot read that gets them as they were.

use crate::config::Language;

use super::texts::texts;

/// One file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes, as gzip.
    pub gzip: &'static [u8],
}

macro_rules! assets {
    ($($name:literal $media_type:literal)*) => {
        /// A file by its name below `/assets/`.
        pub fn asset(name: &str) -> Option<Asset> {
            match name {
                $($name => Some(Asset {
                    media_type: $media_type,
                    gzip: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")),
                }),)*
                _ => None,
            }
        }

        /// The names of all.
        pub const NAMES: &[&str] = &[$($name),*];
    };
}

assets! {
    "console.css" "text/css; charset=utf-8"
    "console.js" "text/javascript; charset=utf-8"
    "overview.js" "text/javascript; charset=utf-8"
    "program.js" "text/javascript; charset=utf-8"
    "log.js" "text/javascript; charset=utf-8"
    "events.js" "text/javascript; charset=utf-8"
    "changes.js" "text/javascript; charset=utf-8"
    "icon.svg" "image/svg+xml"
    "openapi.json" "application/json"
}

/// The words of a language as a module.
pub fn words(language: Language) -> String {
    let entries = texts(language).entries().map(|(name, text)| (name.to_owned(), text.into()));
    format!("export default {}\n", serde_json::Value::Object(entries.collect()))
}
