//! `Lens`: the distortion of a picture that was not rectified, and its inverse.
//!
//! The models are those of `sensor_msgs/CameraInfo` (`distortion_model`), with OpenCV's formulas: `plumb_bob` and
//! `rational_polynomial` as in `cv::undistortPoints`, `equidistant` as in `cv::fisheye::undistortPoints`.

/// Steps of Newton's method at most; it takes three to six.
const STEPS: usize = 50;
/// Largest error of an undistorted point, in units of the focal length: a thousandth of a pixel at 1,000 pixels.
const PRECISION: f64 = 1e-6;

/// The distortion of a lens. Coordinates are those of the plane at depth 1: x / z and y / z.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Lens {
    /// None.
    #[default]
    Straight,
    /// k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4.
    Polynomial([f64; 12]),
    /// k1 to k4 of the angle's odd powers.
    Equidistant([f64; 4]),
}

impl Lens {
    /// The lens of a calibration.
    ///
    /// # Errors
    /// In words, when the model is unknown, or has another number of coefficients.
    pub fn of(model: &str, coefficients: &[f64]) -> Result<Lens, String> {
        if coefficients.iter().any(|value| !value.is_finite()) {
            return Err("camera_info has distortion coefficients that are not numbers".into());
        }
        if coefficients.iter().all(|value| *value == 0.0) {
            return match model.to_ascii_lowercase().as_str() {
                // without distortion by its own formula a fisheye is still no pinhole
                "equidistant" | "fisheye" if !coefficients.is_empty() => Ok(Lens::Equidistant([0.0; 4])),
                _ => Ok(Lens::Straight),
            };
        }
        let count = coefficients.len();
        let wrong =
            |expected: &str| Err(format!("camera_info has {count} coefficients for {model}; expected {expected}"));
        match model.to_ascii_lowercase().as_str() {
            "plumb_bob" | "rational_polynomial" | "thin_prism" | "" => match count {
                4 | 5 | 8 | 12 | 14 => {
                    if coefficients.iter().skip(12).any(|value| *value != 0.0) {
                        return Err(format!(
                            "camera_info has a tilted sensor ({model}), which is not supported; use the rectified image"
                        ));
                    }
                    let mut all = [0.0; 12];
                    all.iter_mut().zip(coefficients).for_each(|(to, from)| *to = *from);
                    Ok(Lens::Polynomial(all))
                }
                _ => wrong("4, 5, 8, 12 or 14"),
            },
            "equidistant" | "fisheye" => match coefficients {
                [a, b, c, d] => Ok(Lens::Equidistant([*a, *b, *c, *d])),
                _ => wrong("4"),
            },
            _ => Err(format!(
                "camera_info has the distortion model {model:?}; supported: plumb_bob, rational_polynomial, equidistant. Use \
                 the rectified image"
            )),
        }
    }

