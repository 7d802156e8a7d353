//! The files of both pages, in the program.

/// A file: name, content type, bytes.
pub type Asset = (&'static str, &'static str, &'static [u8]);

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The public page.
pub const INDEX: &[u8] = include_bytes!("../assets/index.html");
/// The operator's.
pub const OPERATOR: &[u8] = include_bytes!("../assets/operator.html");

/// What both need.
pub const ASSETS: [Asset; 10] = [
    ("page.css", CSS, include_bytes!("../assets/page.css")),
    ("page.js", SCRIPT, include_bytes!("../assets/page.js")),
    ("operator.js", SCRIPT, include_bytes!("../assets/operator.js")),
    ("stream.js", SCRIPT, include_bytes!("../assets/stream.js")),
    ("show.js", SCRIPT, include_bytes!("../assets/show.js")),
    ("charts.js", SCRIPT, include_bytes!("../assets/charts.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../assets/icon.svg")),
    ("uPlot.iife.min.js", SCRIPT, include_bytes!("../assets/uplot/uPlot.iife.min.js")),
    ("uPlot.min.css", CSS, include_bytes!("../assets/uplot/uPlot.min.css")),
    ("uPlot.LICENSE", "text/plain; charset=utf-8", include_bytes!("../assets/uplot/LICENSE")),
];

/// The most bytes of all of it.
pub const MOST_BYTES: usize = 300_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_pages_are_light_and_hold_nothing_inline_or_from_elsewhere() {
        let total: usize = ASSETS.iter().map(|(_, _, bytes)| bytes.len()).sum::<usize>() + INDEX.len() + OPERATOR.len();
        assert!(total < MOST_BYTES, "{total} bytes");
        for page in [INDEX, OPERATOR] {
            let text = std::str::from_utf8(page).expect("text");
            for mark in ["<style", "style=", "onclick", "onload", "javascript:", "http://", "https://", "//cdn"] {
                assert!(!text.contains(mark), "{mark}");
            }
            for script in text.split("<script").skip(1) {
                let inline = script.split_once('>').and_then(|(_, rest)| rest.split_once("</script>"));
                assert_eq!(inline.map(|(inline, _)| inline), Some(""), "no script in the page itself");
            }
            for name in text.split("/assets/").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(ASSETS.iter().any(|(known, ..)| *known == name), "{name}");
            }
        }
    }
}
