//! `referseg segment`: one image, one or more expressions.

use crate::stdout::print_line;
use crate::ModelArguments;
use ::image::{ExtendedColorType, ImageFormat};
use referseg::answer::{Answer, Status};
use referseg::answer_json::describe;
use referseg::camera::{check_aligned, CameraModel, DepthImage, Pinhole};
use referseg::dialogue::{ask_back, Conversation};
use referseg::drawing;
use referseg::files::atomic_file::{refuse_inputs, AtomicFile};
use referseg::grounding::Segmenter;
use referseg::image::{self, Frame, LabelImage, Mask};
use referseg::language::Command;
use referseg::proposals::FrameInput;
use referseg::{Error, Result};
use serde_json::Value;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The image: PNG, JPEG, WebP, BMP, TIFF or PNM; - is standard input
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// What to find; repeatable
    #[arg(long, required = true)]
    text: Vec<String>,
    /// Write the mask, 0 and 255 (with several texts: NAME-1.png, NAME-2.png, ...); .png, .jpg, .webp, .bmp or .tiff
    #[arg(long, value_name = "FILE")]
    mask: Option<PathBuf>,
    /// Write the image with the answer drawn on it (numbered like the masks)
    #[arg(long, value_name = "FILE")]
    overlay: Option<PathBuf>,
    /// The depth image of the same view: a PNG of 16 bits
    #[arg(long, value_name = "FILE")]
    depth: Option<PathBuf>,
    /// Metres of one unit of the depth image
    #[arg(long, value_name = "METRES", default_value_t = 0.001, requires = "depth")]
    depth_scale: f64,
    /// Focal lengths and principal point of the depth camera, pixels of the depth image: for distances, and positions in space
    #[arg(long, value_name = "FX,FY,CX,CY", value_parser = four_numbers, requires = "depth")]
    intrinsics: Option<[f64; 4]>,
    /// Print one JSON object for each text, one a line
    #[arg(long)]
    json: bool,
    /// Take the texts as one conversation: each is heard in the light of those before ("the mug", "the left one", "no, the other one")
    #[arg(long)]
    dialogue: bool,
}

/// Four numbers with commas between them.
fn four_numbers(text: &str) -> std::result::Result<[f64; 4], String> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(|| "expected four numbers, FX,FY,CX,CY".into())
}

impl Arguments {
    /// The files that are read, which no output may replace.
    fn inputs(&self) -> Vec<&Path> {
        std::iter::once(self.image.as_path()).chain(self.model.config.as_deref()).chain(self.depth.as_deref()).collect()
    }

    /// The depth image, with its camera where that is given.
    fn depth(&self, frame: &Frame) -> Result<Option<DepthImage>> {
        let Some(path) = &self.depth else { return Ok(None) };
        if !(self.depth_scale > 0.0 && self.depth_scale.is_finite()) {
            return Err(Error::config("--depth-scale", format!("{} m; expected more than 0", self.depth_scale)));
        }
        let depth = DepthImage::of_units(&LabelImage::open(path)?, self.depth_scale);
        check_aligned(&Mask::empty(frame.width(), frame.height()), &depth)
            .map_err(|fact| Error::config(path.display().to_string(), fact))?;
        let Some([fx, fy, cx, cy]) = self.intrinsics else { return Ok(Some(depth)) };
        let k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0];
        let (width, height) = (depth.width, depth.height);
        let camera = Pinhole::of(&CameraModel { width, height, k, ..Default::default() }, width, height, false);
        let camera = camera.map_err(|error| Error::config("--intrinsics", error.to_string()))?;
        Ok(Some(depth.seen_by(camera)))
    }
}

