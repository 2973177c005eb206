//! The style sheet and the scripts, made and compressed by `build.rs`. Their names change with their
//! content, so a browser keeps them for good.

/// A file that pages load.
#[derive(Debug)]
pub struct Asset {
    /// Where it is.
    pub path: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content, compressed with gzip.
    pub gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The asset at a path.
pub fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}
