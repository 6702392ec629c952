//! XML-RPC as Supervisor's clients speak it. Pure: bytes in, values out, and back.

mod document;
mod fault;
mod read;
mod scan;
mod value;
mod write;

pub use document::{DEPTH_MAX, ReadError};
pub use fault::{Fault, code, name_of};
pub use read::{
    Call, REQUEST_BYTES_MAX, REQUEST_ELEMENTS_MAX, RESPONSE_BYTES_MAX, RESPONSE_ELEMENTS_MAX, read_call, read_response,
};
pub use value::Value;
pub use write::{write_call, write_fault, write_response};
