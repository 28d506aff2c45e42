//! Numbers that the method's paper published, to stand beside ours.
//!
//! Only those that were read in a paper's full text are here: mIoU of Global-Local CLIP with ViT-B/32 and
//! FreeSOLO's proposals (Yu, Seo, Son, CVPR 2023), as quoted in Table 7 of CLIP as RNN (Sun et al., CVPR 2024).

/// A published number, percent.
pub struct Published {
    /// What it is of.
    pub name: &'static str,
    /// Mean IoU over expressions.
    pub miou: f64,
}

/// Where they come from.
pub const NOTE: &str = "Published: mIoU as quoted in Table 7 of CLIP as RNN (CVPR 2024), with FreeSOLO's proposals; \
                        other numbers of the paper could not be checked and are left out.";

const NAME: &str = "published: Global-Local CLIP, ViT-B/32, FreeSOLO";

/// Dataset, split, mIoU.
const MIOU: [(&str, &str, f64); 9] = [
    ("refcoco", "val", 26.20),
    ("refcoco", "testA", 24.94),
    ("refcoco", "testB", 26.56),
    ("refcoco+", "val", 27.80),
    ("refcoco+", "testA", 25.64),
    ("refcoco+", "testB", 27.84),
    ("refcocog umd", "val", 33.52),
    ("refcocog umd", "test", 33.67),
    ("refcocog google", "val", 33.61),
];

/// What was published for a split.
pub fn of<'a>(dataset: &'a str, split: &'a str) -> impl Iterator<Item = Published> + 'a {
    let fits = move |row: &&(&str, &str, f64)| row.0 == dataset && row.1 == split;
    MIOU.iter().filter(fits).map(|(_, _, miou)| Published { name: NAME, miou: *miou })
}
