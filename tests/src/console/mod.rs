//! Consoles that nobody here wrote, installed by `./run setup test` and started as their users start them.

mod adminer;
mod django;
mod node_red;
mod verifier;

use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpStream;

pub use adminer::Adminer;
pub use django::Django;
pub use node_red::NodeRed;
pub use verifier::{Language, Verifier};

use crate::place::target_folder;
use crate::{Running, Visitor, eventually, repository};

const ANSWERS_WITHIN: Duration = Duration::from_secs(90);

/// Files of ours that a console starts from.
fn own_files(console: &str) -> PathBuf {
    repository().join("tests").join("consoles").join(console)
}

/// Where the set-up installed it.
fn installed(console: &str) -> PathBuf {
    let folder = target_folder().join("consoles").join(console);
    assert!(
        folder.join(".set-up-from").is_file(),
        "`{}` is not set up: run `./run setup test`",
        folder.display()
    );
    folder
}

/// Waits until a page of the console answers without an error.
pub(crate) async fn answers(process: &mut Running, port: u16, path: &str) {
    eventually(
        &format!("a console answers on port {port}"),
        ANSWERS_WITHIN,
        async || {
            if let Some(status) = process.ended() {
                panic!("the console ended while it was awaited ({status}):\n{}", process.log());
            }
            TcpStream::connect(("127.0.0.1", port)).await.ok()?;
            let visitor = Visitor::new(([127, 0, 0, 1], port).into(), format!("127.0.0.1:{port}"));
            (visitor.get(path).await.status.as_u16() < 400).then_some(())
        },
    )
    .await;
}
