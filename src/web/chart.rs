//! A small chart as SVG: drawn here for the first view, by the script from then on.

use super::markup::{Html, put};
use super::samples::{POINTS_MAX, Usage};

/// Its own units: one for each point across, and this many down.
const HEIGHT: u64 = 48;

/// Draws what `value` says of each point, the newest at the right edge.
pub fn draw(
    html: &mut Html,
    id: &'static str,
    label: &str,
    points: &[Usage],
    least_max: u64,
    value: impl Fn(&Usage) -> u64,
) {
    let highest = points.iter().map(&value).max().unwrap_or(0).max(least_max).max(1);
    put!(
        html,
        "<svg class=\"chart\" id=\"" (id) "\" viewBox=\"0 0 " (POINTS_MAX) " " (HEIGHT)
        "\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"" (label) "\"><path class=\"area\" d=\""
    );
    let skipped = POINTS_MAX - points.len().min(POINTS_MAX);
    for (index, point) in points.iter().enumerate() {
        let y = HEIGHT - (value(point) * (HEIGHT - 2) / highest).min(HEIGHT);
        if index == 0 {
            put!(html, "M" (skipped) " " (HEIGHT));
        }
        put!(html, "L" (skipped + index) " " (y));
    }
    if !points.is_empty() {
        put!(html, "L" (POINTS_MAX - 1) " " (HEIGHT) "Z");
    }
    put!(html, "\"/></svg>");
}
