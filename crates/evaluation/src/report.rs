//! `Report`: the table of a run, as Markdown and as one HTML page with a plot and the best and worst answers.
//!
//! Made from the lines of a run alone, and from the images where they can still be read.

use super::dataset::ImageSource;
use super::measure::Measure;
use super::overlap::Overlap;
use super::parquet_images::ParquetImages;
use super::published;
use super::results::{Header, Line};
use plotters::prelude::*;
use referseg_answer::drawing::draw;
use referseg_answer::Status;
use referseg_files::{Error, Result};
use referseg_image::Rle;
use referseg_image::{Frame, Mask};
use referseg_report::{document, thumbnail, Heading, Total};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Images of the best answers, and as many of the worst.
const GALLERY: usize = 12;

/// What a run came to.
pub struct Report {
    header: Header,
    lines: Vec<Line>,
    /// Whether expressions of images without proposals are left out, as in the authors' code.
    skip_empty: bool,
}

/// A row's numbers.
#[derive(Default)]
struct Tally {
    overlap: Overlap,
    /// Those that are right in the eyes of the dataset's authors.
    measured: usize,
    oracle: Overlap,
    proposals: usize,
    /// Right ones and all, for each kind of expression.
    kinds: BTreeMap<String, (usize, usize)>,
    right: usize,
    /// For each status that is right: how many, how many of them have it (and, if a thing is meant, are that thing), and
    /// how many are `Found` wrongly.
    statuses: BTreeMap<Status, (usize, usize, usize)>,
    /// Expressions that exclude a thing, and how many of them find it.
    excluded: (usize, usize),
}

impl Report {
    /// A report of a run's lines.
    pub fn new(header: Header, lines: Vec<Line>, skip_empty: bool) -> Report {
        Report { header, lines, skip_empty }
    }

