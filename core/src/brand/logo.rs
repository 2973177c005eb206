//! A logo as it was uploaded: one of three picture formats, told by its bytes and not by its name, whole
//! from the first byte to the last. SVG is none of them: it is a program. Pixels are not decoded.

/// The largest logo, in bytes. The database refuses more.
pub const MAX_LOGO_BYTES: usize = 102_400;

/// The most pixels of a side: what is larger only makes browsers work.
const MAX_SIDE: u32 = 4_096;

/// The formats that a logo may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoType {
    /// PNG (ISO 15948).
    Png,
    /// JPEG (ITU-T T.81).
    Jpeg,
    /// WebP (RFC 9649).
    WebP,
}

/// A picture that can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    bytes: Vec<u8>,
    format: LogoType,
}

/// Why a file is no logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoProblem {
    /// It has more than [`MAX_LOGO_BYTES`].
    TooLarge,
    /// It does not begin like any of the formats.
    UnknownFormat,
    /// It begins like one of them, and is cut off, has something after its end, or is otherwise broken.
    Broken,
    /// A side has no pixels, or more than 4,096.
    BadSize,
}

impl LogoType {
    /// Its media type, as the database keeps it and browsers are told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }

    /// The format that the media type names.
    #[must_use]
    pub fn parse(media_type: &str) -> Option<Self> {
        [Self::Png, Self::Jpeg, Self::WebP]
            .into_iter()
            .find(|format| format.as_str() == media_type)
    }
}

impl Logo {
    /// Takes the bytes of an uploaded file.
    pub fn read(bytes: Vec<u8>) -> Result<Self, LogoProblem> {
        if bytes.len() > MAX_LOGO_BYTES {
            return Err(LogoProblem::TooLarge);
        }
        let (format, size) = if let Some(rest) = bytes.strip_prefix(PNG_SIGNATURE) {
            (LogoType::Png, png(rest))
        } else if let Some(rest) = bytes.strip_prefix(JPEG_START) {
            (LogoType::Jpeg, jpeg(rest))
        } else if let Some(rest) = bytes.strip_prefix(b"RIFF") {
            (LogoType::WebP, webp(rest))
        } else {
            return Err(LogoProblem::UnknownFormat);
        };
        let (width, height) = size.ok_or(LogoProblem::Broken)?;
        let fits = |side: u32| (1..=MAX_SIDE).contains(&side);
        if !fits(width) || !fits(height) {
            return Err(LogoProblem::BadSize);
        }
        Ok(Self { bytes, format })
    }

    /// The picture.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its format.
    #[must_use]
    pub const fn format(&self) -> LogoType {
        self.format
    }
}

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG_START: &[u8] = b"\xff\xd8";

/// Width and height, in pixels.
type Size = (u32, u32);

/// Chunks of a length, a name, data and a checksum: `IHDR` first, some `IDAT`, `IEND` last.
fn png(mut rest: &[u8]) -> Option<Size> {
    let mut size = None;
    let mut has_data = false;
    loop {
        let (length, after) = be_u32(rest)?;
        let (name, after) = after.split_first_chunk::<4>()?;
        let (data, after) = split(after, length)?;
        let (checksum, after) = be_u32(after)?;
        if checksum != crc32(&[name, data]) {
            return None;
        }
        match (name, size) {
            (b"IHDR", None) if length == 13 => {
                let (width, more) = be_u32(data)?;
                size = Some((width, be_u32(more)?.0));
            }
            (_, None) | (b"IHDR", Some(_)) => return None,
            (b"IDAT", Some(_)) => has_data = true,
            (b"IEND", Some(size)) => {
                let ends = length == 0 && after.is_empty() && has_data;
                return ends.then_some(size);
            }
            (_, Some(_)) => {}
        }
        rest = after;
    }
}

