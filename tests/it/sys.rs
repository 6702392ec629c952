//! `sys`, with real processes, sockets and files.

mod background;
mod sockets;
mod spawn;
mod system;
