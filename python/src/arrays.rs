//! numpy's arrays as frames, masks and depth, and back.

use super::errors::BadImage;
use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray2, PyReadonlyArray2, PyReadonlyArray3};
use pyo3::prelude::*;
use referseg::camera::{CameraModel, DepthImage, Pinhole};
use referseg::image::{Frame, LabelImage, Mask};
use referseg::proposals::Proposal;

/// An image uint8 `[h, w, 3]`, RGB.
pub fn frame(array: &Bound<'_, PyAny>) -> PyResult<Frame> {
    let expected = "expected a numpy array uint8 [h, w, 3], RGB";
    let Ok(array) = array.extract::<PyReadonlyArray3<'_, u8>>() else {
        let shape =
            array.getattr("shape").and_then(|shape| shape.str()).map_or_else(|_| String::new(), |s| s.to_string());
        let dtype =
            array.getattr("dtype").and_then(|dtype| dtype.str()).map_or_else(|_| "no array".into(), |s| s.to_string());
        return Err(BadImage::new_err(format!("an image of {dtype} {shape}; {expected}")));
    };
    let view = array.as_array();
    let (height, width, channels) = view.dim();
    if channels != 3 {
        return Err(BadImage::new_err(format!("an image of {channels} channels; {expected}")));
    }
    // rows behind each other are copied at once
    let rgb = match array.as_slice() {
        Ok(rgb) => rgb.to_vec(),
        Err(_) => view.iter().copied().collect(),
    };
    Frame::new(width, height, rgb).map_err(super::errors::raised)
}

/// Masks as proposals: bool `[n, h, w]`, or a label image of whole numbers `[h, w]`, 0 for none.
pub fn proposals(array: &Bound<'_, PyAny>, frame: &Frame) -> PyResult<Vec<Proposal>> {
    let size = (frame.width(), frame.height());
    let check = |width: usize, height: usize| match (width, height) == size {
        true => Ok(()),
        false => {
            Err(BadImage::new_err(format!("masks of {width}x{height}; expected the image's {}x{}", size.0, size.1)))
        }
    };
    if let Ok(masks) = array.extract::<PyReadonlyArray3<'_, bool>>() {
        let view = masks.as_array();
        check(view.dim().2, view.dim().1)?;
        let mask = |plane: numpy::ndarray::ArrayView2<'_, bool>| Mask::from_fn(size.0, size.1, |x, y| plane[[y, x]]);
        let given = view
            .outer_iter()
            .enumerate()
            .map(|(number, plane)| Proposal { label: Some(number as u32 + 1), ..Proposal::of_mask(mask(plane)) });
        return Ok(given.filter(|one| one.mask.area() > 0).collect());
    }
    if let Ok(labels) = array.extract::<PyReadonlyArray2<'_, u32>>() {
        let view = labels.as_array();
        check(view.dim().1, view.dim().0)?;
        let image = LabelImage::new(size.0, size.1, view.iter().copied().collect()).map_err(super::errors::raised)?;
        return referseg::proposals::of_labels(&image).map_err(super::errors::raised);
    }
    Err(BadImage::new_err("masks that are none; expected a numpy array bool [n, h, w], or a label image uint32 [h, w]"))
}

/// Depth: float32 `[h, w]` in metres, NaN for unknown, or uint16 in units of `scale` metres, 0 for unknown; with the depth camera's fx, fy,
/// cx, cy it is metric in space.
pub fn depth(array: &Bound<'_, PyAny>, scale: f64, intrinsics: Option<[f64; 4]>) -> PyResult<DepthImage> {
    let depth = if let Ok(units) = array.extract::<PyReadonlyArray2<'_, u16>>() {
        let view = units.as_array();
        let values = view.iter().map(|unit| u32::from(*unit)).collect();
        let image = LabelImage::new(view.dim().1, view.dim().0, values).map_err(super::errors::raised)?;
        DepthImage::of_units(&image, scale)
    } else if let Ok(metres) = array.extract::<PyReadonlyArray2<'_, f32>>() {
        let view = metres.as_array();
        DepthImage::of_metres(view.dim().1, view.dim().0, view.iter().copied().collect())
            .map_err(super::errors::raised)?
    } else {
        return Err(BadImage::new_err(
            "depth that is none; expected a numpy array float32 [h, w] in metres, or uint16",
        ));
    };
    let Some([fx, fy, cx, cy]) = intrinsics else { return Ok(depth) };
    let k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0];
    let (width, height) = (depth.width, depth.height);
    let camera = Pinhole::of(&CameraModel { width, height, k, ..Default::default() }, width, height, false);
    Ok(depth.seen_by(camera.map_err(super::errors::raised)?))
}

/// A mask as bool `[h, w]`.
pub fn of_mask<'py>(py: Python<'py>, mask: &Mask) -> Bound<'py, PyArray2<bool>> {
    let mut array = Array2::from_elem((mask.height(), mask.width()), false);
    mask.inside().for_each(|(x, y)| array[[y, x]] = true);
    array.into_pyarray(py)
}
