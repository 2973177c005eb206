use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// Pictures of 3 by 2 pixels.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAHElEQVR4nGNUTX7NwMDAwMDAxMDAcGuuKAMDAwAiDQMDibiN6AAAAABJRU5ErkJggg==";
const JPEG: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wgARCAACAAMDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAVAQEBAAAAAAAAAAAAAAAAAAADBP/aAAwDAQACEAMQAAABkKh//8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABBQJ//8QAFREBAQAAAAAAAAAAAAAAAAAAAAH/2gAIAQMBAT8Br//EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQIBAT8Bf//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEABj8Cf//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAT8hf//aAAwDAQACAAMAAAAQD//EABYRAAMAAAAAAAAAAAAAAAAAAAABMf/aAAgBAwEBPxCmf//EABYRAAMAAAAAAAAAAAAAAAAAAAABMf/aAAgBAgEBPxBQ/8QAFhAAAwAAAAAAAAAAAAAAAAAAAAEx/9oACAEBAAE/EFD/2Q==";
const WEBP: &str =
    "UklGRjQAAABXRUJQVlA4ICgAAABwAQCdASoDAAIAB0CWJagCdAFAAAD+3FH9b48WfQMndoFazguC+uAA";
const LOSSLESS_WEBP: &str = "UklGRiIAAABXRUJQVlA4TBUAAAAvAkAAAA8wYzf5n/X5Dy284CCi/xEA";
const EXTENDED_WEBP: &str = "UklGRlQAAABXRUJQVlA4WAoAAAAQAAAAAgAAAQAAQUxQSAcAAAAAZGRkZGRkAFZQOCAmAAAAcAEAnQEqAwACAAdAliWgAnQBQAAA/txR/kl6k/Kwnuqqev0rAAA=";

const PICTURES: [(&str, LogoType); 5] = [
    (PNG, LogoType::Png),
    (JPEG, LogoType::Jpeg),
    (WEBP, LogoType::WebP),
    (LOSSLESS_WEBP, LogoType::WebP),
    (EXTENDED_WEBP, LogoType::WebP),
];

fn bytes(picture: &str) -> Vec<u8> {
    STANDARD.decode(picture).unwrap()
}

fn problem(bytes: Vec<u8>) -> Option<LogoProblem> {
    Logo::read(bytes).err()
}

#[test]
fn a_picture_of_each_format_is_taken_as_it_is() {
    for (picture, format) in PICTURES {
        let logo = Logo::read(bytes(picture)).unwrap();
        assert_eq!((logo.format(), logo.bytes()), (format, &bytes(picture)[..]));
        assert_eq!(LogoType::parse(format.as_str()), Some(format));
    }
}

#[test]
fn a_picture_that_is_cut_off_or_has_something_behind_it_is_refused() {
    for (picture, format) in PICTURES {
        let whole = bytes(picture);
        for length in 0..whole.len() {
            assert!(
                problem(whole[..length].to_vec()).is_some(),
                "{format:?} cut to {length}"
            );
        }
        for tail in ["x", "<script>alert(1)</script>", "\u{0}\u{0}"] {
            let longer = [&whole, tail.as_bytes()].concat();
            assert_eq!(problem(longer), Some(LogoProblem::Broken), "{format:?}");
        }
    }
    // A second picture hidden after the end of the first.
    let twice = [bytes(JPEG), bytes(JPEG)].concat();
    assert_eq!(problem(twice), Some(LogoProblem::Broken));
}

#[test]
fn what_is_no_picture_is_refused_whatever_it_is_called() {
    let check = |bytes: &[u8], expect: LogoProblem| {
        assert_eq!(problem(bytes.to_vec()), Some(expect));
    };
    check(b"", LogoProblem::UnknownFormat);
    check(
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        LogoProblem::UnknownFormat,
    );
    check(b"<?xml version=\"1.0\"?><svg/>", LogoProblem::UnknownFormat);
    check(b"<!doctype html><script>", LogoProblem::UnknownFormat);
    check(b"GIF89a", LogoProblem::UnknownFormat);
    check(b"%PDF-1.7", LogoProblem::UnknownFormat);
    check(b"\x89PNG\r\n\x1a\n<svg/>", LogoProblem::Broken);
    check(b"\xff\xd8\xff<script>", LogoProblem::Broken);
    check(b"RIFF\x04\x00\x00\x00WAVE", LogoProblem::Broken);
    check(b"RIFF\x04\x00\x00\x00WEBP", LogoProblem::Broken);
}

#[test]
fn a_logo_is_small_in_bytes_and_pixels() {
    assert_eq!(
        problem(vec![0; MAX_LOGO_BYTES + 1]),
        Some(LogoProblem::TooLarge)
    );
    assert_eq!(
        problem(vec![0; MAX_LOGO_BYTES]),
        Some(LogoProblem::UnknownFormat)
    );
    // The width of a lossless picture is in the 14 bits after its signature.
    let mut wide = bytes(LOSSLESS_WEBP);
    wide[21] = 0xff;
    wide[22] |= 0x3f;
    assert_eq!(problem(wide), Some(LogoProblem::BadSize));
    let mut flat = bytes(WEBP);
    flat[26] = 0;
    assert_eq!(problem(flat), Some(LogoProblem::BadSize));
}

#[test]
fn a_changed_byte_of_a_png_is_seen() {
    let whole = bytes(PNG);
    for place in 8..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 0x10;
        assert!(Logo::read(changed).is_err(), "{place}");
    }
}

#[test]
fn no_bytes_can_make_the_reader_panic() {
    for (picture, _) in PICTURES {
        let whole = bytes(picture);
        for place in 0..whole.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[place] = value;
                drop(Logo::read(changed));
            }
        }
    }
}
