use crate::picture::PictureKind;

/// One small picture of each kind: whole by its bytes, though nobody would see much.
pub fn pictures() -> [(PictureKind, Vec<u8>); 3] {
    let png = [
        &b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"[..],
        b"\0\0\0\x0dIDATx\x9cc\xfc\xcf\xc0\xf0\x1f\0\x05\x05\x02\0_\xc8\xf1\xd2",
        b"\0\0\0\0IEND\xaeB`\x82",
    ];
    let webp = [
        &b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0"[..],
        b"\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0",
    ];
    [
        (PictureKind::Png, png.concat()),
        (
            PictureKind::Jpeg,
            b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9".to_vec(),
        ),
        (PictureKind::Webp, webp.concat()),
    ]
}
