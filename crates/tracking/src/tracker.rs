//! `Tracker`: follows one thing.

use super::patch::{self, Seen};
use super::similarity::Similarity;
use image::GrayImage;
use optical_flow_lk::{build_pyramid, calc_optical_flow_fb, good_features_to_track, TrackParams, TrackStatus};
use referseg_image::{Frame, Mask, Rect};
use std::sync::Arc;

/// Halvings of the picture: with the window they catch motions of about a hundred pixels.
const LEVELS: usize = 4;
const FLOW: TrackParams = TrackParams { window_size: 15, max_iterations: 20, min_eigen_threshold: 1e-3 };
/// A corner that does not come back to within so many pixels when it is followed backwards was not followed.
const BACK: f32 = 1.0;
/// Corners within so many pixels of the common motion agree with it.
const AGREE: f32 = 2.0;
/// Corners that are followed.
const CORNERS: usize = 80;
/// Their least quality, of the best one's, and distance, pixels.
const CORNER_QUALITY: f32 = 0.01;
const CORNER_DISTANCE: u32 = 4;
/// With so many inside, those near the outline are not needed.
const ENOUGH_WITHIN: usize = 12;
/// Corners on the outline count: so many pixels around the mask.
const OUTLINE: usize = 2;

/// A thing of which less is inside the picture has left it.
const LEAST_INSIDE: f32 = 0.35;
/// A thing of which less looks as it did is hidden, or the track is wrong.
const LEAST_ALIKE: f32 = 0.45;
/// As much must look as it did before a thing that was lost counts as found again.
const ALIKE_AGAIN: f32 = 0.7;
/// From so much on the first picture may be replaced by a later one.
const ALIKE_FOR_KEY: f32 = 0.85;
/// Of the corners so many must have been followed from the first picture, or the way from picture to picture counts.
const LEAST_DIRECT: f32 = 0.4;

/// A thing that was followed.
#[derive(Clone, Debug)]
pub struct TrackedThing {
    /// Its visible pixels.
    pub mask: Mask,
    /// Part of it that looks as it did, 0..1.
    pub quality: f32,
}

/// Why a thing is no longer followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lost {
    /// It has left the picture; which part of it is still inside.
    LeftPicture(f32),
    /// It is hidden or looks otherwise; which part of it looks as it did.
    Hidden(f32),
    /// The picture has another size.
    OtherSize,
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Lost::LeftPicture(part) => write!(f, "left the picture: {:.0} % of it are inside", part * 100.0),
            Lost::Hidden(part) => write!(f, "hidden or changed: {:.0} % of it look as they did", part * 100.0),
            Lost::OtherSize => write!(f, "the picture has another size"),
        }
    }
}

/// What a picture shows of the thing.
pub type Sight = Result<TrackedThing, Lost>;

/// A picture with its halvings, which all trackers of a camera share. Clones share the pixels.
#[derive(Clone)]
pub struct Picture {
    frame: Frame,
    pyramid: Arc<Vec<GrayImage>>,
}

impl Picture {
    /// Of a frame.
    pub fn new(frame: &Frame) -> Picture {
        Picture { frame: frame.clone(), pyramid: Arc::new(build_pyramid(&grey(frame), LEVELS)) }
    }
}

/// The picture with which others are compared.
struct Key {
    picture: Picture,
    mask: Mask,
    rect: Rect,
    corners: Vec<(f32, f32)>,
    /// How far colours may be off and still be the thing's.
    tolerance: f32,
}

impl Key {
    /// `None` for an empty mask, or one of another picture.
    fn new(picture: &Picture, mask: Mask) -> Option<Key> {
        let (rect, frame) = (mask.bounding_box()?, &picture.frame);
        if (mask.width(), mask.height()) != (frame.width(), frame.height()) {
            return None;
        }
        let corners = corners(picture.pyramid.first()?, &mask, rect);
        let tolerance = patch::tolerance(frame, &mask, rect);
        Some(Key { picture: picture.clone(), mask, rect, corners, tolerance })
    }
}

