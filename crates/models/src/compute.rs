//! `Compute`: where models compute, and in which type.

use super::weights::Weights;
use crate::device::Device;
use candle_core::DType;
use referseg_files::{Error, Result};

/// The type that models compute in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// f16 on a GPU if all weights are in its range, else f32.
    Auto,
    /// 32 bits.
    F32,
    /// 16 bits, 5 of them exponent.
    F16,
    /// 16 bits, 8 of them exponent.
    Bf16,
}

impl Dtype {
    /// As users write it.
    pub fn name(self) -> &'static str {
        match self {
            Dtype::Auto => "auto",
            Dtype::F32 => "f32",
            Dtype::F16 => "f16",
            Dtype::Bf16 => "bf16",
        }
    }
}

/// Where models compute, and the type that the settings ask for.
#[derive(Clone)]
pub struct Compute {
    /// Where.
    pub device: Device,
    /// As the settings say it.
    pub dtype: Dtype,
}

impl Compute {
    /// In f32 on the CPU.
    pub fn on_cpu() -> Compute {
        Compute { device: Device::Cpu, dtype: Dtype::F32 }
    }

    /// The type for these weights: what the settings say; for `auto` f16 on a GPU if all weights are in its range, else f32.
    ///
    /// # Errors
    /// When f16 is asked for and a weight is out of its range, or the file is damaged.
    pub fn dtype(&self, weights: &Weights) -> Result<DType> {
        match (self.dtype, self.device.is_cpu()) {
            (Dtype::F32, _) | (Dtype::Auto, true) => Ok(DType::F32),
            (Dtype::Bf16, _) => Ok(DType::BF16),
            (Dtype::Auto, false) => Ok(weights.too_large_for_f16()?.map_or(DType::F16, |_| DType::F32)),
            (Dtype::F16, _) => {
                match weights.too_large_for_f16()? {
                    None => Ok(DType::F16),
                    Some(name) => {
                        let fact = format!("tensor {name:?} has values beyond 65504, which f16 can't hold; set dtype to auto, bf16 or f32");
                        Err(Error::model(weights.path(), fact))
                    }
                }
            }
        }
    }
}
