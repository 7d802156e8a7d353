//! Draws docs/clearing.svg: time against the number of orders, from what criterion measured.
//!
//! ```text
//! cargo run -p ccc-benches --features plot --bin clearing_plot -- target/criterion docs/clearing.svg
//! ```
//!
//! Every point is the median of a member of the groups `clearing/heart` and `clearing/growth`. Exit code: 0 done, 1 a series
//! has no point or a file cannot be read or written, 2 wrong arguments.

use plotters::prelude::{
    ChartBuilder, Circle, Color, IntoDrawingArea, IntoLogRange, LineSeries, PathElement, RGBColor, SVGBackend,
    SeriesLabelPosition, WHITE,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Criterion's names of what is drawn, what it is called in the plot, and its colour.
const SERIES: [(&str, &str, RGBColor); 6] = [
    ("oblivious bitonic", "oblivious sort, there and back", RGBColor(148, 103, 189)),
    ("sort and fill", "sort and fill", RGBColor(214, 39, 40)),
    ("portable", "this clearing, portable", RGBColor(31, 119, 180)),
    ("histogram", "histogram", RGBColor(255, 127, 14)),
    ("ccc", "this clearing, AVX-512 IFMA", RGBColor(44, 160, 44)),
    ("floor", "bound: one read and one copy pass", RGBColor(127, 127, 127)),
];
const GROUPS: [&str; 2] = ["clearing_heart", "clearing_growth"];
const EDGE: RGBColor = RGBColor(200, 200, 200);
const SIZE: (u32, u32) = (900, 560);

/// Medians in nanoseconds by number of orders.
type Points = BTreeMap<u64, f64>;

/// 2^10 and 10^4.5, as criterion writes them in names of folders: 2_10, 10_4.5.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of orders are below 2^32")]
fn number(name: &str) -> Option<u64> {
    let (base, exponent) = name.split_once('_')?;
    let (base, exponent): (f64, f64) = (base.parse().ok()?, exponent.parse().ok()?);
    Some(base.powf(exponent).round() as u64)
}

fn median(folder: &Path) -> Option<f64> {
    let text = fs::read_to_string(folder.join("new/estimates.json")).ok()?;
    serde_json::from_str::<Value>(&text).ok()?["median"]["point_estimate"].as_f64()
}

fn points(criterion: &Path, function: &str) -> Points {
    let folders = GROUPS.iter().filter_map(|group| fs::read_dir(criterion.join(group).join(function)).ok());
    let sizes = folders.flatten().flatten().map(|entry| entry.path());
    let point = |folder: PathBuf| Some((number(folder.file_name()?.to_str()?)?, median(&folder)?));
    sizes.filter_map(point).collect()
}

fn label(nanoseconds: &f64) -> String {
    match *nanoseconds {
        t if t < 1e3 => format!("{t} ns"),
        t if t < 1e6 => format!("{} µs", t / 1e3),
        t if t < 1e9 => format!("{} ms", t / 1e6),
        t => format!("{} s", t / 1e9),
    }
}

#[allow(clippy::cast_precision_loss, reason = "numbers of orders are below 2^32")]
fn draw(series: &[(&str, RGBColor, Points)], file: &Path) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .caption("One request against N standing orders", ("sans-serif", 18))
        .x_label_area_size(44)
        .y_label_area_size(70)
        .build_cartesian_2d((800f64..2e6).log_scale(), (100f64..3e9).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("standing orders")
        .y_desc("time, processor of one thread")
        .x_label_formatter(&|n| format!("{n}"))
        .y_label_formatter(&label)
        .light_line_style(WHITE)
        .draw()?;
    for (name, colour, points) in series {
        let line: Vec<(f64, f64)> = points.iter().map(|(n, time)| (*n as f64, *time)).collect();
        let style = colour.stroke_width(2);
        let drawn = chart.draw_series(LineSeries::new(line.clone(), style))?;
        drawn.label(*name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        chart.draw_series(line.into_iter().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    let mut legend = chart.configure_series_labels();
    legend.position(SeriesLabelPosition::UpperLeft).background_style(WHITE.mix(0.8)).border_style(EDGE).draw()?;
    area.present()?;
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [criterion, file] = arguments.as_slice() else {
        eprintln!("error: expected criterion's folder and the file to write");
        return ExitCode::from(2);
    };
    let series: Vec<_> =
        SERIES.iter().map(|(function, name, colour)| (*name, *colour, points(criterion, function))).collect();
    for (name, _, points) in &series {
        if points.is_empty() {
            eprintln!("error: {} has no points of: {name}", criterion.display());
            return ExitCode::FAILURE;
        }
    }
    match draw(&series, file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}