/// Segments of a marker and a length; a frame header tells the size, and after a scan header come the
/// pixels, up to the end marker.
fn jpeg(mut rest: &[u8]) -> Option<Size> {
    let mut size = None;
    loop {
        let (marker, after) = rest.split_first_chunk::<2>()?;
        let [0xff, kind] = *marker else {
            return None;
        };
        // Bytes of filling before a marker.
        if kind == 0xff {
            rest = rest.get(1..)?;
            continue;
        }
        let (length, _) = be_u16(after)?;
        let (segment, after) = split(after, u32::from(length))?;
        let data = segment.get(2..)?;
        match kind {
            // Frame headers, without the tables that have numbers between them.
            0xc0..=0xcf if !matches!(kind, 0xc4 | 0xc8 | 0xcc) => {
                let (height, more) = be_u16(data.get(1..)?)?;
                let (width, _) = be_u16(more)?;
                size = Some((u32::from(width), u32::from(height)));
            }
            // The start of a scan: what follows is data with markers of its own.
            0xda => {
                let ends = after.len() > 2 && after.ends_with(b"\xff\xd9");
                return size.filter(|_| ends && !ends_early(after));
            }
            0xc4 | 0xcc | 0xdb | 0xdd | 0xe0..=0xef | 0xfe => {}
            _ => return None,
        }
        rest = after;
    }
}

/// Whether the end marker stands before the last two bytes, so that something is hidden after it.
fn ends_early(scans: &[u8]) -> bool {
    let body = scans.get(..scans.len().saturating_sub(2));
    body.is_some_and(|body| body.windows(2).any(|pair| pair == b"\xff\xd9"))
}

/// A RIFF container whose length is that of the file, with chunks of a name, a length and data.
fn webp(rest: &[u8]) -> Option<Size> {
    let (length, rest) = le_u32(rest)?;
    if usize::try_from(length).ok()? != rest.len() {
        return None;
    }
    let mut rest = rest.strip_prefix(b"WEBP")?;
    let mut size = None;
    let mut has_data = false;
    while !rest.is_empty() {
        let (name, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = le_u32(after)?;
        let (data, after) = split(after, length)?;
        let chunk_size = match name {
            b"VP8 " => Some(vp8(data)?),
            b"VP8L" => Some(vp8l(data)?),
            b"VP8X" => Some(vp8x(data)?),
            _ => None,
        };
        // The first chunk is one of these; in the extended form the others follow.
        size = size.or(chunk_size);
        size?;
        has_data |= matches!(name, b"VP8 " | b"VP8L" | b"ANMF");
        // Chunks of an odd length are followed by a zero.
        rest = if length.is_multiple_of(2) {
            after
        } else {
            after.strip_prefix(b"\0")?
        };
    }
    size.filter(|_| has_data)
}

/// A key frame of VP8 (RFC 6386, section 9.1).
fn vp8(data: &[u8]) -> Option<Size> {
    let rest = data.get(3..)?.strip_prefix(b"\x9d\x01\x2a")?;
    let (width, rest) = le_u16(rest)?;
    let (height, _) = le_u16(rest)?;
    let is_key_frame = data.first()? & 1 == 0;
    is_key_frame.then_some((u32::from(width & 0x3fff), u32::from(height & 0x3fff)))
}

/// The header of a lossless picture: a signature, then 14 bits each of width and height, less one.
fn vp8l(data: &[u8]) -> Option<Size> {
    let (bits, _) = le_u32(data.strip_prefix(b"\x2f")?)?;
    let side = |bits: u32| (bits & 0x3fff).saturating_add(1);
    Some((side(bits), side(bits.wrapping_shr(14))))
}

/// The extended header: flags, then 24 bits each of width and height, less one.
fn vp8x(data: &[u8]) -> Option<Size> {
    let [_, _, _, _, w0, w1, w2, h0, h1, h2] = *data.first_chunk::<10>()?;
    let side = |bytes: [u8; 4]| u32::from_le_bytes(bytes).saturating_add(1);
    (data.len() == 10).then_some((side([w0, w1, w2, 0]), side([h0, h1, h2, 0])))
}

fn split(bytes: &[u8], length: u32) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(usize::try_from(length).ok()?)
}

fn be_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

fn be_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(*number), rest))
}

fn le_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

fn le_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_le_bytes(*number), rest))
}

/// The checksum of PNG's chunks (ISO 15948, annex D), bit by bit: a logo is small.
fn crc32(parts: &[&[u8]]) -> u32 {
    let bytes = parts.iter().flat_map(|part| part.iter());
    let crc = bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let shifted = crc.wrapping_shr(1);
            if crc & 1 == 1 {
                shifted ^ 0xedb8_8320
            } else {
                shifted
            }
        })
    });
    !crc
}

#[cfg(test)]
mod tests;