    /// Where the lens shows a point of the plane.
    pub fn distort(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        match self {
            Lens::Straight => [x, y],
            Lens::Polynomial([k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4]) => {
                let r2 = x * x + y * y;
                let radial = (1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1.0 + r2 * (k4 + r2 * (k5 + r2 * k6)));
                [
                    x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x) + r2 * (s1 + r2 * s2),
                    y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y + r2 * (s3 + r2 * s4),
                ]
            }
            Lens::Equidistant(k) => {
                let r = x.hypot(y);
                if r < 1e-12 {
                    return [x, y];
                }
                let scale = bent(k, r.atan()) / r;
                [x * scale, y * scale]
            }
        }
    }

    /// The point of the plane that the lens shows at a place; `None` where there is none, or it lies behind the camera.
    pub fn undistort(&self, shown: [f64; 2]) -> Option<[f64; 2]> {
        match self {
            Lens::Straight => Some(shown),
            Lens::Polynomial(_) => self.invert(shown),
            Lens::Equidistant(k) => {
                let radius = shown[0].hypot(shown[1]);
                if radius < 1e-12 {
                    return Some(shown);
                }
                let mut angle = radius;
                for _ in 0..STEPS {
                    let slope = (bent(k, angle + 1e-6) - bent(k, angle - 1e-6)) / 2e-6;
                    angle -= (bent(k, angle) - radius) / slope;
                }
                let is_right = (bent(k, angle) - radius).abs() < PRECISION;
                // what lies 90 degrees or more from the axis has no depth along it
                (is_right && (0.0..std::f64::consts::FRAC_PI_2).contains(&angle)).then(|| {
                    let scale = angle.tan() / radius;
                    [shown[0] * scale, shown[1] * scale]
                })
            }
        }
    }

    /// Newton's method on [`Lens::distort`], with steps that are halved until they lead nearer.
    fn invert(&self, shown: [f64; 2]) -> Option<[f64; 2]> {
        const SLOPE: f64 = 1e-6;
        let error = |at: [f64; 2]| {
            let there = self.distort(at);
            [there[0] - shown[0], there[1] - shown[1]]
        };
        let size = |[x, y]: [f64; 2]| x.hypot(y);
        let mut at = shown;
        for _ in 0..STEPS {
            let off = error(at);
            if size(off) < PRECISION * 1e-3 {
                break;
            }
            let along = |x: f64, y: f64| {
                let (more, less) = (error([at[0] + x, at[1] + y]), error([at[0] - x, at[1] - y]));
                [(more[0] - less[0]) / (2.0 * SLOPE), (more[1] - less[1]) / (2.0 * SLOPE)]
            };
            let ([a, c], [b, d]) = (along(SLOPE, 0.0), along(0.0, SLOPE));
            let determinant = a * d - b * c;
            let step = [(d * off[0] - b * off[1]) / determinant, (a * off[1] - c * off[0]) / determinant];
            let mut part = 1.0;
            let next = loop {
                let next = [at[0] - part * step[0], at[1] - part * step[1]];
                if size(error(next)) < size(off) {
                    break next;
                }
                part /= 2.0;
                if part < 1e-4 {
                    return None;
                }
            };
            at = next;
        }
        // beyond the bend of a strong lens the formula shows two points at one place: the picture has the one before the bend
        let straight = |part: f64| {
            let [x, y] = [at[0] * part, at[1] * part];
            let there = self.distort([x, y]);
            there[0] * at[0] + there[1] * at[1]
        };
        let grows = (1..=16).all(|step| straight(f64::from(step) / 16.0) >= straight(f64::from(step - 1) / 16.0));
        (size(error(at)) < PRECISION && grows).then_some(at)
    }
}

/// The angle at which a fisheye shows one.
fn bent(k: &[f64; 4], angle: f64) -> f64 {
    let square = angle * angle;
    angle * (1.0 + square * (k[0] + square * (k[1] + square * (k[2] + square * k[3]))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_those_of_opencv() {
        // made by tools/fixtures/undistorted_points.py
        for line in include_str!("../tests/data/undistorted_points.tsv").lines().filter(|line| !line.starts_with('#')) {
            let (model, numbers) = line.split_once('\t').unwrap();
            let numbers: Vec<f64> = numbers.split('\t').map(|number| number.parse().unwrap()).collect();
            let (coefficients, points) = numbers.split_at(numbers.len() - 4);
            let lens = Lens::of(model, coefficients).unwrap();
            let [x, y] = lens.undistort([points[0], points[1]]).unwrap();
            assert!((x - points[2]).abs() < 1e-5 && (y - points[3]).abs() < 1e-5, "{line}: {x} {y}");
        }
    }

    #[test]
    fn a_place_that_no_point_is_shown_at_has_none() {
        let barrel = Lens::of("plumb_bob", &[-0.4, 0.0, 0.0, 0.0, 0.0]).unwrap();
        assert!(barrel.undistort([0.5, 0.1]).is_some());
        assert_eq!(barrel.undistort([2.0, 0.0]), None, "beyond the bend");
        let fisheye = Lens::of("equidistant", &[0.0; 4]).unwrap();
        assert_eq!(fisheye.undistort([1.6, 0.0]), None, "beside the camera");
        assert!((fisheye.undistort([1.0, 0.0]).unwrap()[0] - 1f64.tan()).abs() < 1e-9);
    }

    #[test]
    fn models_that_are_not_known_are_reasons() {
        let reason = |model: &str, d: &[f64]| Lens::of(model, d).unwrap_err();
        assert!(reason("double_sphere", &[0.1]).contains("supported: plumb_bob"));
        assert!(reason("plumb_bob", &[0.1, 0.2]).contains("expected 4, 5"));
        assert!(reason("equidistant", &[0.1; 5]).contains("expected 4"));
        assert!(reason("rational_polynomial", &[0.1; 14]).contains("tilted"));
        assert!(reason("plumb_bob", &[f64::NAN; 5]).contains("not numbers"));
        assert_eq!(Lens::of("anything", &[0.0; 3]), Ok(Lens::Straight));
    }
}
