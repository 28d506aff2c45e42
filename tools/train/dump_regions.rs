//! Region proposals of rendered training scenes, for `train.py`: what the model meets at run time, good
//! and bad, is what it should learn to tell apart.
//!
//!     cargo run --release --example dump_regions -- DATA/train 8000
//!
//! Reads `rgb.bin`, `ids.bin`, `scenes.jsonl`; writes `regions.bin` (masks, 8 pixels a byte, first pixel
//! highest) and `regions.jsonl` (for each scene, a list of [object id, IoU] in the order of its masks).

use referseg::config::{Config, Layer};
use referseg::image::{Frame, Mask};
use referseg::proposals::{FrameInput, ProposalGenerator, Regions};
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

const KEPT: usize = 40;
/// IoU from which a proposal has found an object.
const GOOD: f32 = 0.6;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, count] = &arguments[..] else { return Err("usage: dump_regions DIR COUNT".into()) };
    let (folder, count) = (Path::new(folder), count.parse::<usize>()?);
    let first = std::fs::read_to_string(folder.join("scenes.jsonl"))?;
    let first: serde_json::Value = serde_json::from_str(first.lines().next().ok_or("no scenes")?)?;
    let side = |key: &str| first[key].as_u64().ok_or("no size").map(|side| side as usize);
    let (width, height) = (side("width")?, side("height")?);
    let layers = [Layer::value("limit", "proposals.limit", KEPT as u64)];
    let mut regions = Regions::new(&Config::from_layers(&layers)?.proposals);
    let (mut images, mut labels) = (File::open(folder.join("rgb.bin"))?, File::open(folder.join("ids.bin"))?);
    let mut masks = BufWriter::new(File::create(folder.join("regions.bin"))?);
    let mut lines = BufWriter::new(File::create(folder.join("regions.jsonl"))?);
    for _ in 0..count {
        let (mut rgb, mut ids) = (vec![0; width * height * 3], vec![0; width * height]);
        images.read_exact(&mut rgb)?;
        labels.read_exact(&mut ids)?;
        let objects: Vec<Mask> = (1..=ids.iter().copied().max().unwrap_or(0))
            .map(|id| Mask::from_fn(width, height, |x, y| ids[y * width + x] == id))
            .collect();
        let mut entries = Vec::new();
        let frame = Frame::new(width, height, rgb)?;
        for (number, proposal) in regions.propose(&FrameInput::single(&frame))?.into_iter().enumerate() {
            let overlaps = objects.iter().map(|object| object.iou(&proposal.mask)).enumerate();
            let best = overlaps.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0));
            // of those that found nothing a third is enough
            if best.1 < GOOD && number % 3 != 0 {
                continue;
            }
            entries.push((best.0 + 1, (best.1 * 1000.0).round() / 1000.0));
            let pixels = proposal.mask.to_pixels();
            let packed = pixels.chunks(8).map(|eight| {
                eight.iter().enumerate().fold(0u8, |byte, (bit, inside)| byte | u8::from(*inside) << (7 - bit))
            });
            masks.write_all(&packed.collect::<Vec<u8>>())?;
        }
        writeln!(lines, "{}", serde_json::to_string(&entries)?)?;
    }
    masks.flush()?;
    Ok(lines.flush()?)
}
