//! `Device`: where tensors live. The only file that knows of CUDA.

pub use candle_core::Device;
use candle_core::DeviceLocation;
use referseg_files::{Error, Result};

/// Opens the device of this name: `auto`, `cpu` or `cuda:N`. `auto` is the first GPU, else the CPU.
///
/// # Errors
/// When the name is none of these, or the GPU is not there, or the build has no CUDA.
pub fn open(name: &str) -> Result<Device> {
    let refused = |fact: String| Error::Device { name: name.to_string(), fact };
    match name {
        "cpu" => Ok(Device::Cpu),
        "auto" => Ok(Device::cuda_if_available(0).unwrap_or(Device::Cpu)),
        _ => {
            let ordinal = name.strip_prefix("cuda:").and_then(|number| number.parse().ok());
            let ordinal: usize =
                ordinal.ok_or_else(|| refused("no such device; expected auto, cpu or cuda:N".into()))?;
            if !candle_core::utils::cuda_is_available() {
                let fact = "this build has no CUDA; build with `--features cuda`, or use cpu or auto";
                return Err(refused(fact.into()));
            }
            Device::new_cuda(ordinal).map_err(|cause| refused(cause.to_string()))
        }
    }
}

/// Sets how many threads compute, for the whole process; 0 leaves it at what is in effect: `RAYON_NUM_THREADS`, or one a core.
///
/// # Errors
/// When another number is in effect already.
pub fn use_threads(count: usize) -> Result<()> {
    if count == 0 || rayon::ThreadPoolBuilder::new().num_threads(count).build_global().is_ok() {
        return Ok(());
    }
    match rayon::current_num_threads() {
        known if known == count => Ok(()),
        known => {
            let fact = format!(
                "{count} asked for, but {known} are in use already; the number is set once, start the program again"
            );
            Err(Error::config("threads", fact))
        }
    }
}

/// The name of an open device, as a user would write it.
pub fn name(device: &Device) -> String {
    match device.location() {
        DeviceLocation::Cpu => "cpu".into(),
        DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_say_what_is_expected() {
        let message = open("gpu0").unwrap_err().to_string();
        assert_eq!(message, "device \"gpu0\": no such device; expected auto, cpu or cuda:N");
        assert!(open("cuda:x").is_err());
    }

    #[test]
    fn threads_are_counted_once() {
        let known = rayon::current_num_threads();
        assert!(use_threads(0).is_ok() && use_threads(known).is_ok());
        let message = use_threads(known + 1).unwrap_err().to_string();
        assert!(message.contains(&format!("but {known} are in use")), "{message}");
    }

    #[test]
    fn auto_always_opens() {
        assert!(open("auto").is_ok());
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_build_without_cuda_says_so() {
        assert!(open("cuda:0").unwrap_err().to_string().contains("--features cuda"));
    }
}
