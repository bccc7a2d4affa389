//! Faults in an order that a seed decides, for as long as is asked, each with more work than before it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use crate::crash::{self, POINTS, Point};
use crate::parts::Parts;
use crate::report::Report;
use crate::rows::{NAMES, Rows, is_possible};

/// How many faults one DVT+ lives through: its log grows, and each check reads all of it.
const FAULTS: usize = 25;
/// At which time of passing it a point is at the latest died at.
const NTH: u64 = 12;
/// The most processes of a service.
const REPLICAS: u64 = 2;

/// Breaks things at random until the time is over, and writes what came of it.
///
/// # Errors
/// When the parts cannot be used, or the report cannot be written.
pub(crate) async fn run(parts: &Parts, report: &Report, (minutes, seed, file): (u64, u64, &Path)) -> Result<()> {
    let (begun, length) = (Instant::now(), Duration::from_secs(60 * minutes));
    let mut random = Random(seed);
    let mut worlds = 0;
    while begun.elapsed() < length {
        worlds += 1;
        let mut rows = Rows::begin((parts, &format!("soak_{worlds}")), report).await?;
        for _ in 0..FAULTS {
            if begun.elapsed() >= length {
                break;
            }
            fault(&mut rows, &mut random).await?;
            write(file, report, (seed, begun.elapsed()))?;
        }
        rows.end().await;
    }
    Ok(())
}

async fn fault(rows: &mut Rows<'_, '_>, random: &mut Random) -> Result<()> {
    let drawn = random.below((POINTS.len() + NAMES.len()) as u64) as usize;
    match POINTS.get(drawn) {
        Some(point) => {
            let nth = 1 + random.below(NTH.min(4 * point.nth as u64)) as usize;
            let replicas = 1 + random.below(REPLICAS) as usize;
            let point = Point { nth, ..*point };
            crash::one(&mut rows.world, &rows.burst, (point, replicas), rows.report).await
        }
        None => {
            let name = NAMES[drawn - POINTS.len()];
            if is_possible(name).await { rows.named(name).await } else { Ok(()) }
        }
    }
}

fn write(file: &Path, report: &Report, (seed, took): (u64, Duration)) -> Result<()> {
    let mut written = report.json();
    written["seed"] = json!(seed);
    written["minutes"] = json!((took.as_secs_f64() / 6.0).round() / 10.0);
    Ok(std::fs::write(file, serde_json::to_vec_pretty(&written)?)?)
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit.max(1)
    }
}
