//! The only module with `unsafe`: each file wraps one verb of the operating system in a safe function.

pub mod cgroup;
pub mod clock;
pub mod code_pages;
pub mod command;
pub mod daemonize;
pub mod errno;
pub mod exec_self;
pub mod fd_store;
pub mod glob;
pub mod host;
pub mod in_flight;
pub mod interrupt;
pub mod kill;
pub mod limits;
pub mod local_time;
pub mod lock;
pub mod notify;
pub mod nscd;
pub mod page_size;
pub mod path_watch;
pub mod pidfile;
pub mod poller;
pub mod privileges;
pub mod proc;
pub mod reap;
pub mod self_test;
pub mod signals;
pub mod sockets;
pub mod spawn;
pub mod stdin_ready;
pub mod stop_request;
pub mod tree;
pub mod users;

pub use errno::errno_name;