/// The corners inside a mask, the best first. Those near its outline see what is behind it, which moves otherwise: they count where
/// there are few others.
fn corners(grey: &GrayImage, mask: &Mask, rect: Rect) -> Vec<(f32, f32)> {
    let (left, top) = (rect.x.saturating_sub(OUTLINE + 1), rect.y.saturating_sub(OUTLINE + 1));
    let width = (rect.right() + OUTLINE + 1).min(mask.width()) - left;
    let height = (rect.bottom() + OUTLINE + 1).min(mask.height()) - top;
    let part = image::imageops::crop_imm(grey, left as u32, top as u32, width as u32, height as u32).to_image();
    let near = |x: usize, y: usize| {
        let (columns, rows) = (x.saturating_sub(OUTLINE)..=x + OUTLINE, y.saturating_sub(OUTLINE)..=y + OUTLINE);
        rows.into_iter().any(|row| {
            row < mask.height() && columns.clone().any(|column| column < mask.width() && mask.at(column, row))
        })
    };
    let found: Vec<(f32, f32)> = good_features_to_track(&part, CORNER_QUALITY, CORNER_DISTANCE)
        .iter()
        .map(|corner| {
            let (x, y) = corner.position();
            (x + left as f32, y + top as f32)
        })
        .filter(|(x, y)| near(*x as usize, *y as usize))
        .collect();
    let inner = mask.eroded(FLOW.window_size / 2);
    let (within, outer): (Vec<_>, Vec<_>) = found.into_iter().partition(|(x, y)| {
        let (x, y) = (*x as usize, *y as usize);
        x < mask.width() && y < mask.height() && inner.at(x, y)
    });
    let more = ENOUGH_WITHIN.saturating_sub(within.len());
    within.into_iter().take(CORNERS).chain(outer.into_iter().take(2 * more)).collect()
}

/// Brightness (ITU-R BT.601).
fn grey(frame: &Frame) -> GrayImage {
    let level =
        |pixel: &[u8]| ((u32::from(pixel[0]) * 77 + u32::from(pixel[1]) * 150 + u32::from(pixel[2]) * 29) >> 8) as u8;
    let levels = frame.rgb().chunks_exact(3).map(level).collect();
    GrayImage::from_raw(frame.width() as u32, frame.height() as u32, levels).unwrap_or_default()
}

/// Follows one thing. Deterministic.
pub struct Tracker {
    key: Key,
    /// The last picture.
    last: Picture,
    /// From the key's picture to the last.
    moved: Similarity,
    /// How far the thing's middle moved from the picture before the last to the last, pixels.
    velocity: [f32; 2],
    is_lost: bool,
}

impl Tracker {
    /// Begins with a thing's mask in a picture; `None` when the mask is empty or of another size.
    pub fn new(picture: &Picture, mask: &Mask) -> Option<Tracker> {
        let key = Key::new(picture, mask.clone())?;
        Some(Tracker { key, last: picture.clone(), moved: Similarity::IDENTITY, velocity: [0.0; 2], is_lost: false })
    }

    /// The next picture: where the thing is in it.
    ///
    /// # Errors
    /// When it is lost; it may be found again in a later picture.
    pub fn update(&mut self, now: &Picture) -> Sight {
        let first = &self.key.picture.frame;
        if (now.frame.width(), now.frame.height()) != (first.width(), first.height()) {
            return Err(Lost::OtherSize);
        }
        let chained = if self.is_lost { None } else { self.chained(&now.pyramid) };
        let expected = chained.unwrap_or(self.moved_on());
        let direct = self.direct(&now.pyramid, expected);
        let sight = self.judged(now, chained, direct);
        self.last = now.clone();
        self.is_lost = sight.is_err();
        sight
    }

    /// Where the thing would be if it went on as before.
    fn moved_on(&self) -> Similarity {
        match self.is_lost {
            true => self.moved,
            false => self.moved.shifted(self.velocity),
        }
    }

    /// The middle of the thing's box after a motion.
    fn inner_point(&self, moved: Similarity) -> [f32; 2] {
        let rect = self.key.rect;
        moved.apply([rect.x as f32 + rect.width as f32 / 2.0, rect.y as f32 + rect.height as f32 / 2.0])
    }

    /// The motion from the key's picture to this one by way of the last one.
    fn chained(&self, now: &[GrayImage]) -> Option<Similarity> {
        let before: Vec<(f32, f32)> = self.key.corners.iter().map(|(x, y)| self.moved.apply([*x, *y]).into()).collect();
        let guess: Vec<(f32, f32)> =
            self.key.corners.iter().map(|(x, y)| self.moved_on().apply([*x, *y]).into()).collect();
        let pairs = followed(&self.last.pyramid, now, &self.key.corners, &before, Some(&guess));
        Similarity::of_most(&pairs, AGREE).map(|(moved, _)| moved)
    }

    /// The motion from the key's picture to this one, from a first guess, and which part of the corners tell it.
    fn direct(&self, now: &[GrayImage], expected: Similarity) -> Option<(Similarity, f32)> {
        let corners = &self.key.corners;
        let guess: Vec<(f32, f32)> = corners.iter().map(|(x, y)| expected.apply([*x, *y]).into()).collect();
        let pairs = followed(&self.key.picture.pyramid, now, corners, corners, Some(&guess));
        let (moved, agreeing) = Similarity::of_most(&pairs, AGREE)?;
        let agreeing = agreeing.iter().filter(|agrees| **agrees).count();
        Some((moved, agreeing as f32 / corners.len() as f32))
    }

