//! `Run`: every expression of a dataset answered by every row of a table, a line of JSON for each.
//!
//! Images are worked through in the dataset's order and an image's lines are written at once, so a run that
//! was killed goes on behind its last whole image and ends with the same bytes. Shards take every n-th image;
//! merged by the expressions' numbers, their lines are those of one whole run.

use super::cache::Cache;
use super::coco_mask::Runs;
use super::dataset::{Dataset, ImageEntry};
use super::overlap::{oracle, Shared};
use super::results::{json, kept_of, Header, Line, Outcome};
use crate::command::Command;
use crate::config::{Config, Generator, Method, Parser, ProposalSettings, TextSettings};
use crate::digest;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::mask::Mask;
use crate::noun_phrase::Extractor;
use crate::proposals::{self, Proposal, ProposeMasks};
use crate::segmenter::{Query, Scene, Segmenter};
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A row of the table: a name and the settings behind it.
pub struct Row {
    /// As the table shows it.
    pub name: String,
    /// Its settings; the model and the device are the same in all rows.
    pub config: Config,
}

/// How a run is done.
pub struct Run<'a> {
    /// What is asked.
    pub dataset: &'a Dataset,
    /// Who answers.
    pub rows: Vec<Row>,
    /// Whether the targets themselves are the proposals.
    pub truth: bool,
    /// Which part of the images, counted from 1, of how many.
    pub shard: (usize, usize),
    /// Where proposals and features are kept.
    pub cache: Option<PathBuf>,
}

impl Run<'_> {
    /// What this run's file begins with.
    ///
    /// # Errors
    /// When the model's file can't be read.
    pub fn header(&self, segmenter: &Segmenter) -> Result<Header> {
        let settings = |row: &Row| -> Result<(String, String)> {
            let Config { method, visual, text, proposals, .. } = &row.config;
            // not where a file is, for shards may be done on several machines
            let text = TextSettings { parser_model: PathBuf::new(), ..text.clone() };
            let proposals = if self.truth { String::new() } else { identity(proposals)? };
            let hash = digest::of_texts(&[&format!("{method:?}{visual:?}{text:?}"), &proposals]);
            Ok((row.name.clone(), hash[..16].into()))
        };
        let asked: Vec<&str> = self
            .dataset
            .images
            .iter()
            .flat_map(|image| &image.expressions)
            .flat_map(|e| [e.id.as_str(), &e.text])
            .collect();
        Ok(Header {
            referseg: env!("CARGO_PKG_VERSION").into(),
            dataset: self.dataset.name.clone(),
            split: self.dataset.split.clone(),
            images: self.dataset.images.len(),
            expressions: self.dataset.expressions(),
            asked: digest::of_texts(&asked)[..16].into(),
            truth: self.truth,
            model: digest::of_file(segmenter.weights_file())?,
            rows: self.rows.iter().map(settings).collect::<Result<_>>()?,
        })
    }

    /// Answers everything that `out` has no line for yet. `progress` hears the images done and the images of
    /// this shard.
    ///
    /// # Errors
    /// When `out` holds another run, or a file or the device fails. Images and annotations that can't be used
    /// are problems of their lines, not errors.
    pub fn go(&self, segmenter: &mut Segmenter, out: &Path, progress: &mut dyn FnMut(usize, usize)) -> Result<()> {
        let header = self.header(segmenter)?;
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
        let (done, kept) = kept_of(out, &header, &mine)?;
        file.set_len(kept).map_err(Error::file(out))?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).map_err(Error::file(out))?;
        if kept == 0 {
            file.write_all(json(&header)?.as_bytes()).map_err(Error::file(out))?;
        }
        let mut worker = Worker::open(self, segmenter, &header.model)?;
        for (count, (first, image)) in mine.iter().enumerate() {
            progress(count, mine.len());
            if count < done {
                continue;
            }
            let lines = worker.lines(*first, image)?;
            let text: Vec<String> = lines.iter().map(json).collect::<Result<_>>()?;
            file.write_all(text.concat().as_bytes()).map_err(Error::file(out))?;
        }
        progress(mine.len(), mine.len());
        Ok(())
    }
}

