//! Finds the targets of which the library behind makes another one before anybody sees them: it cuts a fragment off
//! (`/public/x#y`), where HTTP/1 is answered with a refusal. Nobody but the watch sees the bytes, and it sees no requests; so
//! it remembers what becomes of such a target, and the next request that has this one is refused.
//!
//! Whoever asks for `/x#y` and `/x` at once may be refused the wrong one. Nothing is let pass that would not be without.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use http::uri::PathAndQuery;

use super::hpack::Paths;
use super::{CONTINUATION, END_HEADERS, Frame, HEADERS, PADDED, PRIORITY, PUSH_PROMISE, STREAM_MASK};
use crate::wire::WireFault;
use crate::wire::http1::head::check_target_bytes;

/// The library answers 431 up to so many times the limit of a head, and ends the connection beyond.
const BLOCK_PER_HEAD: usize = 4;
/// Room kept from one block for the next, in bytes: an ordinary one fits.
const BLOCK_BYTES_KEPT: usize = 2048;
/// Targets that no request has come of. The library resets what is malformed in other ways, too.
const CUT_TARGETS_MAX: usize = 32;

/// Follows the header blocks of one connection, as sent by the visitor.
#[derive(Debug)]
pub(super) struct Targets {
    paths: Paths,
    block: Vec<u8>,
    block_bytes_max: usize,
    /// The frame that the block began with or goes on in. Between blocks there is none.
    frame: Option<Frame>,
    /// This frame stands where it should not. It is still handed on whole, or the library could not say so.
    is_misplaced: bool,
    payload_left: usize,
    cut: Vec<Box<str>>,
    fault: Option<WireFault>,
}

impl Targets {
    /// For heads up to this size.
    pub(super) fn new(header_bytes_max: usize) -> Self {
        Self {
            paths: Paths::default(),
            block: Vec::new(),
            block_bytes_max: header_bytes_max.saturating_mul(BLOCK_PER_HEAD),
            frame: None,
            is_misplaced: false,
            payload_left: 0,
            cut: Vec::new(),
            fault: None,
        }
    }

    /// A frame begins.
    pub(super) fn follow(&mut self, frame: Frame) {
        if self.fault.is_some() {
            return;
        }
        match (frame.kind, self.frame) {
            (HEADERS, None) => {}
            (CONTINUATION, Some(open)) if open.stream == frame.stream => {}
            // A visitor may not push (RFC 9113, section 8.4), and nothing comes between the frames of a block (section 4.3).
            (HEADERS | CONTINUATION | PUSH_PROMISE, _) | (_, Some(_)) => self.is_misplaced = true,
            _ => return,
        }
        self.frame = Some(frame);
        self.payload_left = usize::try_from(frame.payload_bytes_to_come).unwrap_or(usize::MAX);
        self.follow_payload(&[]);
    }

    /// Some of the payload of the frame that has begun.
    pub(super) fn follow_payload(&mut self, bytes: &[u8]) {
        let (Some(frame), None) = (self.frame, self.fault) else {
            return;
        };
        if !self.is_misplaced {
            if self.block.len() + bytes.len() > self.block_bytes_max {
                self.fault = Some(WireFault::HeadTooLarge);
                return;
            }
            self.block.extend_from_slice(bytes);
        }
        self.payload_left = self.payload_left.saturating_sub(bytes.len());
        if self.payload_left == 0 && (self.is_misplaced || self.end_frame(frame).is_none()) {
            self.fault = Some(WireFault::Http2Connection);
        }
    }

    /// See [`super::Http2::take_cut`].
    pub(super) fn take_cut(&mut self) -> Result<Vec<Box<str>>, WireFault> {
        self.fault.map_or_else(|| Ok(std::mem::take(&mut self.cut)), Err)
    }

    fn end_frame(&mut self, frame: Frame) -> Option<()> {
        if frame.kind == HEADERS {
            strip(&mut self.block, frame)?;
        }
        if frame.flags & END_HEADERS != 0 {
            self.paths.read(&self.block, |path| self.cut.extend(cut(path)))?;
            self.block.clear();
            self.block.shrink_to(BLOCK_BYTES_KEPT);
            self.frame = None;
        }
        Some(())
    }
}

/// Takes out of the payload what is no part of the block (RFC 9113, section 6.2).
fn strip(payload: &mut Vec<u8>, frame: Frame) -> Option<()> {
    let (mut start, mut padding) = (0, 0);
    if frame.flags & PADDED != 0 {
        padding = usize::from(*payload.first()?);
        start += 1;
    }
    if frame.flags & PRIORITY != 0 {
        let parent = u32::from_be_bytes(*payload.get(start..)?.first_chunk()?);
        // The library forgets such a block, without having read it: from there on it would read others than are read here.
        if parent & STREAM_MASK == frame.stream {
            return None;
        }
        start += 5;
    }
    let end = payload.len().checked_sub(padding)?;
    if start > end {
        return None;
    }
    payload.truncate(end);
    payload.drain(..start);
    Some(())
}

/// What the library makes of a target, where that is another one; where it makes nothing of it, it resets the stream.
fn cut(target: &[u8]) -> Option<Box<str>> {
    check_target_bytes(target).err()?;
    let made = PathAndQuery::try_from(target).ok()?;
    (made.as_str().as_bytes() != target).then(|| made.as_str().into())
}

/// The cut targets of one connection, of which no request has come yet.
#[derive(Debug, Default)]
pub struct CutTargets {
    /// So that ordinary requests need no lock.
    count: AtomicUsize,
    targets: Mutex<Vec<Box<str>>>,
}

impl CutTargets {
    /// Remembers these.
    ///
    /// # Errors
    /// Where there would be too many.
    pub fn remember(&self, cut: Vec<Box<str>>) -> Result<(), WireFault> {
        if cut.is_empty() {
            return Ok(());
        }
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.extend(cut);
        self.count.store(targets.len(), Ordering::Release);
        if targets.len() > CUT_TARGETS_MAX {
            return Err(WireFault::Http2Connection);
        }
        Ok(())
    }

    /// Whether this is what became of one of them; that one is forgotten.
    pub fn take(&self, target: &[u8]) -> bool {
        if self.count.load(Ordering::Acquire) == 0 {
            return false;
        }
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(index) = targets.iter().position(|cut| cut.as_bytes() == target) else {
            return false;
        };
        targets.swap_remove(index);
        self.count.store(targets.len(), Ordering::Release);
        true
    }
}

#[cfg(test)]
#[path = "targets_tests.rs"]
mod tests;