    /// Chooses between both ways, and tells what is seen.
    fn judged(&mut self, now: &Picture, chained: Option<Similarity>, direct: Option<(Similarity, f32)>) -> Sight {
        let compared = |moved: Similarity| (moved, self.compare(&now.frame, moved));
        let sure = direct.filter(|(_, part)| *part >= LEAST_DIRECT).map(|(moved, _)| moved);
        // the one by which it looks most as it did; where no corners tell, a thing may have stayed or gone on as before
        let mut ways: Vec<Similarity> = [sure, chained, Some(self.moved)].into_iter().flatten().collect();
        ways.extend(Some(self.moved_on()).filter(|gone_on| *gone_on != self.moved));
        let better = |a: &(Similarity, Seen), b: &(Similarity, Seen)| a.1.off.total_cmp(&b.1.off);
        let Some((moved, seen)) = ways.into_iter().map(compared).min_by(better) else { return Err(Lost::Hidden(0.0)) };
        if seen.inside < LEAST_INSIDE {
            return Err(Lost::LeftPicture(seen.inside));
        }
        let least = if self.is_lost { ALIKE_AGAIN } else { LEAST_ALIKE };
        if seen.alike_part < least {
            return Err(Lost::Hidden(seen.alike_part));
        }
        let (before, after) = (self.inner_point(self.moved), self.inner_point(moved));
        self.velocity = [after[0] - before[0], after[1] - before[1]];
        self.moved = moved;
        let mask = self.moved_mask(&seen);
        if mask.area() == 0 {
            return Err(Lost::Hidden(0.0));
        }
        let quality = seen.alike_part;
        if quality > ALIKE_FOR_KEY && seen.inside > 0.99 && sure.is_none() {
            // seen from elsewhere: what it looks like now is what it is compared with
            if let Some(key) = Key::new(now, mask.clone()) {
                self.key = key;
                self.moved = Similarity::IDENTITY;
            }
        }
        Ok(TrackedThing { mask, quality })
    }

    fn compare(&self, frame: &Frame, moved: Similarity) -> Seen {
        let Key { picture, mask, rect, tolerance, .. } = &self.key;
        patch::compare(&picture.frame, mask, *rect, *tolerance, frame, &moved)
    }

    /// The mask where the thing is now, without the parts that are not seen.
    fn moved_mask(&self, seen: &Seen) -> Mask {
        let (width, height) = (self.key.mask.width(), self.key.mask.height());
        let rect = self.key.rect;
        let corners =
            [(rect.x, rect.y), (rect.right(), rect.y), (rect.x, rect.bottom()), (rect.right(), rect.bottom())];
        let corners = corners.map(|(x, y)| self.moved.apply([x as f32, y as f32]));
        let least = |axis: usize| corners.iter().map(|corner| corner[axis]).fold(f32::MAX, f32::min).floor();
        let most = |axis: usize| corners.iter().map(|corner| corner[axis]).fold(f32::MIN, f32::max).ceil();
        let range = |axis: usize, size: usize| {
            (least(axis).clamp(0.0, size as f32) as usize)..(most(axis).clamp(0.0, size as f32) as usize)
        };
        let mut pixels = Vec::new();
        for row in range(1, height) {
            for column in range(0, width) {
                let [x, y] = self.moved.inverse([column as f32, row as f32]);
                let (x, y) = (x.round(), y.round());
                if x < rect.x as f32 || y < rect.y as f32 || x >= rect.right() as f32 || y >= rect.bottom() as f32 {
                    continue;
                }
                let (x, y) = (x as usize, y as usize);
                if self.key.mask.at(x, y) && seen.is_seen(x, y) {
                    pixels.push((column, row));
                }
            }
        }
        Mask::of_pixels(width, height, &pixels)
    }
}

