//! Uploads that are larger than the door may grow.

use super::*;

/// A body that comes in pieces and is never whole in memory.
fn long_body(pieces: Pieces) -> Body {
    let frames = (0..PIECES).map(move |number| Ok(Frame::data(pieces.piece(number))));
    BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames)))
}

/// No piece is like the one before: one that is lost, doubled or out of order shows.
#[derive(Clone)]
struct Pieces(Bytes);

impl Pieces {
    const KINDS: usize = 251;

    fn new() -> Self {
        Self(FakeConsole::file(UPLOAD_PIECE_BYTES + Self::KINDS).into())
    }

    fn piece(&self, number: usize) -> Bytes {
        let from = number % Self::KINDS;
        self.0.slice(from..from + UPLOAD_PIECE_BYTES)
    }

    fn sha256(&self) -> String {
        let mut hash = Context::new(&SHA256);
        (0..PIECES).for_each(|number| hash.update(&self.piece(number)));
        let digest = hash.finish();
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The most memory that the door has had at any time so far.
fn peak_bytes(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .expect("the peak is told");
    let kibibytes = line
        .split_whitespace()
        .nth(1)
        .and_then(|number| number.parse::<usize>().ok());
    kibibytes.expect("a number") * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_a_hundred_megabytes_arrive_whole_by_every_way_and_are_not_gathered_in_memory() {
    let mut stage = Stage::open().await;
    let pieces = Pieces::new();
    let expected = pieces.sha256();
    let process = stage.ways.door.process().id();
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        for length_is_told in [true, false] {
            let mut request = Request::post("/upload");
            if length_is_told {
                request = request.header(header::CONTENT_LENGTH, UPLOAD_BYTES);
            }
            let before = peak_bytes(process);
            let request = request.body(long_body(pieces.clone())).expect("a request");
            let found = ada.send(request).await.expect(200).json();
            assert_eq!(found["length"], UPLOAD_BYTES, "{way:?}, length told: {length_is_told}");
            assert_eq!(
                found["sha256"],
                expected.as_str(),
                "{way:?}, length told: {length_is_told}"
            );
            let growth = peak_bytes(process).saturating_sub(before);
            assert!(growth < GROWTH_BYTES_MAX, "{way:?}: the door grew by {growth} bytes");
        }
    }
}
