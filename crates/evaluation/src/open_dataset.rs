//! Opening a dataset, whatever its format.

use super::dataset::{Dataset, DatasetOptions};
use super::rendered_scenes::RenderedScenes;
use super::{expressions_file, hub, ocid_ref, phrasecut, refcoco, roborefit};
use referseg_files::catch_panic::caught;
use referseg_files::{Error, Result};

/// Reads a dataset, its format recognised by its files: `scenes.jsonl`, `expressions.jsonl`, `refs(BY).p` with `instances.json`,
/// `refer_SPLIT.json`, `SPLIT/roborefit_SPLIT.json`, `SPLIT_expressions.json`, or `SPLIT*.parquet`.
///
/// # Errors
/// When it is none of these or can't be read.
pub fn open(options: &DatasetOptions) -> Result<Dataset> {
    let DatasetOptions { data, .. } = options;
    if data.join("scenes.jsonl").is_file() {
        return RenderedScenes::open(data)?.dataset();
    }
    if data.join(expressions_file::FILE).is_file() {
        return expressions_file::open(data);
    }
    if data.join("instances.json").is_file() {
        return refcoco::open(options);
    }
    if data.join(format!("refer_{}.json", options.split)).is_file() {
        return phrasecut::open(options);
    }
    if let Some(file) = roborefit::file(options) {
        return roborefit::open(options, &file);
    }
    if let Some(file) = ocid_ref::file(options) {
        return ocid_ref::open(options, &file);
    }
    if let Some(files) = hub::files(options) {
        // the decoder asserts what damaged files do not keep
        return caught(|| hub::open(options, &files)).unwrap_or_else(|_| {
            Err(Error::config(data.display().to_string(), "damaged Parquet: the decoder failed; download it again"))
        });
    }
    let expected = "expected scenes.jsonl or expressions.jsonl (demo scenes), instances.json with refs(unc|umd|google).p (RefCOCO, \
                        RefCOCO+, RefCOCOg) or grefs(unc).json (gRefCOCO), refer_SPLIT.json (PhraseCut), SPLIT/roborefit_SPLIT.json (RoboRefIt), SPLIT_expressions.json (OCID-Ref), or \
                        SPLIT*.parquet (the hub's copies, RefSpatial-Bench)";
    Err(Error::config(data.display().to_string(), format!("no dataset with split {:?}; {expected}", options.split)))
}
