//! The log: for people or for programs, on stderr.

use stagedoor_config::{LogFormat, LogSettings};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts it. What libraries say of single connections and requests is left out: anybody could fill the disk with it.
pub fn start(settings: &LogSettings) {
    let level = settings.level.as_str();
    let filter = EnvFilter::new(format!(
        "error,stagedoor={level},stagedoor_config={level},stagedoor_identity={level},\
        stagedoor_store={level},stagedoor_portal={level},stagedoor_admin_api={level},\
        pingora_proxy=off,pingora_core=off,h2=off,rustls=off,tokio_rustls=off,hyper=off"
    ));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Else a line that cannot be written, because the disk is full, is reported by a write that panics.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let started = match settings.format {
        LogFormat::Text => lines.with_ansi(false).finish().try_init(),
        LogFormat::Json => lines.json().finish().try_init(),
    };
    if let Err(error) = started {
        eprintln!("the log was started before: {error}");
    }
    crate::panics::log_places();
}
