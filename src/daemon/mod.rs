//! The shell around the core: it turns readiness into inputs and the outbox into system calls.
//!
//! | file | what |
//! |---|---|
//! | [`run`] | the loop: sleep until something happens, take it in, do what the core says |
//! | `boot` | from a command line to a running loop, and back again at a restart |
//! | `perform` | carries out what the core tells and what RPC methods ask of the shell |
//! | `programs` | the registry: every descriptor of every child, by role and process |
//! | `output` | one output pipe |
//! | `channel_log` | where an output goes: files, system log, events |
//! | `stdin` | what waits for a program to read it |
//! | `fcgi` | listening sockets of FastCGI programs |
//! | `kernel` | answers the core's asks with system calls |
//! | `http`, `auth`, `follow` | the servers: framing and limits, passwords, log streaming |

mod auth;
mod boot;
mod channel_log;
mod environment;
mod fcgi;
mod follow;
mod http;
mod kernel;
mod listen;
mod output;
mod perform;
mod programs;
mod rpc_call;
pub mod run;
mod stdin;

pub use boot::main;
