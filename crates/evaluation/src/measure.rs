//! `Measure`: what the authors of a dataset count beside the overlap of masks.

use super::results::RowResult;

/// What a dataset's own authors count beside the overlap of masks.
#[derive(Clone, Copy)]
pub enum Measure {
    /// Boxes with this IoU.
    Boxes(f64),
    /// Answers whose middle lies in the truth.
    Middles,
}

impl Measure {
    /// OCID-Ref's paper counts boxes from 0.25, RoboRefIt's from 0.5, RefSpatial-Bench's card a point in the mask.
    pub fn of(dataset: &str) -> Option<Measure> {
        match dataset {
            "ocid-ref" => Some(Measure::Boxes(0.25)),
            "roborefit" => Some(Measure::Boxes(0.5)),
            name if name.starts_with("refspatial") => Some(Measure::Middles),
            _ => None,
        }
    }

    /// What a table calls it.
    pub fn title(self) -> String {
        match self {
            Measure::Boxes(least) => format!("box IoU {least}"),
            Measure::Middles => "middle in mask".into(),
        }
    }

    /// Whether it counts an answer as right.
    pub fn counts(self, outcome: &RowResult) -> bool {
        match self {
            Measure::Boxes(least) => f64::from(outcome.box_iou) >= least,
            Measure::Middles => outcome.middle_inside,
        }
    }
}
