//! `GivenParameters`: what parameter files and `-p` set for this node, as rclpy and rclcpp read them.
//!
//! r2r knows `/**` and the node's own name alone. Here `*` stands for one part of a name and `**` for any number of them; of several entries that
//! mean this node the later counts, in the order in which their names stand first. rcl reads the files. An empty text sets nothing: launch files
//! pass one for "not given", and it must not hide what a file says.

use super::super::arguments::Arguments;
use super::table::PARAMETERS;
use crate::Result;
use r2r::ParameterValue;
use r2r_rcl::{rcl_arguments_get_param_overrides, rcl_params_t, rcl_variant_t, rcl_yaml_node_struct_fini, RCL_RET_OK};
use std::ffi::{c_char, CStr};
use std::path::PathBuf;

/// Parameters that every ROS 2 node may be given and that are none of ours.
const OF_ROS: [&str; 2] = ["start_type_description_service", "qos_overrides."];
/// From this likeness on (Jaro and Winkler, 0..1) a name may be another misspelled.
const LIKE: f64 = 0.8;

/// The values for one name of a node, in the order in which they were given.
type Entry = (String, Vec<(String, ParameterValue)>);

/// What was given to this node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GivenParameters {
    values: Vec<(String, ParameterValue)>,
    /// What in it has no effect, and why.
    pub warnings: Vec<String>,
}

/// Whether a name in a parameter file means a node, by its full name.
fn means(pattern: &str, node: &str) -> bool {
    fn matches(pattern: &[&str], name: &[&str]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((&"**", rest)) => (0..=name.len()).any(|skipped| matches(rest, &name[skipped..])),
            Some((part, rest)) => name
                .split_first()
                .is_some_and(|(first, others)| (*part == "*" || part == first) && matches(rest, others)),
        }
    }
    let pattern: Vec<&str> = pattern.trim_start_matches('/').split('/').collect();
    let node: Vec<&str> = node.trim_start_matches('/').split('/').collect();
    matches(&pattern, &node)
}

/// The arguments that set parameters, in their order: what stands before each and itself.
fn sources(arguments: &[String]) -> Vec<[String; 2]> {
    let mut sources = Vec::new();
    let mut is_ros = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--ros-args" => is_ros = true,
            "--" => is_ros = false,
            "--params-file" | "-p" | "--param" if is_ros => {
                if let Some(value) = rest.next() {
                    sources.push([argument.clone(), value.clone()]);
                }
            }
            _ => {}
        }
    }
    sources
}

/// A list of C's.
///
/// # Safety
/// `values` is null, or there are `count` of them.
unsafe fn listed<'a, T>(values: *const T, count: usize) -> &'a [T] {
    match values.is_null() || count == 0 {
        true => &[],
        false => std::slice::from_raw_parts(values, count),
    }
}

/// # Safety
/// A C string.
unsafe fn text(text: *const c_char) -> String {
    CStr::from_ptr(text).to_string_lossy().into_owned()
}

/// # Safety
/// Made by rcl.
unsafe fn value(value: &rcl_variant_t) -> ParameterValue {
    if let Some(flag) = value.bool_value.as_ref() {
        ParameterValue::Bool(*flag)
    } else if let Some(count) = value.integer_value.as_ref() {
        ParameterValue::Integer(*count)
    } else if let Some(number) = value.double_value.as_ref() {
        ParameterValue::Double(*number)
    } else if !value.string_value.is_null() {
        ParameterValue::String(text(value.string_value))
    } else if let Some(bytes) = value.byte_array_value.as_ref() {
        ParameterValue::ByteArray(listed(bytes.values, bytes.size).to_vec())
    } else if let Some(flags) = value.bool_array_value.as_ref() {
        ParameterValue::BoolArray(listed(flags.values, flags.size).to_vec())
    } else if let Some(counts) = value.integer_array_value.as_ref() {
        ParameterValue::IntegerArray(listed(counts.values, counts.size).to_vec())
    } else if let Some(numbers) = value.double_array_value.as_ref() {
        ParameterValue::DoubleArray(listed(numbers.values, numbers.size).to_vec())
    } else if let Some(texts) = value.string_array_value.as_ref() {
        let texts = listed(texts.data.cast_const(), texts.size);
        ParameterValue::StringArray(texts.iter().map(|one| text(*one)).collect())
    } else {
        ParameterValue::NotSet
    }
}

/// The entries of one source.
fn entries(source: &[String; 2]) -> Result<Vec<Entry>> {
    let [option, given] = source;
    let arguments = Arguments::parse(&["node".into(), "--ros-args".into(), option.clone(), given.clone()])?;
    let mut params: *mut rcl_params_t = std::ptr::null_mut();
    // Safety: the arguments live; rcl allocates what it gives, freed below
    let returned = unsafe { rcl_arguments_get_param_overrides(arguments.as_ptr(), &mut params) };
    if returned != RCL_RET_OK as i32 || params.is_null() {
        return Ok(Vec::new());
    }
    // Safety: as many as rcl says, all of them its own
    let entries = unsafe {
        let names = listed((*params).node_names.cast_const(), (*params).num_nodes);
        let nodes = listed((*params).params.cast_const(), (*params).num_nodes);
        let of_node = |(name, node): (&*mut c_char, &r2r_rcl::rcl_node_params_t)| {
            let names = listed(node.parameter_names.cast_const(), node.num_params);
            let values = listed(node.parameter_values.cast_const(), node.num_params);
            (text(*name), names.iter().zip(values).map(|(name, one)| (text(*name), value(one))).collect())
        };
        let entries = names.iter().zip(nodes).map(of_node).collect();
        rcl_yaml_node_struct_fini(params);
        entries
    };
    Ok(entries)
}