/// What tells one generator's proposals from another's: this program, the settings, and the weights if it has any.
fn identity(settings: &ProposalSettings) -> Result<String> {
    let mut settings = settings.clone();
    let weights = match settings.generator {
        Generator::Sam => digest::of_file(&proposals::sam::weights_file(&settings.sam.model))?,
        _ => String::new(),
    };
    settings.sam.model = PathBuf::new();
    Ok(digest::of_texts(&[env!("CARGO_PKG_VERSION"), &format!("{settings:?}"), &weights]))
}

/// The settings by which a row's features are encoded: both features whatever their weights, so that rows share
/// them, and cropping reads the local one of both.
fn encoding(config: &Config) -> Config {
    let mut config = config.clone();
    if config.method == Method::Cropping {
        config.method = Method::GlobalLocal;
    }
    config.visual.global_weight = 0.5;
    config
}

/// The model with what the rows need beside it.
struct Worker<'a> {
    run: &'a Run<'a>,
    segmenter: &'a mut Segmenter,
    cache: Cache,
    generators: HashMap<String, Box<dyn ProposeMasks>>,
    extractors: Vec<(Parser, Extractor)>,
    /// For each row: the keys of its proposals and of its features.
    keys: Vec<(String, String)>,
}

impl<'a> Worker<'a> {
    fn open(run: &'a Run, segmenter: &'a mut Segmenter, model: &str) -> Result<Worker<'a>> {
        let mut generators: HashMap<String, Box<dyn ProposeMasks>> = HashMap::new();
        let mut extractors: Vec<(Parser, Extractor)> = Vec::new();
        let mut keys = Vec::new();
        for Row { config, .. } in &run.rows {
            let settings = &config.proposals;
            let of_proposals = match run.truth {
                true => "truth".to_string(),
                false => identity(settings)?,
            };
            if !run.truth && !generators.contains_key(&of_proposals) {
                generators.insert(of_proposals.clone(), proposals::open(settings, segmenter.device())?);
            }
            if !extractors.iter().any(|(parser, _)| *parser == config.text.parser) {
                extractors.push((config.text.parser, Extractor::open(&config.text)?));
            }
            let Config { method, visual, .. } = encoding(config);
            let of_features = digest::of_texts(&[model, &format!("{method:?}{visual:?}"), &of_proposals]);
            keys.push((of_proposals, of_features));
        }
        let cache = Cache::open(run.cache.clone())?;
        Ok(Worker { run, segmenter, cache, generators, extractors, keys })
    }

    /// The lines of an image, whose first expression has the number `first`.
    fn lines(&mut self, first: usize, image: &ImageEntry) -> Result<Vec<Line>> {
        let blank = |number: usize, problem: String| {
            let expression = &image.expressions[number];
            Line {
                index: first + number,
                image: image.picture.to_string(),
                expression: expression.id.clone(),
                text: expression.text.clone(),
                kind: expression.kind.clone().unwrap_or_default(),
                problem,
                size: (0, 0),
                truth: String::new(),
                answer: String::new(),
                rows: Vec::new(),
            }
        };
        let opened =
            image.picture.bytes().and_then(|bytes| Ok((image.picture.decoded(&bytes)?, digest::of_bytes(&bytes))));
        let (frame, picture) = match opened {
            Ok(opened) => opened,
            Err(error) => return Ok((0..image.expressions.len()).map(|n| blank(n, error.to_string())).collect()),
        };
        let size = (frame.width(), frame.height());
        let truths: Vec<std::result::Result<Mask, String>> = image
            .targets
            .iter()
            .map(|target| target.shape.mask(size.0, size.1))
            .map(|mask| mask.and_then(|m| if m.area() > 0 { Ok(m) } else { Err("no pixel inside".into()) }))
            .collect();
        let scenes = self.scenes(&frame, &picture, &truths)?;
        let mut lines = Vec::new();
        for (number, expression) in image.expressions.iter().enumerate() {
            let truth = match truths.get(expression.target) {
                Some(Ok(truth)) => truth,
                Some(Err(why)) => {
                    lines.push(blank(number, format!("annotation: {why}")));
                    continue;
                }
                None => {
                    lines.push(blank(number, "annotation: absent".into()));
                    continue;
                }
            };
            let queries = self.queries(&expression.text)?;
            let mut line = blank(number, String::new());
            line.size = size;
            line.truth = Runs::of(truth).text();
            for (index, row) in self.run.rows.iter().enumerate() {
                let scene = &scenes[&self.keys[index].1];
                self.segmenter.set_config(row.config.clone())?;
                let query = queries.iter().find(|(parser, _)| *parser == row.config.text.parser);
                // words that are none find nothing
                let answer = query.map(|(_, query)| self.segmenter.answer(scene, query)).transpose()?;
                let proposal = answer.as_ref().and_then(|answer| answer.best);
                let chosen = proposal.map(|proposal| &scene.proposals[proposal]);
                let shared = Shared::of(chosen.map(|p| &p.mask), truth);
                let itself = chosen.and_then(|p| p.label) == Some(expression.target as u32 + 1);
                if index == 0 {
                    line.answer = chosen.map(|p| Runs::of(&p.mask).text()).unwrap_or_default();
                }
                line.rows.push(Outcome {
                    proposals: scene.proposals.len(),
                    oracle: Shared::of(oracle(&scene.proposals, truth), truth),
                    proposal,
                    shared,
                    right: if self.run.truth { itself } else { shared.iou() >= 0.5 },
                    score: answer.map_or(0.0, |answer| answer.score),
                });
            }
            lines.push(line);
        }
        Ok(lines)
    }

    /// The encoded frame for every key of features.
    fn scenes(
        &mut self,
        frame: &Frame,
        picture: &str,
        truths: &[std::result::Result<Mask, String>],
    ) -> Result<HashMap<String, Scene>> {
        let size = (frame.width(), frame.height());
        let mut scenes: HashMap<String, Scene> = HashMap::new();
        let mut proposed: HashMap<&str, Vec<Proposal>> = HashMap::new();
        for (index, Row { config, .. }) in self.run.rows.iter().enumerate() {
            let (of_proposals, of_features) = &self.keys[index];
            if scenes.contains_key(of_features) {
                continue;
            }
            if !proposed.contains_key(of_proposals.as_str()) {
                let found = match self.generators.get_mut(of_proposals) {
                    Some(generator) => {
                        let key = digest::of_texts(&[picture, of_proposals]);
                        self.cache.proposals(&key, || generator.propose(frame), size)?
                    }
                    None => {
                        let labelled = truths.iter().zip(1..).filter_map(|(truth, label)| {
                            Some(Proposal { mask: truth.as_ref().ok()?.clone(), label: Some(label) })
                        });
                        labelled.collect()
                    }
                };
                proposed.insert(of_proposals, found);
            }
            let proposals = &proposed[of_proposals.as_str()];
            self.segmenter.set_config(encoding(config))?;
            // true masks are part of the key, for annotations of one picture may differ between datasets
            let masks: Vec<String> = match self.run.truth {
                true => proposals.iter().map(|p| Runs::of(&p.mask).text()).collect(),
                false => Vec::new(),
            };
            let key = digest::of_texts(&[picture, of_features, &masks.join(" ")]);
            let segmenter = &self.segmenter;
            let features = match proposals.is_empty() {
                true => None,
                false => Some(
                    self.cache.features(&key, segmenter.device(), || segmenter.visual_features(frame, proposals))?,
                ),
            };
            scenes.insert(of_features.clone(), Scene::of(proposals.clone(), features));
        }
        Ok(scenes)
    }

    /// The encoded expression for every parser; none when it has no words.
    fn queries(&self, text: &str) -> Result<Vec<(Parser, Query)>> {
        let Ok(command) = Command::parse(text) else { return Ok(Vec::new()) };
        let query = |(parser, extractor): &(Parser, Extractor)| {
            let target = extractor.target(command.text());
            Ok((*parser, self.segmenter.query_for(command.text(), &target)?))
        };
        self.extractors.iter().map(query).collect()
    }
}
