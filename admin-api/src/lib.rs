//! stagedoor-admin-api
