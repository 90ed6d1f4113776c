//! The `seaworthy` binary.
fn main() {}
