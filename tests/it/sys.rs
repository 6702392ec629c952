//! `sys`, with real processes, sockets and files.

mod background;
mod nscd;
mod sockets;
mod spawn;
mod system;
mod tree;
