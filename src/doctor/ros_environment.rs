//! What ROS needs of this machine's environment, and why it may refuse to start: rcl itself says little more than that it failed.

use super::finding::{variable, Finding};
use std::path::{Path, PathBuf};

/// Domains that DDS has ports for (RTPS: 7400 + 250 * domain below 65536).
const LAST_DOMAIN: u32 = 232;

/// Where rcl's log goes (rcl_logging_interface): `ROS_LOG_DIR`, or `log` in `ROS_HOME`, or in `~/.ros`.
fn log_folder() -> Option<PathBuf> {
    let in_home = |value: String| match value.strip_prefix("~/") {
        Some(rest) => Path::new(&variable("HOME").unwrap_or_default()).join(rest),
        None => PathBuf::from(value),
    };
    let home =
        || Some(in_home(variable("ROS_HOME").or_else(|| Some(format!("{}/.ros", variable("HOME")?)))?).join("log"));
    variable("ROS_LOG_DIR").map(in_home).or_else(home)
}

/// Whether a file can be made in a folder, which is made if it is absent.
fn is_writable(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    tempfile::tempfile_in(folder).map(drop)
}

fn log() -> Finding {
    match log_folder() {
        None => Finding::wrong("log folder", "HOME is not set", "set ROS_LOG_DIR to a folder that can be written"),
        Some(folder) => match is_writable(&folder) {
            Ok(()) => Finding::fine("log folder", folder.display().to_string()),
            Err(cause) => Finding::wrong(
                "log folder",
                format!("{} can't be written: {cause}", folder.display()),
                "set ROS_LOG_DIR to a folder that can be written",
            ),
        },
    }
}

/// The domain that nodes meet in; the middleware ends the process when it is out of range.
pub fn domain() -> Finding {
    let given = variable("ROS_DOMAIN_ID");
    match given.as_deref().map(str::parse::<u32>) {
        None => Finding::fine("ROS_DOMAIN_ID", "0, the default"),
        Some(Ok(domain)) if domain <= LAST_DOMAIN => Finding::fine("ROS_DOMAIN_ID", domain.to_string()),
        Some(_) => {
            let fact = format!("{:?}", given.unwrap_or_default());
            Finding::wrong(
                "ROS_DOMAIN_ID",
                fact,
                format!("set it to a number from 0 to {LAST_DOMAIN}, the same for all nodes"),
            )
        }
    }
}

fn discovery() -> Finding {
    let range = variable("ROS_AUTOMATIC_DISCOVERY_RANGE");
    if variable("ROS_LOCALHOST_ONLY").as_deref() == Some("1") {
        return Finding::fine("discovery", "this machine only (ROS_LOCALHOST_ONLY=1)");
    }
    match range.as_deref() {
        None => Finding::fine("discovery", "the subnet, the default"),
        Some("LOCALHOST") => Finding::fine("discovery", "this machine only (ROS_AUTOMATIC_DISCOVERY_RANGE)"),
        Some("SUBNET" | "SYSTEM_DEFAULT") => Finding::fine("discovery", "the subnet"),
        Some("OFF") => Finding::wrong(
            "discovery",
            "ROS_AUTOMATIC_DISCOVERY_RANGE is OFF: no other node is found",
            "set it to LOCALHOST or SUBNET",
        ),
        Some(other) => {
            let remedy = "set it to SUBNET, LOCALHOST, OFF or SYSTEM_DEFAULT";
            Finding::wrong("discovery", format!("ROS_AUTOMATIC_DISCOVERY_RANGE is {other:?}"), remedy)
        }
    }
}

/// Whether the library of the middleware is there.
fn middleware() -> Finding {
    let name = variable("RMW_IMPLEMENTATION").unwrap_or_else(|| "rmw_fastrtps_cpp".into());
    let file = format!("lib{name}.so");
    let folders = variable("LD_LIBRARY_PATH").unwrap_or_default();
    let standard = ["/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/local/lib"];
    let found = folders.split(':').chain(standard).any(|folder| Path::new(folder).join(&file).is_file());
    match found {
        true => Finding::fine("middleware", name),
        false => {
            let package = name.replace('_', "-");
            let remedy =
                format!("install ros-$ROS_DISTRO-{package} and source ROS's setup file, or unset RMW_IMPLEMENTATION");
            Finding::wrong("middleware", format!("{file} is not in LD_LIBRARY_PATH"), remedy)
        }
    }
}

/// What is given for a name with `-r __ns:=` or `-r __node:=`.
fn remapped(arguments: &[String], name: &str) -> Option<String> {
    let prefix = format!("{name}:=");
    let rules = arguments.windows(2).filter(|pair| pair[0] == "-r" || pair[0] == "--remap");
    rules.filter_map(|pair| pair[1].strip_prefix(&prefix).map(String::from)).next_back()
}

fn names(arguments: &[String]) -> Vec<Finding> {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(|c: char| c.is_ascii_digit())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let mut findings = Vec::new();
    if let Some(namespace) = remapped(arguments, "__ns") {
        let parts = namespace.strip_prefix('/').map(|rest| rest.split('/').all(is_part));
        if namespace != "/" && parts != Some(true) {
            let meant: Vec<&str> = namespace.split('/').filter(|part| is_part(part)).collect();
            let remedy =
                format!("names are letters, digits and _ behind single slashes; did you mean /{}?", meant.join("/"));
            findings.push(Finding::wrong("namespace", format!("{namespace:?} is not a valid namespace"), remedy));
        }
    }
    if let Some(node) = remapped(arguments, "__node").filter(|node| !is_part(node)) {
        findings.push(Finding::wrong(
            "node name",
            format!("{node:?} is not a valid node name"),
            "use letters, digits and _, no slash",
        ));
    }
    findings
}

/// What ROS needs of this machine and of its arguments.
pub fn findings(arguments: &[String]) -> Vec<Finding> {
    let mut findings = vec![middleware(), domain(), discovery(), log()];
    findings.extend(names(arguments));
    findings
}

/// What rcl said, with all that is wrong here.
pub fn explained(said: &str, arguments: &[String]) -> String {
    let wrong: Vec<String> = findings(arguments)
        .into_iter()
        .filter(|finding| !finding.remedy.is_empty())
        .map(|finding| finding.to_string())
        .collect();
    match wrong.is_empty() {
        true => format!("{said}; `referseg doctor` looks at what ROS needs"),
        false => format!("{said}. {}", wrong.join(". ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(arguments: &[&str]) -> String {
        let arguments: Vec<String> = arguments.iter().map(|argument| argument.to_string()).collect();
        names(&arguments).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn names_that_are_none_are_told_with_the_one_that_is_meant() {
        assert!(messages(&["--ros-args", "-r", "__ns:=/robot1/"]).contains("did you mean /robot1?"));
        assert!(messages(&["-r", "__ns:=robot//2nd/arm"]).contains("did you mean /robot/arm?"));
        assert!(messages(&["--remap", "__node:=my/node"]).contains("node name"));
        for fine in ["__ns:=/", "__ns:=/a/b_2", "__node:=eye"] {
            assert_eq!(messages(&["-r", fine]), "");
        }
    }
}
