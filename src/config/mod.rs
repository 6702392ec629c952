//! `supervisord.conf`: bytes in, a resolved [`Config`] out. Pure: what it must know of the machine it asks a [`Host`].
//!
//! [`load`] locates and reads the main file ([`ini`]), follows `[include]`, then reads each section in the order of
//! Supervisor, so that of two errors the same one is reported. Every value passes [`expand`] and then its type in
//! [`values`]; an error carries the file, line, section, key and value it is about ([`ConfigError`]).

mod added_program;
mod check;
mod decode;
pub mod environment;
mod error;
pub mod event_listener;
pub mod expand;
mod fcgi_program;
mod format;
mod group;
mod help;
mod host;
mod http_server;
mod include;
pub mod ini;
mod load;
mod locate;
mod log_channel;
mod model;
mod options;
pub mod paths;
mod program;
mod python;
pub mod repr;
mod rpcinterface;
mod scale;
mod section;
pub mod shlex;
pub mod signal;
mod supervisorctl;
mod supervisord;
mod user;
pub mod values;

pub use added_program::added_program;
pub use check::{Check, Language, ProcessSettings, Report, Setting, check, process_settings, section_keys};
pub use error::{ConfigError, Place};
pub use help::help;
pub use host::Host;
pub use load::load;
pub use locate::ROOT_SEARCH_WARNING;
pub use model::*;
pub use options::{Invocation, Options};
pub use scale::{ScaleError, scaled};
pub use supervisorctl::load_ctl;
