//! A picture that an account is shown by. It is kept as it was sent and never drawn here: its bytes say what it is, it is whole,
//! and nothing hangs behind it.

use aws_lc_rs::digest::{SHA256, digest};

/// What a picture is, by its own first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
}

impl PictureKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::Webp];

    /// The stable name, which is also how its files end.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }

    /// What the bytes are, where they are one whole picture.
    fn of(bytes: &[u8]) -> Option<Self> {
        let whole = [
            (Self::Png, is_png as fn(&[u8]) -> bool),
            (Self::Jpeg, is_jpeg),
            (Self::Webp, is_webp),
        ];
        whole.into_iter().find(|(_, is)| is(bytes)).map(|(kind, _)| kind)
    }
}

/// A picture's bytes in eight: another picture has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PictureTag(pub [u8; 8]);

impl std::fmt::Display for PictureTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A picture. See the module.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// What it is.
    pub kind: PictureKind,
    /// As it was sent.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}, {} bytes)", self.kind.name(), self.bytes.len())
    }
}

/// Why bytes are not taken for a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFault {
    /// There is nothing.
    Empty,
    /// Neither PNG nor JPEG nor WebP, or not whole.
    Unknown,
    /// More bytes than this.
    TooLarge(usize),
}

impl Picture {
    /// Looks at what was sent.
    /// # Errors
    /// See [`PictureFault`].
    pub fn read(bytes: Vec<u8>, bytes_max: usize) -> Result<Self, PictureFault> {
        if bytes.is_empty() {
            return Err(PictureFault::Empty);
        }
        if bytes.len() > bytes_max {
            return Err(PictureFault::TooLarge(bytes_max));
        }
        let kind = PictureKind::of(&bytes).ok_or(PictureFault::Unknown)?;
        Ok(Self { kind, bytes })
    }

    /// See [`PictureTag`].
    pub fn tag(&self) -> PictureTag {
        let mut tag = [0; 8];
        for (to, from) in tag.iter_mut().zip(digest(&SHA256, &self.bytes).as_ref()) {
            *to = *from;
        }
        PictureTag(tag)
    }
}

/// The signature and the first chunk of every PNG: a header of 13 bytes.
const PNG_HEAD: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
/// The last chunk of every PNG, its checksum included.
const PNG_TAIL: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";

fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(PNG_HEAD) && bytes.ends_with(PNG_TAIL)
}

/// Begins and ends with the markers SOI and EOI; the first segment follows at once.
fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xd8\xff") && bytes.ends_with(b"\xff\xd9")
}

/// A RIFF container as long as it says, which begins with one of WebP's own chunks.
fn is_webp(bytes: &[u8]) -> bool {
    let length = bytes
        .get(4..8)
        .and_then(|length| length.try_into().ok())
        .map(u32::from_le_bytes);
    let is_whole = length.and_then(|length| usize::try_from(length).ok()?.checked_add(8)) == Some(bytes.len());
    let chunk = bytes.get(12..16);
    let known: [&[u8]; 3] = [b"VP8 ", b"VP8L", b"VP8X"];
    bytes.starts_with(b"RIFF") && is_whole && bytes.get(8..12) == Some(b"WEBP") && known.map(Some).contains(&chunk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pictures;

    const ROOM: usize = 1024;

    #[test]
    fn a_whole_picture_is_known_by_its_own_bytes() {
        for (kind, bytes) in pictures() {
            let picture = Picture::read(bytes.clone(), ROOM).unwrap();
            assert_eq!(picture.kind, kind);
            assert_eq!(PictureKind::from_name(kind.name()), Some(kind));
            assert_eq!(
                Picture::read(bytes.clone(), bytes.len()),
                Ok(picture),
                "as many bytes as may be"
            );
            assert_eq!(
                Picture::read(bytes.clone(), bytes.len() - 1),
                Err(PictureFault::TooLarge(bytes.len() - 1))
            );
        }
    }

    #[test]
    fn what_is_cut_hangs_behind_or_only_pretends_is_no_picture() {
        for (kind, bytes) in pictures() {
            for cut in 1..bytes.len() {
                let cut = bytes.get(..cut).unwrap().to_vec();
                assert_eq!(Picture::read(cut, ROOM), Err(PictureFault::Unknown), "{kind:?}");
            }
            let behind = [&bytes[..], b"<script>alert(1)</script>"].concat();
            assert_eq!(Picture::read(behind, ROOM), Err(PictureFault::Unknown), "{kind:?}");
            let before = [b"GIF89a", &bytes[..]].concat();
            assert_eq!(Picture::read(before, ROOM), Err(PictureFault::Unknown), "{kind:?}");
        }
        for bytes in [
            &b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>"[..],
            b"<!doctype html><script>alert(1)</script>",
            b"GIF89a\x01\0\x01\0\0\0\0;",
            b"BM",
            b"RIFF\x04\0\0\0WEBP",
            b"%PDF-1.7",
            b"\0",
        ] {
            assert_eq!(
                Picture::read(bytes.to_vec(), ROOM),
                Err(PictureFault::Unknown),
                "{bytes:?}"
            );
        }
        assert_eq!(Picture::read(Vec::new(), ROOM), Err(PictureFault::Empty));
    }

    #[test]
    fn another_picture_has_another_tag() {
        let tags: Vec<String> = pictures()
            .into_iter()
            .map(|(_, bytes)| Picture::read(bytes, ROOM).unwrap().tag().to_string())
            .collect();
        assert!(tags.iter().all(|tag| tag.len() == 16), "{tags:?}");
        assert!(tags[0] != tags[1] && tags[1] != tags[2], "{tags:?}");
    }
}
