//! The shell around the core: it turns readiness into inputs and the outbox into system calls.
//!
//! | file | what |
//! |---|---|
//! | [`run`] | the loop: sleep until something happens, take it in, do what the core says |
//! | `boot` | from a command line to the first life of the daemon |
//! | `generation` | one life: from a configuration, or from what another image left, to a running loop |
//! | `handover` | what an image leaves to the one that goes on in its place: upgrades |
//! | `recovery` | taking back the programs of a daemon that was killed |
//! | `takeover` | taking the place of a running Python supervisord |
//! | `perform` | carries out what the core tells and what RPC methods ask of the shell |
//! | `programs` | the registry: every descriptor of every child, by role and process |
//! | `output` | one output pipe |
//! | `channel_log` | where an output goes: files, system log, events |
//! | `stdin` | what waits for a program to read it |
//! | `fcgi` | listening sockets of FastCGI programs |
//! | `trees` | what programs with `killmode=tree` have started |
//! | `kernel` | answers the core's asks with system calls |
//! | `listen`, `connections` | the sockets of the servers, and who is connected |
//! | `console` | what the web console keeps: history, usage, sessions |
//! | `http`, `auth`, `follow` | the servers: framing and limits, passwords, log streaming |

pub mod auth;
mod boot;
mod channel_log;
mod connections;
pub mod console;
mod environment;
mod fcgi;
pub mod follow;
mod generation;
pub mod handover;
pub mod http;
mod kernel;
mod listen;
mod output;
pub mod perform;
mod programs;
pub mod recovery;
pub mod rpc_call;
pub mod run;
mod scale;
mod stdin;
pub mod takeover;
mod trees;

pub use boot::main;
