//! One target of `../targets.rs` under libFuzzer: that of the binary's name.
#![no_main]

#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (targets::by_name(env!("CARGO_BIN_NAME")).run)(bytes));
