//! libFuzzer's way into `properties/src/transcript.rs`; nothing is decided here.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz_properties::transcript::check(data));