/// Follows corners from where they were in one picture to another; gives those that were, each with where it stands in the key's.
fn followed(
    from: &[GrayImage],
    to: &[GrayImage],
    corners: &[(f32, f32)],
    before: &[(f32, f32)],
    guess: Option<&[(f32, f32)]>,
) -> Vec<([f32; 2], [f32; 2])> {
    let results = calc_optical_flow_fb(from, to, before, guess, FLOW, BACK);
    let kept = corners.iter().zip(&results).filter(|(_, result)| result.status == TrackStatus::Tracked);
    kept.map(|((x, y), result)| ([*x, *y], [result.pos.0, result.pos.1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (200, 150);

    /// A mottled square on mottled ground, its corner at a place; another thing before it from a column on.
    fn scene(corner: (i32, i32), hidden_from: i32) -> (Frame, Mask) {
        let mottled = |x: i32, y: i32, low: f32, spread: f32| {
            let (x, y) = (x as f32, y as f32);
            let wave = (0.41 * x + 1.7 * (0.23 * y).sin()).sin() + (0.37 * y + 1.3 * (0.29 * x).sin()).sin();
            (low + spread * (wave / 4.0 + 0.5)) as u8
        };
        let inside = |x: i32, y: i32| (0..40).contains(&(x - corner.0)) && (0..40).contains(&(y - corner.1));
        let pixel = |x: i32, y: i32| -> [u8; 3] {
            let (own_x, own_y) = (x - corner.0, y - corner.1);
            match inside(x, y) {
                _ if x >= hidden_from => [mottled(y, x, 10.0, 40.0), 200, 30],
                true => [mottled(own_x, own_y, 100.0, 150.0), 40, mottled(own_y, own_x, 10.0, 120.0)],
                false => [mottled(x + 50, y, 60.0, 60.0); 3],
            }
        };
        let rgb = (0..SIZE.1 as i32).flat_map(|y| (0..SIZE.0 as i32).flat_map(move |x| pixel(x, y))).collect();
        let frame = Frame::new(SIZE.0, SIZE.1, rgb).unwrap();
        let visible = |x: usize, y: usize| inside(x as i32, y as i32) && (x as i32) < hidden_from;
        (frame, Mask::from_fn(SIZE.0, SIZE.1, visible))
    }

    #[test]
    fn a_thing_that_slides_is_followed() {
        let (frame, mask) = scene((20, 30), 1000);
        let mut tracker = Tracker::new(&Picture::new(&frame), &mask).unwrap();
        for step in 1..20 {
            let (frame, truth) = scene((20 + 5 * step, 30 + step), 1000);
            let found = tracker.update(&Picture::new(&frame)).unwrap();
            assert!(found.mask.iou(&truth) > 0.9 && found.quality > 0.8, "{step}: {}", found.mask.iou(&truth));
        }
    }

    #[test]
    fn a_hidden_part_is_left_out_a_hidden_thing_is_lost_and_comes_back() {
        let (frame, mask) = scene((80, 50), 1000);
        let mut tracker = Tracker::new(&Picture::new(&frame), &mask).unwrap();
        let half = scene((80, 50), 104);
        let found = tracker.update(&Picture::new(&half.0)).unwrap();
        assert!(found.mask.iou(&half.1) > 0.8 && found.quality < 0.75, "{} {}", found.mask.iou(&half.1), found.quality);
        let lost = tracker.update(&Picture::new(&scene((80, 50), 85).0)).unwrap_err();
        assert!(matches!(lost, Lost::Hidden(part) if part < 0.3), "{lost}");
        assert!(lost.to_string().starts_with("hidden or changed"));
        assert!(
            tracker.update(&Picture::new(&scene((80, 50), 110).0)).is_err(),
            "half of it is not enough to be sure again"
        );
        assert!(tracker.update(&Picture::new(&frame)).unwrap().mask.iou(&mask) > 0.95);
    }

    #[test]
    fn a_thing_that_leaves_the_picture_is_lost_with_the_reason() {
        let (frame, mask) = scene((120, 50), 1000);
        let mut tracker = Tracker::new(&Picture::new(&frame), &mask).unwrap();
        let mut lost = None;
        for step in 1..16 {
            lost = tracker.update(&Picture::new(&scene((120 + 6 * step, 50), 1000).0)).err();
            if lost.is_some() {
                assert!(step > 8, "{step}");
                break;
            }
        }
        assert!(matches!(lost, Some(Lost::LeftPicture(part)) if part < 0.35), "{lost:?}");
    }

    #[test]
    fn empty_masks_and_other_sizes_are_refused() {
        let (frame, mask) = scene((20, 30), 1000);
        assert!(Tracker::new(&Picture::new(&frame), &Mask::empty(SIZE.0, SIZE.1)).is_none());
        assert!(Tracker::new(&Picture::new(&frame), &Mask::of_rect(10, 10, Rect { x: 0, y: 0, width: 5, height: 5 }))
            .is_none());
        let small = Frame::new(10, 10, vec![0; 300]).unwrap();
        assert_eq!(
            Tracker::new(&Picture::new(&frame), &mask).unwrap().update(&Picture::new(&small)).unwrap_err(),
            Lost::OtherSize
        );
    }
}
