//! The pixel budget: how many mask pixels one frame may cost, checked before anything is allocated.

use referseg_files::{Error, Result};

/// Pixels times proposals of one frame. At one bit a pixel this is 0.5 GB in the worst case.
pub const PIXEL_BUDGET: u64 = 4_000_000_000;

/// Refuses frames for which `count` proposals could take too much memory.
///
/// # Errors
/// When `width * height * count` is above [`PIXEL_BUDGET`].
pub fn check_budget(width: usize, height: usize, count: usize) -> Result<()> {
    let pixels = (width * height) as u64;
    if pixels.saturating_mul(count as u64) > PIXEL_BUDGET {
        let most = PIXEL_BUDGET / pixels;
        return Err(Error::Proposals(format!(
            "{count} proposals of a {width}x{height} image are above the pixel budget of {PIXEL_BUDGET}; set \
             proposals.limit to {most} or less, or scale the image down"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_names_the_limit_that_fits() {
        assert!(check_budget(640, 480, 1000).is_ok());
        assert!(check_budget(3840, 2160, 400).is_ok());
        let refused = check_budget(3840, 2160, 1000).unwrap_err().to_string();
        assert!(refused.contains("proposals.limit to 482 or less"), "{refused}");
    }
}
