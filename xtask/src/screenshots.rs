//! The pictures in the README are ones that the browser tests made, so that they show what is there.

use std::fs;

use anyhow::{Context as _, Result};

use crate::command::{root, target};

/// As the tests call them, and as the README does.
const PICTURES: [(&str, &str); 2] =
    [("room-desktop-light.png", "room.png"), ("room-phone-dark.png", "room-phone.png")];

pub(crate) fn copy_to_docs() -> Result<String> {
    let images = root().join("docs/images");
    fs::create_dir_all(&images).context("docs/images")?;
    for (made, shown) in PICTURES {
        let picture = target().join("screenshots").join(made);
        fs::copy(&picture, images.join(shown)).with_context(|| {
            format!("{made} is not in target/screenshots: `cargo xtask test browsers` makes it")
        })?;
    }
    Ok("docs/images/room.png and room-phone.png".into())
}
