//! What every key of a program and of the daemon does to real processes, and that none of their output is lost.

mod capture;
mod fcgi;
mod flood;
mod keys;
mod namespace;
mod output;
mod settings;
mod setup;
mod targets;
