//! Looking at a host: which system it is, what it holds already, what runs there. Nothing here changes anything.

pub mod detect;
pub mod evidence;
pub mod os_release;
pub mod probe;
pub mod root;
pub mod usr;

pub use root::Root;
