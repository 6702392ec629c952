//! Reading `supervisord.conf` and the command line.

// A test reads files and runs Python; a failed unwrap is a failed test.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod check;
mod corpus;
mod errors;
mod fuzz;
mod getopt;
mod host;
mod invocation;
mod load;
mod oracle;
mod server_cases;
mod server_options;
mod text;