fn put(values: &mut Vec<(String, ParameterValue)>, name: String, value: ParameterValue) {
    if value == ParameterValue::String(String::new()) {
        return;
    }
    match values.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = value,
        None => values.push((name, value)),
    }
}

impl GivenParameters {
    /// What the process's arguments set for a node of this full name.
    ///
    /// # Errors
    /// When rcl refuses a file or a rule.
    pub fn of(arguments: &[String], node: &str) -> Result<GivenParameters> {
        let mut merged: Vec<Entry> = Vec::new();
        let mut warnings = Vec::new();
        for source in sources(arguments) {
            let of_source = entries(&source)?;
            let others: Vec<&str> = of_source.iter().map(|(name, _)| name.as_str()).collect();
            if !others.is_empty() && !others.iter().any(|name| means(name, node)) {
                let fact = format!(
                    "{} has parameters for {} alone, and none for this node, {node}; /** means every node",
                    PathBuf::from(&source[1]).display(),
                    others.join(", ")
                );
                warnings.push(fact);
            }
            for (name, values) in of_source {
                let at = merged.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                    merged.push((name, Vec::new()));
                    merged.len() - 1
                });
                values.into_iter().for_each(|(name, value)| put(&mut merged[at].1, name, value));
            }
        }
        let mut values = Vec::new();
        for (_, of_entry) in merged.into_iter().filter(|(pattern, _)| means(pattern, node)) {
            of_entry.into_iter().for_each(|(name, value)| put(&mut values, name, value));
        }
        warnings.extend(values.iter().filter_map(|(name, _)| unknown(name)));
        Ok(GivenParameters { values, warnings })
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<ParameterValue> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

/// Says that a parameter is none of the node's, with the one that may be meant.
fn unknown(name: &str) -> Option<String> {
    if PARAMETERS.iter().any(|spec| spec.name == name) || OF_ROS.iter().any(|known| name.starts_with(known)) {
        return None;
    }
    let likeness = |known: &str| strsim::jaro_winkler(name, known);
    let nearest = PARAMETERS.iter().max_by(|a, b| likeness(a.name).total_cmp(&likeness(b.name)));
    let meant = nearest.filter(|spec| likeness(spec.name) >= LIKE);
    let hint = meant.map_or("`ros2 param list` or docs/interface.md lists them".into(), |spec| {
        format!("did you mean {}?", spec.name)
    });
    Some(format!("parameter {name} is unknown and has no effect; {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(arguments: &[&str], node: &str) -> GivenParameters {
        let arguments: Vec<String> = arguments.iter().map(|argument| argument.to_string()).collect();
        GivenParameters::of(&arguments, node).unwrap()
    }

    #[test]
    fn wildcards_mean_parts_of_names() {
        for (pattern, node, is_meant) in [
            ("/**", "/eye", true),
            ("**", "/a/b/eye", true),
            ("eye", "/eye", true),
            ("eye", "/robot/eye", false),
            ("/*/eye", "/robot/eye", true),
            ("/*/eye", "/eye", false),
            ("/*/eye", "/a/b/eye", false),
            ("/**/eye", "/eye", true),
            ("/**/eye", "/a/b/eye", true),
            ("/robot/*", "/robot/eye", true),
            ("/robot/*", "/robot/a/eye", false),
            ("/robot/**", "/robot/a/eye", true),
            ("/robot/eyes", "/robot/eye", false),
        ] {
            assert_eq!(means(pattern, node), is_meant, "{pattern} {node}");
        }
    }

    #[test]
    fn an_empty_text_hides_no_value_and_later_ones_count() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "/**:\n  ros__parameters: {min_score: 0.25, mode: once, model: here}\n").unwrap();
        let path = file.path().to_str().unwrap();
        let given = given(
            &[
                "node", "--ros-args", "--params-file", path, "-p", "min_score:=''", "-p", "mode:=continuous", "--",
                "-p", "no",
            ],
            "/eye",
        );
        assert_eq!(given.get("min_score"), Some(ParameterValue::Double(0.25)));
        assert_eq!(given.get("mode"), Some(ParameterValue::String("continuous".into())));
        assert_eq!(given.warnings, [""; 0]);
    }

    #[test]
    fn what_has_no_effect_is_named_with_what_may_be_meant() {
        let other = given(&["node", "--ros-args", "-p", "other:min_score:=0.5"], "/eye");
        assert!(other.warnings[0].contains("none for this node, /eye"), "{:?}", other.warnings);
        let misspelled = given(&["node", "--ros-args", "-p", "min_scor:=0.5", "-p", "zoom:=2"], "/eye");
        assert_eq!(misspelled.warnings[0], "parameter min_scor is unknown and has no effect; did you mean min_score?");
        assert!(
            misspelled.warnings[1].contains("zoom is unknown") && misspelled.warnings[1].contains("docs/interface.md")
        );
    }
}
