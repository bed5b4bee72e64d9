//! stagedoor-tests
