//! stagedoor-benches
