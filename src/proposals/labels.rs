//! `Labels`: proposals handed in as a label image, one for each pixel value but 0.

use super::{Proposal, ProposeMasks};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::mask::Mask;
use std::collections::BTreeMap;
use std::path::Path;

/// A label image, row-major.
pub struct Labels {
    width: usize,
    height: usize,
    values: Vec<u32>,
}

impl Labels {
    /// Labels from memory, `width * height` values.
    ///
    /// # Errors
    /// When there are more or fewer values.
    pub fn new(width: usize, height: usize, values: Vec<u32>) -> Result<Labels> {
        if values.len() != width * height {
            let fact = format!("{} labels for {width}x{height} pixels", values.len());
            return Err(Error::Proposals(fact));
        }
        Ok(Labels { width, height, values })
    }

    /// Reads a grey or palette PNG of 8 or 16 bits.
    ///
    /// # Errors
    /// When the file can't be read, or its colours are no single numbers.
    pub fn open(path: &Path) -> Result<Labels> {
        let bytes = std::fs::read(path).map_err(Error::file(path))?;
        let picture = image::load_from_memory(&bytes)
            .map_err(|cause| Error::Proposals(format!("{path:?} is no readable PNG: {cause}")))?;
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let values = match picture {
            image::DynamicImage::ImageLuma8(grey) => grey.into_raw().into_iter().map(u32::from).collect(),
            image::DynamicImage::ImageLuma16(grey) => grey.into_raw().into_iter().map(u32::from).collect(),
            other => {
                let fact = format!("{path:?} is {:?}; expected a grey PNG of 8 or 16 bits", other.color());
                return Err(Error::Proposals(fact));
            }
        };
        Labels::new(width, height, values)
    }

    /// One proposal for each value, in ascending order.
    pub fn proposals(&self) -> Vec<Proposal> {
        let mut masks: BTreeMap<u32, Vec<bool>> = BTreeMap::new();
        for (pixel, value) in self.values.iter().enumerate().filter(|(_, value)| **value != 0) {
            masks.entry(*value).or_insert_with(|| vec![false; self.values.len()])[pixel] = true;
        }
        let proposal =
            |(label, inside)| Proposal { mask: Mask::new(self.width, self.height, inside), label: Some(label) };
        masks.into_iter().map(proposal).collect()
    }
}

impl ProposeMasks for Labels {
    fn propose(&mut self, frame: &Frame) -> Result<Vec<Proposal>> {
        if (self.width, self.height) != (frame.width(), frame.height()) {
            return Err(Error::Proposals(format!(
                "the label image is {}x{}, the picture {}x{}; expected the same size",
                self.width,
                self.height,
                frame.width(),
                frame.height()
            )));
        }
        Ok(self.proposals())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_but_zero_is_one_proposal() {
        let labels = Labels::new(3, 1, vec![7, 0, 300]).unwrap();
        let found = labels.proposals();
        assert_eq!(found.iter().map(|p| p.label).collect::<Vec<_>>(), [Some(7), Some(300)]);
        assert_eq!(found[1].mask.pixels(), [false, false, true]);
    }

    #[test]
    fn another_size_is_refused_with_both_sizes() {
        let frame = Frame::new(2, 2, vec![0; 12]).unwrap();
        let message = Labels::new(1, 1, vec![1]).unwrap().propose(&frame).unwrap_err().to_string();
        assert!(message.contains("1x1") && message.contains("2x2"), "{message}");
    }
}
