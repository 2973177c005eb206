//! What every part of the design system promises, seen on the pages of the gallery, which are written to
//! `target/gallery` to be looked at.

use std::fs;
use std::path::PathBuf;

use super::color_sheet;
use super::gallery::pages;
use crate::assets::{ASSETS, SCRIPT, STYLE};

/// What would break out of a page if a single part did not escape it.
const HOSTILE: &str = "</p><b x='\"'>&amp;\u{202e}";

#[test]
fn no_text_breaks_out_of_any_part_of_a_page() {
    for (name, page) in pages(HOSTILE) {
        assert!(!page.contains("<b x="), "{name}");
        assert!(!page.contains("'\"'"), "{name}");
        assert!(
            page.contains("&lt;/p&gt;&lt;b x='&quot;'&gt;&amp;amp;"),
            "{name}"
        );
    }
}

#[test]
fn pages_pass_the_content_security_policy() {
    for (name, page) in pages("") {
        let page = page.to_lowercase();
        for inline in [
            " style=",
            "<style",
            " onclick=",
            " onsubmit=",
            "javascript:",
            "hx-on",
        ] {
            assert!(!page.contains(inline), "{name}: {inline}");
        }
        let bodies = page
            .split("<script")
            .skip(1)
            .filter(|tag| !tag.contains("></script>"));
        assert_eq!(bodies.count(), 0, "{name}");
    }
}

#[test]
fn no_id_is_twice_on_a_page_and_every_reference_has_one() {
    let named = |page: &str, attribute: &str| -> Vec<String> {
        let start = format!(" {attribute}=\"");
        let values = page
            .split(&start)
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        values
            .flat_map(str::split_whitespace)
            .map(str::to_owned)
            .collect()
    };
    for (name, page) in pages("") {
        let ids = named(&page, "id");
        for attribute in [
            "for",
            "aria-labelledby",
            "aria-describedby",
            "popovertarget",
        ] {
            for id in named(&page, attribute) {
                let found = ids.iter().filter(|known| **known == id).count();
                assert_eq!(found, 1, "{name}: {attribute}={id}");
            }
        }
    }
}

#[test]
fn styles_and_scripts_stay_small() {
    let size = |path: &str| -> usize {
        let assets = ASSETS.iter().filter(|asset| asset.path == path);
        assets.map(|asset| asset.gzip.len()).sum()
    };
    assert!(size(STYLE) < 20_000, "{}", size(STYLE));
    let scripts = ASSETS.iter().map(|asset| asset.gzip.len()).sum::<usize>() - size(STYLE);
    assert!(size(SCRIPT) > 0 && scripts < 25_000, "{scripts}");
}

#[test]
fn the_gallery_is_written_to_be_looked_at() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/gallery");
    fs::create_dir_all(folder.join("assets")).unwrap();
    for (name, page) in pages("") {
        fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
    fs::write(folder.join("brand.css"), color_sheet("#f2c200")).unwrap();
    for asset in ASSETS {
        // A server of these files sends them with `content-encoding: gzip`.
        fs::write(folder.join(asset.path.trim_start_matches('/')), asset.gzip).unwrap();
    }
}
