//! `referseg segment`: one picture, one or more expressions.

use crate::ModelArguments;
use referseg::command::Command;
use referseg::frame::Frame;
use referseg::mask::Mask;
use referseg::overlay;
use referseg::scoring::Status;
use referseg::segmenter::{Answer, Query, Scene, Segmenter};
use referseg::{Error, Result};
use serde_json::{json, Value};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The picture: PNG or JPEG
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// What to find; may be given several times
    #[arg(long, required = true)]
    text: Vec<String>,
    /// Write the mask here, 0 and 255 (with several texts: NAME-1.png, NAME-2.png, ...)
    #[arg(long, value_name = "FILE.png")]
    mask: Option<PathBuf>,
    /// Write the picture with the answer drawn on it here (numbered like the masks)
    #[arg(long, value_name = "FILE.png")]
    overlay: Option<PathBuf>,
    /// Print one JSON object for each text, one a line
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let frame = Frame::open(&arguments.image)?;
    let mut segmenter = Segmenter::open(arguments.model.config()?)?;
    let scene = segmenter.scene(&frame)?;
    let mut worst = 0;
    for (index, text) in arguments.text.iter().enumerate() {
        let asked = Command::parse(text).and_then(|command| segmenter.query(&command));
        let answered = asked.and_then(|query| Ok((segmenter.answer(&scene, &query)?, query)));
        let code = match &answered {
            Ok((answer, _)) => {
                let number = (arguments.text.len() > 1).then_some(index + 1);
                save(arguments, number, &frame, answer, &scene)?;
                u8::from(answer.status != Status::Found)
            }
            Err(_) => 2,
        };
        worst = worst.max(code);
        let described = describe(text, &scene, &answered);
        if arguments.json {
            println!("{described}");
        } else {
            println!("{}", in_words(&described));
        }
    }
    Ok(ExitCode::from(worst))
}

/// One answer as the JSON object that the README promises; all keys are there whatever the status.
fn describe(text: &str, scene: &Scene, answered: &Result<(Answer, Query)>) -> Value {
    let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    let mut times = json!({"proposals": ms(scene.proposals_time), "visual_features": ms(scene.features_time)});
    match answered {
        Ok((answer, query)) => {
            times["text_features"] = json!(ms(query.time));
            times["scoring"] = json!(ms(answer.time));
            json!({
                "status": answer.status,
                "reason": answer.reason,
                "text": text,
                "target": query.target,
                "score": answer.score,
                "margin": answer.margin,
                "box": answer.mask(scene).map(|(_, extent)| extent),
                "proposals": scene.proposals.len(),
                "proposal": answer.best,
                "label": answer.best.and_then(|best| scene.proposals[best].label),
                "times_ms": times,
            })
        }
        Err(error) => json!({
            "status": Status::Error,
            "reason": error.to_string(),
            "text": text,
            "target": "",
            "score": 0.0,
            "margin": 0.0,
            "box": null,
            "proposals": scene.proposals.len(),
            "proposal": null,
            "label": null,
            "times_ms": times,
        }),
    }
}

fn in_words(described: &Value) -> String {
    let word = |key: &str| described[key].as_str().unwrap_or_default();
    let number = |key: &str| described[key].as_f64().unwrap_or_default();
    let b = &described["box"];
    let place = match b {
        Value::Null => String::new(),
        _ => format!(" box {}x{}+{}+{}", b["width"], b["height"], b["x"], b["y"]),
    };
    let why = match word("reason") {
        "" => String::new(),
        reason => format!(" ({reason})"),
    };
    format!(
        "{}: {} target {:?} score {:.3} margin {:.3}{place}{why}",
        described["text"],
        word("status"),
        word("target"),
        number("score"),
        number("margin"),
    )
}

fn save(arguments: &Arguments, number: Option<usize>, frame: &Frame, answer: &Answer, scene: &Scene) -> Result<()> {
    let (width, height) = (frame.width(), frame.height());
    let found = answer.mask(scene);
    if let Some(path) = &arguments.mask {
        let empty = Mask::new(width, height, vec![false; width * height]);
        let bytes = found.map_or(&empty, |(mask, _)| mask).to_mono8();
        write(&numbered(path, number), &bytes, width, height, image::ColorType::L8)?;
    }
    if let Some(path) = &arguments.overlay {
        let bytes = overlay::draw(frame, found);
        write(&numbered(path, number), &bytes, width, height, image::ColorType::Rgb8)?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8], width: usize, height: usize, kind: image::ColorType) -> Result<()> {
    image::save_buffer_with_format(path, bytes, width as u32, height as u32, kind, image::ImageFormat::Png)
        .map_err(|cause| Error::Image(format!("{path:?} can't be written: {cause}")))
}

fn numbered(path: &Path, number: Option<usize>) -> PathBuf {
    let Some(number) = number else { return path.to_path_buf() };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{number}.png"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_texts_get_numbered_files() {
        assert_eq!(numbered(Path::new("a/mask.png"), Some(2)), Path::new("a/mask-2.png"));
        assert_eq!(numbered(Path::new("a/mask.png"), None), Path::new("a/mask.png"));
    }
}
