//! The figures of the canvas, which services/web/e2e/canvas.bench.ts measures in a browser.

use std::path::Path;

use anyhow::{Context, Result};

use crate::figure::Figure;

pub(crate) fn read(file: &Path) -> Result<Vec<Figure>> {
    let bytes = std::fs::read(file).with_context(|| format!("there is no {}", file.display()))?;
    Ok(serde_json::from_slice(&bytes)?)
}