    fn counted(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.problem.is_empty())
    }

    fn tally(&self, row: usize) -> Tally {
        let measure = Measure::of(&self.header.dataset);
        let mut tally = Tally::default();
        for line in self.counted() {
            let outcome = &line.rows[row];
            if self.skip_empty && outcome.proposals == 0 {
                continue;
            }
            if let Some(found) = outcome.excluded_found {
                tally.excluded.0 += 1;
                tally.excluded.1 += usize::from(found);
            }
            let known = tally.statuses.entry(line.want).or_default();
            let right = outcome.status == line.want && (line.want != Status::Found || outcome.right);
            known.0 += 1;
            known.1 += usize::from(right);
            known.2 += usize::from(!right && outcome.status == Status::Found);
            if line.want != Status::Found {
                continue;
            }
            tally.overlap.add(outcome.shared);
            tally.measured += usize::from(measure.is_some_and(|measure| measure.counts(outcome)));
            tally.oracle.add(outcome.oracle);
            tally.proposals += outcome.proposals;
            tally.right += usize::from(outcome.right);
            if !line.kind.is_empty() {
                let kind = tally.kinds.entry(line.kind.clone()).or_default();
                kind.0 += usize::from(outcome.right);
                kind.1 += 1;
            }
        }
        tally
    }

    /// What the answers' statuses came to, where the dataset asks for others than `Found`.
    fn status_table(&self) -> Option<(Vec<String>, Vec<Vec<String>>)> {
        let asked = self.counted().any(|line| line.want != Status::Found);
        let mut titles = vec!["statuses".to_string()];
        for (what, right) in [("clear", "FOUND and right"), ("absent", "NOT_FOUND"), ("ambiguous", "AMBIGUOUS")] {
            titles.extend([format!("{what}: {right}"), format!("{what}: FOUND wrongly")]);
        }
        titles.push("excluded: FOUND".into());
        let row = |(index, (name, _)): (usize, &(String, String))| {
            let tally = self.tally(index);
            let mut row = vec![name.clone()];
            for want in [Status::Found, Status::NotFound, Status::Ambiguous] {
                let (all, right, wrong) = tally.statuses.get(&want).copied().unwrap_or_default();
                row.extend([right, wrong].map(|count| format!("{:.1}", 100.0 * count as f64 / all.max(1) as f64)));
            }
            row.push(format!("{} of {}", tally.excluded.1, tally.excluded.0));
            row
        };
        asked.then(|| (titles, self.header.rows.iter().enumerate().map(row).collect()))
    }

    /// Kinds of expressions that mean one thing, in the order in which they come.
    fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> = Vec::new();
        for line in self.counted().filter(|line| line.want == Status::Found) {
            if !line.kind.is_empty() && !kinds.contains(&line.kind.as_str()) {
                kinds.push(&line.kind);
            }
        }
        kinds
    }

    /// The titles and rows of the table; numbers in percent.
    fn table(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let kinds = self.kinds();
        let mut titles: Vec<String> = ["", "oIoU", "mIoU", "P@0.5", "P@0.7", "P@0.9"].map(String::from).to_vec();
        let measure = Measure::of(&self.header.dataset);
        titles.extend(measure.map(Measure::title));
        if self.header.truth {
            titles.push("picks".into());
        }
        titles.extend(kinds.iter().map(|kind| kind.to_string()));
        titles.extend(["oracle mIoU", "oracle P@0.5", "proposals"].map(String::from));
        let percent = |part: f64| format!("{:.1}", 100.0 * part);
        let mut rows = Vec::new();
        for (index, (name, _)) in self.header.rows.iter().enumerate() {
            let tally = self.tally(index);
            let count = tally.overlap.count().max(1) as f64;
            let mut row = vec![name.clone(), percent(tally.overlap.overall_iou()), percent(tally.overlap.mean_iou())];
            row.extend([0.5, 0.7, 0.9].map(|threshold| percent(tally.overlap.precision_at(threshold))));
            row.extend(measure.map(|_| percent(tally.measured as f64 / count)));
            if self.header.truth {
                row.push(percent(tally.right as f64 / count));
            }
            row.extend(kinds.iter().map(|kind| {
                let (right, all) = tally.kinds.get(*kind).copied().unwrap_or_default();
                percent(right as f64 / all.max(1) as f64)
            }));
            row.extend([percent(tally.oracle.mean_iou()), percent(tally.oracle.precision_at(0.5))]);
            row.push(format!("{:.1}", tally.proposals as f64 / count));
            rows.push(row);
        }
        let blank = |name: &str, oiou: Option<f64>, miou: Option<f64>| {
            let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.2}"));
            let mut row = vec![String::new(); titles.len()];
            (row[0], row[1], row[2]) = (name.to_string(), number(oiou), number(miou));
            row
        };
        let published = published::of(&self.header.dataset, &self.header.split);
        for number in published.filter(|_| !self.header.truth) {
            rows.push(blank(number.name, None, Some(number.miou)));
        }
        if self.header.truth {
            let mut row = blank("chance", None, None);
            let clear = || self.counted().filter(|line| line.want == Status::Found);
            let shares: f64 = clear().map(|line| 1.0 / line.rows[0].proposals.max(1) as f64).sum();
            let at = titles.iter().position(|title| title == "picks").unwrap_or(0);
            row[at] = percent(shares / clear().count().max(1) as f64);
            rows.push(row);
        }
        (titles, rows)
    }

    /// What the table is about, in a sentence, and what does not count.
    fn about(&self) -> String {
        let Header { dataset, split, images, truth, model, .. } = &self.header;
        let problems = self.lines.len() - self.counted().count();
        let mut text = format!(
            "{dataset}{}{split}, {images} images, {} of {} expressions; {} proposals; model {}.",
            if split.is_empty() { "" } else { " " },
            self.counted().count(),
            self.lines.len(),
            if *truth { "ground-truth" } else { "generated" },
            &model[..12.min(model.len())],
        );
        text += match (truth, self.kinds().is_empty()) {
            (true, false) => " Kinds: picks of the target.",
            (false, false) => " Kinds: answers with an IoU of 0.5 or more.",
            (_, true) => "",
        };
        text += match self.skip_empty {
            true => " Images without proposals are left out, as in the authors' code.",
            false => " An image without proposals counts as IoU 0.",
        };
        if problems > 0 {
            let kinds = super::results::problems(&self.lines);
            let listed = kinds.iter().take(5).map(|(problem, count)| format!("{count} times: {problem}"));
            let listed = listed.collect::<Vec<_>>().join("; ");
            let _ = write!(
                text,
                " **{problems} expressions do not count**, their image or annotation can't be used: {listed}."
            );
        }
        text
    }

    /// The table as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n", self.about());
        for (titles, rows) in std::iter::once(self.table()).chain(self.status_table()) {
            let _ = write!(text, "\n| {} |\n|{}\n", titles.join(" | "), "---|".repeat(titles.len()));
            for row in rows {
                let _ = writeln!(text, "| {} |", row.join(" | "));
            }
        }
        // with the true masks as proposals nothing compares with a published row
        if !self.header.truth && published::of(&self.header.dataset, &self.header.split).next().is_some() {
            let _ = writeln!(text, "\n{}", published::NOTE);
        }
        text
    }

    /// One page that needs no other file: table, plot, best and worst answers of the first row. `date` is shown on top.
    ///
    /// # Errors
    /// When the plot can't be drawn.
    pub fn html(&self, date: &str) -> Result<String> {
        let escaped = |text: &str| htmlize::escape_text(text).into_owned();
        let cells = |kind: &str, row: &[String]| {
            let cells: String = row.iter().map(|cell| format!("<{kind}>{}</{kind}>", escaped(cell))).collect();
            format!("<tr>{cells}</tr>\n")
        };
        let mut text = format!("<p>{}</p>\n", escaped(&self.about().replace("**", "")));
        for (titles, rows) in std::iter::once(self.table()).chain(self.status_table()) {
            text += "<div class=\"scroll\"><table class=\"numbers\">\n";
            text += &cells("th", &titles);
            rows.iter().for_each(|row| text += &cells("td", row));
            text += "</table></div>\n";
        }
        // with the true masks as proposals nothing compares with a published row
        if !self.header.truth && published::of(&self.header.dataset, &self.header.split).next().is_some() {
            let _ = writeln!(text, "<p class=\"note\">{}</p>", escaped(published::NOTE));
        }
        let _ = write!(
            text,
            "<h2>Share of expressions that reach an IoU</h2>\n<div class=\"card plot\">{}</div>\n",
            self.plot()?
        );
        let mut order: Vec<(f64, &Line)> = self
            .counted()
            .filter(|line| line.want == Status::Found)
            .filter_map(|line| Some((line.rows.first()?.shared.iou(), line)))
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.index.cmp(&b.1.index)));
        let name = self.header.rows.first().map_or("", |(name, _)| name);
        let best = one_per_image(order.iter().copied());
        let worst = one_per_image(order.iter().rev().copied());
        let mut parquet = ParquetImages::default();
        for (title, lines) in [("Best", best), ("Worst", worst)] {
            let _ = write!(
                text,
                "<h2>{title} answers of {}</h2>\n<p class=\"note\">Pink: the answer. Yellow: its box. Green outline: the \
                 truth.</p>\n<div class=\"pictures\">\n",
                escaped(name)
            );
            for (iou, line) in lines {
                let picture =
                    picture(line, &mut parquet).unwrap_or_else(|| "<em>the image can't be read here</em>".into());
                let words = escaped(&line.text);
                let _ = writeln!(text, "<figure>{picture}<figcaption>{words} (IoU {iou:.2})</figcaption></figure>");
            }
            text += "</div>\n";
        }
        let Header { dataset, split, model, images, truth, referseg, .. } = &self.header;
        let facts = [
            ("date", date.to_string()),
            ("split", split.clone()),
            ("model", model[..12.min(model.len())].to_string()),
            ("proposals", if *truth { "ground truth" } else { "generated" }.to_string()),
            ("rows", self.header.rows.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")),
            ("version", referseg.clone()),
        ];
        let facts = facts.map(|(name, value)| (name.to_string(), value)).to_vec();
        let total = |name: &str, count| Total { name: name.into(), count, colour: "" };
        let totals =
            [total("images", *images), total("expressions", self.lines.len()), total("rows", self.header.rows.len())];
        Ok(document(&Heading { kind: "evaluation".into(), title: dataset.clone(), facts }, &totals, &[], &text))
    }

    /// For each row: the part of the expressions whose IoU reaches a threshold, as an SVG drawing.
    fn plot(&self) -> Result<String> {
        let mut svg = String::new();
        let failed = |cause: &dyn std::fmt::Display| Error::config("plot", cause.to_string());
        {
            let area = SVGBackend::with_string(&mut svg, (900, 420)).into_drawing_area();
            let mut chart = ChartBuilder::on(&area)
                .margin(10)
                .x_label_area_size(30)
                .y_label_area_size(45)
                .build_cartesian_2d(0.0..1.0, 0.0..1.0)
                .map_err(|cause| failed(&cause))?;
            let mut mesh = chart.configure_mesh();
            mesh.x_desc("IoU").label_style(("sans-serif", 15)).light_line_style(TRANSPARENT);
            mesh.bold_line_style(RGBColor(222, 226, 232)).draw().map_err(|cause| failed(&cause))?;
            for (index, (name, _)) in self.header.rows.iter().enumerate() {
                let overlap = self.tally(index).overlap;
                let colour = Palette99::pick(index).to_rgba();
                let points =
                    (0..=50).map(|step| (f64::from(step) / 50.0, overlap.precision_at(f64::from(step) / 50.0)));
                chart
                    .draw_series(LineSeries::new(points, colour.stroke_width(2)))
                    .map_err(|cause| failed(&cause))?
                    .label(name)
                    .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], colour));
            }
            let mut labels = chart.configure_series_labels();
            labels.position(SeriesLabelPosition::LowerLeft).label_font(("sans-serif", 15));
            let labels = labels.border_style(RGBColor(222, 226, 232)).background_style(WHITE).draw();
            labels.map_err(|cause| failed(&cause))?;
            area.present().map_err(|cause| failed(&cause))?;
        }
        Ok(svg)
    }
}

