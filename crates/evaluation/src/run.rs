//! `Run`: every expression of a dataset answered by every row of a table, a line of JSON for each.
//!
//! Images are worked through in the dataset's order and an image's lines are written at once, so a run that
//! was killed resumes after its last finished image, and the result is byte-identical. Shards take every n-th image;
//! merged by the expressions' numbers, their lines are those of one whole run.

use super::cache::Cache;
use super::dataset::{Dataset, Expression, ImageEntry};
use super::overlap::{box_iou, oracle, IouCounts};
use super::parquet_images::ParquetImages;
use super::results::{json, resume_point, Header, Line, RowResult};
use super::variants::{TextSetup, Variant, Variants};
use referseg_answer::{FoundThing, Status};
use referseg_camera::{DepthGeometry, DepthImage};
use referseg_config::{AnswerSettings, Config, Crops, VisualSettings};
use referseg_files::fingerprint::{of_bytes, of_texts};
use referseg_files::{Error, Result};
use referseg_grounding::{EncodedFrame, Layout, Segmenter};
use referseg_image::Rle;
use referseg_image::{inner_point, Frame, LabelImage, Mask};
use referseg_proposals::{FrameInput, Proposal};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// How a run is done.
pub struct Run<'a> {
    /// What is asked.
    pub dataset: &'a Dataset,
    /// Who answers.
    pub rows: Vec<Variant>,
    /// Whether the targets themselves are the proposals.
    pub truth: bool,
    /// Which part of the images, counted from 1, of how many.
    pub shard: (usize, usize),
    /// Where proposals and features are kept.
    pub cache: Option<PathBuf>,
}

impl Run<'_> {
    /// What this run's file begins with. Where files lie does not count, for shards may be done on several machines.
    fn header(&self, segmenter: &Segmenter, variants: &Variants) -> Header {
        let rows = self.rows.iter().zip(&variants.keys).map(|(row, keys)| (row.name.clone(), keys.hash()));
        Header {
            referseg: env!("CARGO_PKG_VERSION").into(),
            dataset: self.dataset.name.clone(),
            split: self.dataset.split.clone(),
            images: self.dataset.images.len(),
            expressions: self.dataset.expressions(),
            content: self.dataset.fingerprint().text()[..16].into(),
            truth: self.truth,
            model: segmenter.weights_digest().get().into(),
            rows: rows.collect(),
        }
    }

    /// Answers everything that `out` has no line for yet. `progress` is called with the number of images done and of
    /// all images of this shard.
    ///
    /// # Errors
    /// When `out` holds another run, or a file or the device fails. Images and annotations that can't be used
    /// are problems of their lines, not errors.
    pub fn run(&self, segmenter: &Segmenter, out: &Path, progress: &mut dyn FnMut(usize, usize)) -> Result<()> {
        let variants = Variants::open(&self.rows, self.truth, segmenter)?;
        let header = self.header(segmenter, &variants);
        let mut first = 0;
        let mut mine: Vec<(usize, &ImageEntry)> = Vec::new();
        for (number, image) in self.dataset.images.iter().enumerate() {
            if number % self.shard.1 == self.shard.0 - 1 {
                mine.push((first, image));
            }
            first += image.expressions.len();
        }
        let mut file =
            OpenOptions::new().create(true).truncate(false).write(true).open(out).map_err(Error::file(out))?;
        // fully qualified: std has the same from 1.89 on
        if fs4::FileExt::try_lock(&file).is_err() {
            return Err(Error::config(
                out.display().to_string(),
                "another process is writing it; choose another --out",
            ));
        }
        let mut parquet = ParquetImages::default();
        let (done, kept) = resume_point(out, &header, &mine, |image, line| {
            let opened = image.source.bytes(&mut parquet).and_then(|bytes| image.source.decoded(&bytes));
            match opened {
                // the image can be read: what is wrong is the annotation, which is part of the header
                Ok(_) => line.size != (0, 0) || line.problem.starts_with(ANNOTATION),
                Err(error) => error.to_string() == line.problem,
            }
        })?;
        file.set_len(kept).map_err(Error::file(out))?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).map_err(Error::file(out))?;
        if kept == 0 {
            file.write_all(json(&header)?.as_bytes()).map_err(Error::file(out))?;
        }
        let mut evaluator =
            RowEvaluator { run: self, segmenter, cache: Cache::open(self.cache.clone())?, variants, parquet };
        for (count, (first, image)) in mine.iter().enumerate() {
            progress(count, mine.len());
            if count < done {
                continue;
            }
            let lines = evaluator.lines(*first, image)?;
            let text: Vec<String> = lines.iter().map(json).collect::<Result<_>>()?;
            file.write_all(text.concat().as_bytes()).map_err(Error::file(out))?;
        }
        progress(mine.len(), mine.len());
        Ok(())
    }
}

