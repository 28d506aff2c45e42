//! `Labels`: proposals read from a label image, one for each pixel value but 0.

use super::budget::check_budget;
use super::generator::{FrameInput, ProposalGenerator};
use super::proposal::Proposal;
use referseg_config::ProposalSettings;
use referseg_files::fingerprint::{of_optional_file, Fingerprint};
use referseg_files::{Error, Result};
use referseg_image::{Frame, LabelImage};
use std::path::{Path, PathBuf};

/// Raised when the same image gives other proposals.
const VERSION: u32 = 1;

/// Most regions of a label image: as many as `proposals.limit` may ask of a generator. An image with more is a
/// photograph or a gradient, not labels.
const MAX_REGIONS: usize = 1000;

/// The generator.
pub struct Labels {
    image: LabelImage,
    proposals: Vec<Proposal>,
    /// `None` for images from memory.
    file: Option<PathBuf>,
    fingerprint: Fingerprint,
}

impl Labels {
    /// Proposals of a label image.
    ///
    /// # Errors
    /// When it has too many regions.
    pub fn new(image: LabelImage) -> Result<Labels> {
        let fingerprint = Fingerprint::of("labels", VERSION, &[&format!("{image:?}")]);
        Labels::of(image, None, fingerprint)
    }

    /// Reads a label image ([`LabelImage::open`]).
    ///
    /// # Errors
    /// When the file can't be used or has too many regions.
    pub fn open(path: &Path) -> Result<Labels> {
        let fingerprint = Fingerprint::of("labels", VERSION, &[&of_optional_file(path)]);
        let labels = Labels::of(LabelImage::open(path)?, Some(path.into()), fingerprint);
        labels.map_err(|error| error.about(path.display()))
    }

    fn of(image: LabelImage, file: Option<PathBuf>, fingerprint: Fingerprint) -> Result<Labels> {
        let proposals = of_labels(&image)?;
        Ok(Labels { image, proposals, file, fingerprint })
    }
}

/// One proposal for each value of a label image but 0, in ascending order.
///
/// # Errors
/// When it has too many values.
pub fn of_labels(image: &LabelImage) -> Result<Vec<Proposal>> {
    let regions = image.regions();
    if regions > MAX_REGIONS {
        let fact = format!("{regions} different values; expected a label image with at most {MAX_REGIONS} regions");
        return Err(Error::Proposals(fact));
    }
    check_budget(image.width(), image.height(), regions)?;
    let proposal = |(label, mask)| Proposal { label: Some(label), ..Proposal::of_mask(mask) };
    Ok(image.masks().into_iter().map(proposal).collect())
}

/// # Errors
/// When a label image does not fit a frame.
pub fn check_same_size(image: &LabelImage, frame: &Frame) -> Result<()> {
    if (image.width(), image.height()) == (frame.width(), frame.height()) {
        return Ok(());
    }
    Err(Error::Proposals(format!(
        "the label image is {}x{}, the frame {}x{}; expected the same size",
        image.width(),
        image.height(),
        frame.width(),
        frame.height()
    )))
}

impl ProposalGenerator for Labels {
    fn propose(&mut self, input: &FrameInput) -> Result<Vec<Proposal>> {
        check_same_size(&self.image, input.frame)?;
        Ok(self.proposals.clone())
    }

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint.clone()
    }

    fn reconfigure(&mut self, settings: &ProposalSettings) -> bool {
        self.file.is_some() && settings.generator.argument.as_deref().map(Path::new) == self.file.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use referseg_image::Frame;

    #[test]
    fn each_value_but_zero_is_one_proposal() {
        let mut labels = Labels::new(LabelImage::new(3, 1, vec![7, 0, 300]).unwrap()).unwrap();
        let frame = Frame::new(3, 1, vec![0; 9]).unwrap();
        let found = labels.propose(&FrameInput::single(&frame)).unwrap();
        assert_eq!(found.iter().map(|p| p.label).collect::<Vec<_>>(), [Some(7), Some(300)]);
        assert_eq!(found[1].mask.to_pixels(), [false, false, true]);
    }

    #[test]
    fn another_size_is_refused_with_both_sizes() {
        let frame = Frame::new(2, 2, vec![0; 12]).unwrap();
        let mut labels = Labels::new(LabelImage::new(1, 1, vec![1]).unwrap()).unwrap();
        let message = labels.propose(&FrameInput::single(&frame)).unwrap_err().to_string();
        assert!(message.contains("1x1") && message.contains("2x2"), "{message}");
    }

    #[test]
    fn a_gradient_is_not_a_label_image() {
        let gradient = LabelImage::new(256, 256, (0..65_536).collect()).unwrap();
        let refused = Labels::new(gradient).err().unwrap().to_string();
        assert!(refused.contains("65535 different values; expected a label image with at most 1000"), "{refused}");
    }
}
