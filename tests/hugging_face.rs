//! CLIP in Hugging Face's layout against `transformers` (`tools/fixtures/hugging_face.py`), from a pickle of weights.

mod common;

use candle_core::DType;
use common::{data, relative_error, safetensors};
use referseg::models::clip::Clip;
use referseg::models::Compute;
use referseg::models::ModelFamily;

#[test]
fn a_folder_with_pytorch_model_bin_gives_the_features_of_transformers() {
    let folder = data("hugging_face");
    let Clip::Transformer(clip) = Clip::load_towers(&folder, &Compute::on_cpu()).unwrap() else {
        panic!("expected a transformer")
    };
    assert_eq!(clip.weights_file(), folder.join("pytorch_model.bin"));
    let expected = safetensors(&folder.join("expected.safetensors"));
    let image = clip.vision.features(&expected["pixels"]).unwrap();
    let text = clip.text.features(&expected["ids"].to_dtype(DType::U32).unwrap()).unwrap();
    for (name, found) in [("image", image), ("text", text)] {
        let error = relative_error(&found, &expected[name]);
        println!("{name}: relative error {error:.1e}");
        assert!(error < 1e-4, "{name}: {error}");
    }
}