/// How the problems of annotations begin.
const ANNOTATION: &str = "annotation: ";

/// Answers images by all rows.
struct RowEvaluator<'a> {
    run: &'a Run<'a>,
    segmenter: &'a Segmenter,
    cache: Cache,
    variants: Variants,
    parquet: ParquetImages,
}

type Truths = [std::result::Result<Mask, String>];

/// The pixels that an expression means, if it means any.
fn meant<'a>(expression: &Expression, truths: &'a Truths) -> std::result::Result<Option<Cow<'a, Mask>>, String> {
    let truth = |target: usize| match truths.get(target) {
        Some(truth) => truth.as_ref().map_err(String::clone),
        None => Err("absent".into()),
    };
    let Some(target) = expression.target else { return Ok(None) };
    let first = Cow::Borrowed(truth(target)?);
    let joined = |all: Cow<'a, Mask>, other: &usize| Ok::<_, String>(Cow::Owned(all.union(truth(*other)?)));
    expression.others.iter().try_fold(first, joined).map(Some)
}

/// The pixels of all things that were found.
fn union(found: &[FoundThing]) -> Option<Mask> {
    let (first, others) = found.split_first()?;
    Some(others.iter().fold(first.mask.clone(), |all, thing| all.union(&thing.mask)))
}

impl RowEvaluator<'_> {
    /// The lines of an image, whose first expression has the number `first`.
    fn lines(&mut self, first: usize, image: &ImageEntry) -> Result<Vec<Line>> {
        let blank = |number: usize, problem: String| {
            let expression = &image.expressions[number];
            Line {
                index: first + number,
                image: image.source.to_string(),
                expression: expression.id.clone(),
                text: expression.text.clone(),
                kind: expression.kind.clone().unwrap_or_default(),
                want: expression.want,
                problem,
                size: (0, 0),
                truth: String::new(),
                answer: String::new(),
                rows: Vec::new(),
            }
        };
        let bytes = image.source.bytes(&mut self.parquet);
        let opened = bytes.and_then(|bytes| Ok((image.source.decoded(&bytes)?, of_bytes(&bytes))));
        let (frame, digest) = match opened {
            Ok(opened) => opened,
            Err(error) => return Ok((0..image.expressions.len()).map(|n| blank(n, error.to_string())).collect()),
        };
        let size = (frame.width(), frame.height());
        if let Some((width, height)) = image.size.filter(|expected| *expected != size) {
            let fact = format!(
                "{ANNOTATION}made for {width}x{height}, the picture has {}x{}: it is another one, or scaled",
                size.0, size.1
            );
            return Ok((0..image.expressions.len()).map(|n| blank(n, fact.clone())).collect());
        }
        let truths: Vec<std::result::Result<Mask, String>> = image
            .targets
            .iter()
            .map(|target| target.shape.mask(size.0, size.1))
            .map(|mask| mask.and_then(|m| if m.area() > 0 { Ok(m) } else { Err("no pixel inside".into()) }))
            .collect();
        let depth = image.depth.as_deref().and_then(|file| LabelImage::open(file).ok());
        let depth = depth.map(|values| DepthImage::of_units(&values, DepthGeometry::default().metres_per_unit));
        let depth = depth.filter(|depth| (depth.width, depth.height) == size);
        let encoded = self.encode(&frame, depth.as_ref(), &digest, &truths)?;
        let mut lines = Vec::new();
        for (number, expression) in image.expressions.iter().enumerate() {
            let truth = match meant(expression, &truths) {
                Ok(truth) => truth,
                Err(why) => {
                    lines.push(blank(number, format!("{ANNOTATION}{why}")));
                    continue;
                }
            };
            let truth = truth.as_deref();
            let is_several = !expression.others.is_empty();
            let commands = self.variants.encode(self.segmenter, &expression.text)?;
            let mut line = blank(number, String::new());
            line.size = size;
            line.truth = truth.map(|truth| Rle::of(truth).text()).unwrap_or_default();
            for (index, Variant { config, .. }) in self.run.rows.iter().enumerate() {
                let frame = &encoded[self.variants.keys[index].visual.text()];
                let command = commands.iter().find(|(settings, _)| *settings == TextSetup::of(config));
                // an expression without words finds nothing
                let answer = command
                    .map(|(_, command)| self.segmenter.answer_under(config, frame, command, &config.answer))
                    .transpose()?;
                let proposal = answer.as_ref().and_then(|answer| answer.best);
                let chosen = proposal.map(|proposal| &frame.proposals[proposal]);
                let found = answer.as_ref().and_then(|answer| answer.found.iter().find(|t| t.proposal == proposal));
                // a thing that was found may have a refined mask
                let all = answer.as_ref().filter(|_| is_several).and_then(|answer| union(&answer.found));
                let mask = all.as_ref().or(found.map(|thing| &thing.mask)).or(chosen.map(|proposal| &proposal.mask));
                let shared = truth.map(|truth| IouCounts::of(mask, truth)).unwrap_or_default();
                let label = expression.target.map(|target| target as u32 + 1);
                let itself = label.is_some() && chosen.and_then(|p| p.label) == label;
                if index == 0 {
                    line.answer = mask.map(|mask| Rle::of(mask).text()).unwrap_or_default();
                }
                let of_truth = truth.and_then(|truth| {
                    let target = expression.target.and_then(|target| image.targets.get(target));
                    let own = target.filter(|_| !is_several).and_then(|target| target.corners);
                    own.or_else(|| Some(truth.bounding_box()?.corners()))
                });
                // of a free place the best point counts, as of things the best one does, whatever the thresholds
                let wanted = command.filter(|(_, command)| command.parsed.free_place);
                let open = AnswerSettings { min_score: -1.0, min_margin: 0.0, min_probability: 0.0 };
                let best = wanted
                    .map(|(_, command)| self.segmenter.answer_under(config, frame, command, &open))
                    .transpose()?;
                let place = best.and_then(|best| Some(best.destination?.spot?.point));
                let inside = |[x, y]: [f32; 2], truth: &Mask| truth.at(x as usize, y as usize);
                line.rows.push(RowResult {
                    box_iou: mask
                        .and_then(Mask::bounding_box)
                        .map(|rect| rect.corners())
                        .zip(of_truth)
                        .map_or(0.0, |(answer, truth)| box_iou(answer, truth)),
                    middle_inside: place
                        .or_else(|| mask.and_then(inner_point))
                        .zip(truth)
                        .is_some_and(|(place, truth)| inside(place, truth)),
                    proposals: frame.proposals.len(),
                    oracle: truth
                        .map(|truth| IouCounts::of(oracle(&frame.proposals, truth), truth))
                        .unwrap_or_default(),
                    proposal,
                    shared,
                    right: if self.run.truth && !is_several { itself } else { shared.iou() >= 0.5 },
                    excluded_found: expression.never.map(|never| {
                        let never = truths.get(never).and_then(|truth| truth.as_ref().ok());
                        let found = answer.as_ref().map_or(&[][..], |answer| &answer.found[..]);
                        let certain = answer.as_ref().is_some_and(|answer| answer.status == Status::Found);
                        certain && never.is_some_and(|never| found.iter().any(|thing| thing.mask.iou(never) >= 0.5))
                    }),
                    margin: answer.as_ref().map_or(0.0, |answer| answer.margin),
                    score: answer.as_ref().map_or(0.0, |answer| answer.score),
                    status: answer.map_or(Status::NotFound, |answer| answer.status),
                });
            }
            lines.push(line);
        }
        Ok(lines)
    }

    /// The encoded frame for every fingerprint of visual features.
    fn encode(
        &mut self,
        frame: &Frame,
        depth: Option<&DepthImage>,
        digest: &str,
        truths: &Truths,
    ) -> Result<HashMap<String, EncodedFrame>> {
        let size = (frame.width(), frame.height());
        let mut encoded: HashMap<String, EncodedFrame> = HashMap::new();
        let heat = self.run.rows.iter().any(|row| row.config.needs_heat());
        let places = heat.then(|| self.segmenter.encode_places(frame)).transpose()?;
        let mut proposed: HashMap<String, Vec<Proposal>> = HashMap::new();
        for (row, Variant { config, .. }) in self.run.rows.iter().enumerate() {
            let keys = &self.variants.keys[row];
            let (of_proposals, of_features) = (keys.proposals.clone(), keys.visual.clone());
            let kind = keys.kind;
            if encoded.contains_key(of_features.text()) {
                continue;
            }
            let proposals = match proposed.get(of_proposals.text()) {
                Some(known) => known.clone(),
                None => {
                    let found = match self.run.truth {
                        true => true_proposals(truths),
                        false => {
                            let key = of_texts(&[digest, of_proposals.text()]);
                            let variants = &mut self.variants;
                            let propose = || {
                                let input = FrameInput::single(frame);
                                Ok(variants.propose(row, config, &input)?.unwrap_or_default())
                            };
                            self.cache.proposals(&key, propose, size)?
                        }
                    };
                    proposed.insert(of_proposals.text().into(), found.clone());
                    found
                }
            };
            // true masks are part of the key, for annotations of one image may differ between datasets
            let masks: Vec<String> = match self.run.truth {
                true => proposals.iter().map(|p| Rle::of(&p.mask).text()).collect(),
                false => Vec::new(),
            };
            let key = of_texts(&[digest, of_features.text(), &masks.join(" ")]);
            let segmenter = self.segmenter;
            let features = match proposals.is_empty() {
                true => None,
                false => Some(self.cache.features(&key, &segmenter.compute().device, || {
                    segmenter.encode_proposals(&whole(config), kind, frame, &proposals)
                })?),
            };
            let (proposals_time, features_time) = (Duration::ZERO, Duration::ZERO);
            let fingerprint = of_features.clone();
            let layout = Layout::of(&proposals, frame, depth);
            let places = places.clone();
            let encoded_frame = EncodedFrame {
                layout,
                proposals,
                features,
                places,
                frame: frame.clone(),
                depth: depth.cloned(),
                view: OnceLock::new(),
                fingerprint,
                proposals_time,
                features_time,
            };
            encoded.insert(of_features.text().into(), encoded_frame);
        }
        Ok(encoded)
    }
}

/// The settings that make features which all rows can share, and the cache can keep.
fn whole(config: &Config) -> Config {
    let visual = VisualSettings { crops: Crops::All, ..config.visual.clone() };
    Config { visual, ..config.clone() }
}

/// The targets as proposals, numbered from 1.
fn true_proposals(truths: &Truths) -> Vec<Proposal> {
    let labelled = truths.iter().zip(1..).filter_map(|(truth, label)| {
        Some(Proposal { label: Some(label), ..Proposal::of_mask(truth.as_ref().ok()?.clone()) })
    });
    labelled.collect()
}