pub fn run(arguments: &Arguments) -> Result<u8> {
    for output in [&arguments.mask, &arguments.overlay].into_iter().flatten() {
        refuse_inputs(output, &arguments.inputs())?;
        format_of(output)?;
    }
    let frame = read(&arguments.image)?;
    let segmenter = Segmenter::open(arguments.model.config()?)?;
    let depth = arguments.depth(&frame)?;
    let encoded = segmenter.encode_frame(&FrameInput { depth: depth.as_ref(), ..FrameInput::single(&frame) })?;
    let (mut worst, mut conversation) = (0, Conversation::default());
    for (index, text) in arguments.text.iter().enumerate() {
        let command = Command::parse(text).and_then(|command| match arguments.dialogue {
            true => conversation.hear(&segmenter, &command),
            false => segmenter.encode_command(&command),
        });
        let answered = command.and_then(|command| {
            let mut answer = segmenter.answer(&encoded, &command)?;
            answer.question = ask_back(&segmenter, &encoded, &command, &answer)?;
            conversation.answered(&segmenter, &encoded, &answer);
            Ok(answer)
        });
        let code = match &answered {
            Ok(answer) => {
                let number = (arguments.text.len() > 1).then_some(index + 1);
                save(arguments, number, &frame, answer)?;
                u8::from(answer.status != Status::Found)
            }
            Err(_) => 2,
        };
        worst = worst.max(code);
        let described = describe(text, &encoded, &answered);
        if arguments.json {
            print_line(described)?;
        } else {
            print_line(in_words(&described))?;
        }
    }
    Ok(worst)
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
    let question = match word("question") {
        "" => String::new(),
        question => format!("\n    {question}"),
    };
    format!(
        "{}: {} target {:?} score {:.3} margin {:.3}{place}{why}{question}",
        described["text"],
        word("status"),
        word("target"),
        number("score"),
        number("margin"),
    )
}

/// The image, upright; says when it was turned.
fn read(path: &Path) -> Result<Frame> {
    let (bytes, name) = match path.to_str() {
        Some("-") => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(Error::file(path))?;
            (bytes, "standard input".to_string())
        }
        _ => (std::fs::read(path).map_err(Error::file(path))?, path.display().to_string()),
    };
    let picture = image::read(&bytes).map_err(|error| error.about(&name))?;
    if picture.turned {
        eprintln!("referseg: {name}: turned as its EXIF orientation says; masks and boxes are of the upright picture");
    }
    Ok(picture.frame)
}

/// The format that a file's ending names; PNG for none.
fn format_of(path: &Path) -> Result<ImageFormat> {
    if path.extension().is_none() {
        return Ok(ImageFormat::Png);
    }
    let known = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Tiff];
    ImageFormat::from_path(path).ok().filter(|format| known.contains(format)).ok_or_else(|| {
        let fact = "no ending of an image; expected .png, .jpg, .webp, .bmp or .tiff";
        Error::config(path.display().to_string(), fact)
    })
}

fn save(arguments: &Arguments, number: Option<usize>, frame: &Frame, answer: &Answer) -> Result<()> {
    let (width, height) = (frame.width(), frame.height());
    let found = answer.shown();
    let save = |path: &Path, bytes: &[u8], colour| {
        let path = numbered(path, number);
        AtomicFile::write(&path, &arguments.inputs(), &encoded(bytes, width, height, colour, format_of(&path)?)?)
    };
    if let Some(path) = &arguments.mask {
        let empty = Mask::empty(width, height);
        save(path, &found.as_ref().map_or(&empty, |(mask, _)| mask).to_mono8(255), ExtendedColorType::L8)?;
    }
    if let Some(path) = &arguments.overlay {
        save(path, &drawing::draw_things(frame, &answer.found, answer.destination.as_ref()), ExtendedColorType::Rgb8)?;
    }
    Ok(())
}

fn encoded(
    bytes: &[u8],
    width: usize,
    height: usize,
    colour: ExtendedColorType,
    format: ImageFormat,
) -> Result<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    ::image::write_buffer_with_format(&mut file, bytes, width as u32, height as u32, colour, format)
        .map_err(|cause| Error::Image(format!("can't be written as {format:?}: {cause}")))?;
    Ok(file.into_inner())
}

fn numbered(path: &Path, number: Option<usize>) -> PathBuf {
    let Some(number) = number else { return path.to_path_buf() };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{number}.{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_texts_get_numbered_files() {
        assert_eq!(numbered(Path::new("a/mask.png"), Some(2)), Path::new("a/mask-2.png"));
        assert_eq!(numbered(Path::new("a/mask.jpg"), Some(1)), Path::new("a/mask-1.jpg"));
        assert_eq!(numbered(Path::new("a/mask.png"), None), Path::new("a/mask.png"));
    }
}
