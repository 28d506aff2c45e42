//! The registry of proposal generators: each by its name, with what opens it.

use super::generator::ProposalGenerator;
use super::labels::Labels;
use super::regions::Regions;
use super::sam::{PromptedSam, SamGenerator};
use super::solo::SoloGenerator;
use super::topic::TopicProposals;
use referseg_config::{BoxMasks, ProposalSettings};
use referseg_files::{Error, Result};
use referseg_models::Compute;
use std::path::Path;

/// One kind of generator.
struct Entry {
    name: &'static str,
    /// What stands behind `NAME:` in the setting, for messages; empty when nothing does.
    argument: &'static str,
    /// Finds out cheaply, without loading weights, whether it could be opened.
    check: fn(&ProposalSettings) -> Result<()>,
    open: fn(&ProposalSettings, &Compute) -> Result<Box<dyn ProposalGenerator>>,
}

const GENERATORS: [Entry; 6] = [
    Entry {
        name: "regions",
        argument: "",
        check: |_| Ok(()),
        open: |settings, _| Ok(Box::new(Regions::new(settings))),
    },
    Entry {
        name: "sam",
        argument: "",
        check: |settings| SamGenerator::check(settings),
        open: |settings, compute| Ok(Box::new(SamGenerator::open(settings, compute)?)),
    },
    Entry {
        name: "prompted",
        argument: "",
        check: |settings| SamGenerator::check(settings),
        open: |settings, compute| Ok(Box::new(PromptedSam::open(settings, compute)?)),
    },
    Entry {
        name: "solo",
        argument: "",
        check: |settings| SoloGenerator::check(settings),
        open: |settings, compute| Ok(Box::new(SoloGenerator::open(settings, compute)?)),
    },
    Entry {
        name: "topic",
        argument: "",
        check: |settings| match settings.box_masks {
            BoxMasks::Sam => SamGenerator::check(settings),
            BoxMasks::Regions | BoxMasks::Box => Ok(()),
        },
        open: |settings, compute| Ok(Box::new(TopicProposals::open(settings, compute)?)),
    },
    Entry {
        name: "labels",
        argument: "FILE.png",
        check: |settings| Labels::open(argument(settings)).map(drop),
        open: |settings, _| Ok(Box::new(Labels::open(argument(settings))?)),
    },
];

fn argument(settings: &ProposalSettings) -> &Path {
    Path::new(settings.generator.argument.as_deref().unwrap_or_default())
}

fn entry(settings: &ProposalSettings) -> Result<&'static Entry> {
    let chosen = &settings.generator;
    let fits = |entry: &&Entry| {
        let complete = match &chosen.argument {
            None => entry.argument.is_empty(),
            Some(argument) => !entry.argument.is_empty() && !argument.is_empty(),
        };
        entry.name == chosen.name && complete
    };
    GENERATORS.iter().find(fits).ok_or_else(|| {
        let written = |entry: &Entry| match entry.argument {
            "" => entry.name.to_string(),
            argument => format!("{}:{argument}", entry.name),
        };
        let known: Vec<String> = GENERATORS.iter().map(written).collect();
        let (last, first) = known.split_last().map_or(("", &[][..]), |(last, first)| (last.as_str(), first));
        let fact = format!("no proposal generator \"{chosen}\"; expected {} or {last}", first.join(", "));
        Error::config("proposals.generator", fact)
    })
}

/// Finds out, without loading weights, whether the generator that the settings name is known and its files are there.
///
/// # Errors
/// When they are not.
pub fn check(settings: &ProposalSettings) -> Result<()> {
    (entry(settings)?.check)(settings)
}

/// Whether the settings name a generator that is known.
///
/// # Errors
/// When they do not; it names those that are.
pub fn check_name(settings: &ProposalSettings) -> Result<()> {
    entry(settings).map(drop)
}

/// Makes the generator that the settings name, which computes so if it has a model.
///
/// # Errors
/// When it is unknown or its files can't be read.
pub fn open(settings: &ProposalSettings, compute: &Compute) -> Result<Box<dyn ProposalGenerator>> {
    (entry(settings)?.open)(settings, compute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use referseg_config::{Config, Layer};

    #[test]
    fn an_unknown_generator_is_refused_with_those_that_are_known() {
        for wrong in ["sma", "labels", "labels:", "regions:x"] {
            let layer = Layer::value("test", "proposals.generator", wrong);
            let settings = Config::from_layers(&[layer]).unwrap().proposals;
            assert_eq!(
                check(&settings).unwrap_err().to_string(),
                format!(
                    "configuration proposals.generator: no proposal generator \"{wrong}\"; expected regions, sam, \
                     prompted, solo, topic or labels:FILE.png"
                )
            );
        }
    }
}
