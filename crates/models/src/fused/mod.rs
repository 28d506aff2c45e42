//! Transformer blocks for the CPU, fused: each thread carries its sequences through all blocks, attention logits are made and
//! used row by row of the batch, bias, residual, norm and activation are applied where the products leave them.
//!
//! What candle's own operations do here is proven equal (`block.rs`, tests); on other devices the blocks stay candle's. Rows
//! are tokens, row-major f32, sequences one after the other.

mod block;
mod convolution;
mod elementwise;
mod embedding;
mod product;
mod sequences;
mod weights;

pub use block::{add_linear, linear, through, Activation, Attention, BlockWeights};
pub use convolution::convolved;
pub use elementwise::{
    add_products, add_to_rows, gelu, layer_norm, softmax, softmax_at_distance, softmax_of_columns, softmax_with,
};
pub use embedding::EmbeddingWeights;
pub use product::{product, product_of_columns, product_of_rows, Onto, Rows};
pub use sequences::{run, Batch, Readout};
pub use weights::{affine, borrowed, norm, Affine, Borrowed, Norm};
