#![no_main]

#[path = "../requests.rs"]
#[allow(dead_code)]
mod requests;

libfuzzer_sys::fuzz_target!(|data: &[u8]| requests::xmlrpc(data));
