//! Exit statuses, as init scripts know them (`Supervisor: supervisorctl.py LSBInitExitStatuses, LSBStatusExitStatuses`).

/// All went well.
pub const SUCCESS: i32 = 0;
/// Anything without a code of its own.
pub const GENERIC: i32 = 1;
/// Wrong arguments, options or configuration.
pub const INVALID_ARGS: i32 = 2;
/// The server does not know the `supervisor` methods.
pub const UNIMPLEMENTED: i32 = 3;
/// The server refuses connections.
pub const INSUFFICIENT_PRIVILEGES: i32 = 4;
/// The server speaks another version of the interface.
pub const NOT_INSTALLED: i32 = 5;
/// Something that should run does not.
pub const NOT_RUNNING: i32 = 7;
/// `status` only: a listed process is down.
pub const STATUS_NOT_RUNNING: i32 = 3;
/// `status` only: a process or the server is unknown.
pub const STATUS_UNKNOWN: i32 = 4;