/// The first answers of a gallery: of each image one.
fn one_per_image<'a>(order: impl Iterator<Item = (f64, &'a Line)>) -> Vec<(f64, &'a Line)> {
    let mut seen = std::collections::BTreeSet::new();
    order.filter(|(_, line)| seen.insert(&line.image)).take(GALLERY).collect()
}

/// An image with the first row's answer and the truth, as an HTML image; `None` when it can't be read or has changed.
fn picture(line: &Line, parquet: &mut ParquetImages) -> Option<String> {
    let source = ImageSource::parse(&line.image);
    let frame = source.decoded(&source.bytes(parquet).ok()?).ok()?;
    let (width, height) = line.size;
    if (frame.width(), frame.height()) != (width, height) {
        return None;
    }
    let mask = |text: &str| Some(Rle::parse(width, height, text).ok()?.mask());
    let answer = mask(&line.answer).filter(|answer| answer.area() > 0);
    let found = answer.as_ref().and_then(|mask| Some((mask, mask.bounding_box()?)));
    let mut rgb = draw(&frame, found);
    outline(&mut rgb, &mask(&line.truth)?);
    let address = thumbnail(&Frame::new(width, height, rgb).ok()?)?;
    Some(format!("<img alt=\"\" src=\"{address}\">"))
}

