#![no_main]

#[path = "../subjects.rs"]
#[allow(dead_code)]
mod subjects;

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::listener(data));
