//! stagedoor-store
