#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::formats::archive_inputs(bytes));