/// Draws the edge of a mask, two pixels wide.
fn outline(rgb: &mut [u8], mask: &Mask) {
    let (width, height) = (mask.width(), mask.height());
    for y in 0..height {
        for x in 0..width {
            let near = |x: usize, y: usize| x >= width || y >= height || !mask.at(x, y);
            let reach = [(2, 0), (0, 2)];
            let edge = mask.at(x, y)
                && reach.iter().any(|(dx, dy)| near(x + dx, y + dy) || near(x.wrapping_sub(*dx), y.wrapping_sub(*dy)));
            if edge {
                rgb[(y * width + x) * 3..][..3].copy_from_slice(&[0, 200, 60]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_has_changed_size_is_left_out_and_costs_no_report() {
        let file = tempfile::Builder::new().suffix(".png").tempfile().unwrap();
        image::RgbImage::new(4, 3).save(file.path()).unwrap();
        let line = |size: (usize, usize)| {
            let whole = Rle::of(&Mask::from_fn(size.0, size.1, |_, _| true)).text();
            Line {
                index: 0,
                image: file.path().display().to_string(),
                expression: "0".into(),
                text: "the mug".into(),
                kind: String::new(),
                want: Status::Found,
                problem: String::new(),
                size,
                truth: whole.clone(),
                answer: whole,
                rows: Vec::new(),
            }
        };
        assert!(picture(&line((4, 3)), &mut ParquetImages::default()).is_some());
        assert!(picture(&line((40, 30)), &mut ParquetImages::default()).is_none());
    }
}
