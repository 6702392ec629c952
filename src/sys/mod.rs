//! The only module with `unsafe`: each file wraps one verb of the operating system in a safe function.

pub mod code_pages;
pub mod command;
pub mod daemonize;
pub mod errno;
pub mod glob;
pub mod host;
pub mod interrupt;
pub mod kill;
pub mod limits;
pub mod local_time;
pub mod lock;
pub mod notify;
pub mod nscd;
pub mod pidfile;
pub mod poller;
pub mod privileges;
pub mod reap;
pub mod signals;
pub mod sockets;
pub mod spawn;
pub mod users;

pub use errno::errno_name;
