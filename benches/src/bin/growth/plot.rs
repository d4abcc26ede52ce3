//! The plot: four panels over the number of records, one line for each engine.

use std::fmt::Write;

use serde_json::Value;

/// A panel: its title, the phase and the figure of it.
struct Panel {
    title: &'static str,
    phase: &'static str,
    figure: fn(&Value, f64) -> Option<f64>,
}

const PANELS: [Panel; 4] = [
    Panel {
        title: "memory while searching, MiB",
        phase: "search",
        figure: |cost, _| Some(cost["memory_peak"].as_f64()? / 1_048_576.0),
    },
    Panel {
        title: "opening after a kill, s CPU",
        phase: "open-killed",
        figure: |cost, _| cost["cpu_s"].as_f64(),
    },
    Panel {
        title: "index, bytes per record",
        phase: "rebuild",
        figure: |cost, records| Some(cost["index_bytes"].as_f64()? / records),
    },
    Panel {
        title: "making the index anew, µs CPU per record",
        phase: "rebuild",
        figure: |cost, records| Some(cost["cpu_s"].as_f64()? / records * 1e6),
    },
];

const ENGINES: [(&str, &str); 2] = [("sled", "#b45309"), ("fjall", "#1d4ed8")];

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 170.0;

/// Draws the costs as an SVG file.
pub(crate) fn draw(costs: &[Value]) -> String {
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 780 520\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"780\" height=\"520\" fill=\"#ffffff\"/>\n",
    );
    for (number, panel) in PANELS.iter().enumerate() {
        let x = if number % 2 == 0 { 60.0 } else { 450.0 };
        let y = if number < 2 { 30.0 } else { 275.0 };
        draw_panel(&mut svg, panel, costs, x, y);
    }
    for (number, (engine, colour)) in ENGINES.iter().enumerate() {
        let x = if number == 0 { 60 } else { 140 };
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"500\" width=\"14\" height=\"4\" fill=\"{colour}\"/><text x=\"{}\" y=\"506\">{engine}</text>",
            x + 20
        );
    }
    svg.push_str("</svg>");
    svg
}

fn draw_panel(svg: &mut String, panel: &Panel, costs: &[Value], x: f64, y: f64) {
    let points = |engine: &str| -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> = costs
            .iter()
            .filter(|cost| cost["engine"] == engine && cost["phase"] == panel.phase)
            .filter_map(|cost| {
                let records = cost["records"].as_f64()?;
                Some((records.log10(), (panel.figure)(cost, records)?))
            })
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    };
    let all: Vec<(f64, f64)> = ENGINES.iter().flat_map(|(name, _)| points(name)).collect();
    let top = round_up(all.iter().map(|point| point.1).fold(0.0, f64::max));
    let last = all.iter().map(|point| point.0).fold(5.0, f64::max).ceil();
    let place = |(records, figure): (f64, f64)| {
        (
            x + (records - 4.0) / (last - 4.0) * WIDTH,
            y + HEIGHT - figure / top * HEIGHT,
        )
    };
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{}\" font-weight=\"bold\">{}</text>",
        y - 10.0,
        panel.title
    );
    for part in 0..=4 {
        let figure = top * f64::from(part) / 4.0;
        let (_, line) = place((4.0, figure));
        let _ = writeln!(
            svg,
            "<line x1=\"{x}\" x2=\"{}\" y1=\"{line:.1}\" y2=\"{line:.1}\" stroke=\"#d4d4d4\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            x + WIDTH,
            x - 5.0,
            line + 4.0,
            shown(figure)
        );
    }
    let mut decade = 4.0;
    while decade <= last {
        let (at, _) = place((decade, 0.0));
        let _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">10<tspan dy=\"-4\" font-size=\"8\">{decade}</tspan></text>",
            y + HEIGHT + 18.0
        );
        decade += 1.0;
    }
    for (engine, colour) in ENGINES {
        let line: Vec<String> = points(engine)
            .into_iter()
            .map(|point| {
                let (x, y) = place(point);
                format!("{x:.1},{y:.1}")
            })
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            line.join(" ")
        );
        for point in &line {
            let (x, y) = point.split_once(',').unwrap();
            let _ = writeln!(
                svg,
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\"/>"
            );
        }
    }
}

/// The next 1, 2 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1e-6).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= value)
        .unwrap_or(value)
}

fn shown(figure: f64) -> String {
    if figure >= 10.0 || figure == 0.0 {
        format!("{figure:.0}")
    } else {
        format!("{figure:.2}")
    }
}
