//! Encoded frames and commands: what a frame costs once and a command costs once, so that an answer costs only the
//! scoring.

use super::decision::joined;
use super::guidance::{Allowed, Layout, OwnWords};
use super::hybridgl::{HybridGuidance, HybridText, Seen};
use super::text_features::TextFeatures;
use super::visual_features::VisualFeatures;
use candle_core::Tensor;
use referseg_camera::DepthImage;
use referseg_config::Config;
use referseg_files::fingerprint::Fingerprint;
use referseg_files::{Error, Result};
use referseg_image::{Frame, Mask};
use referseg_language::{ParsedCommand, SpatialWords};
use referseg_models::sam::Embedding;
use referseg_models::{ModelFamily, TextCut};
use referseg_proposals::Proposal;
use std::sync::OnceLock;
use std::time::Duration;

/// A frame's proposals, before their features are computed.
pub struct ProposedFrame {
    /// What was proposed.
    pub proposals: Vec<Proposal>,
    /// As [`EncodedFrame::fingerprint`].
    pub fingerprint: Fingerprint,
    /// How long it took.
    pub time: Duration,
}

/// A frame's proposals and their features.
pub struct EncodedFrame {
    /// What was proposed.
    pub proposals: Vec<Proposal>,
    /// Absent without proposals.
    pub features: Option<VisualFeatures>,
    /// Features of the image's places, `[g * g, d]` f32, where the settings ask for a heat map.
    pub places: Option<Tensor>,
    /// Where the proposals are.
    pub layout: Layout,
    /// The pixels, shared with whoever has the frame.
    pub frame: Frame,
    /// What the camera saw in depth, if it has depth.
    pub depth: Option<DepthImage>,
    /// The frame as Segment Anything's encoder sees it, where a mask was refined.
    pub view: OnceLock<Embedding>,
    /// What it depends on beside the frame; equal to the segmenter's visual fingerprint when it was made.
    pub fingerprint: Fingerprint,
    /// How long the proposals took.
    pub proposals_time: Duration,
    /// How long the visual features took.
    pub features_time: Duration,
}

/// Which objects a command may mean, by what an earlier answer showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// Only these; empty for all. Without effect on a frame that shows none of them.
    pub only: Vec<Mask>,
    /// None of these.
    pub except: Vec<Mask>,
    /// Where it stood before, the latest first: "put it back".
    pub before: Vec<Mask>,
}

/// IoU of two masks from which on they show the same object.
const SAME_OBJECT: f32 = 0.5;

impl Scope {
    /// What it says of the proposals of a frame; `None` when it says nothing.
    pub(super) fn on(&self, proposals: &[Proposal]) -> Option<Allowed> {
        if *self == Scope::default() {
            return None;
        }
        let shows = |masks: &[Mask], proposal: &Proposal| {
            let fits = |mask: &&Mask| mask.width() == proposal.mask.width() && mask.height() == proposal.mask.height();
            masks.iter().filter(fits).any(|mask| mask.iou(&proposal.mask) >= SAME_OBJECT)
        };
        let limited = proposals.iter().any(|proposal| shows(&self.only, proposal));
        let allowed = |proposal: &Proposal| (!limited || shows(&self.only, proposal)) && !shows(&self.except, proposal);
        Some(Allowed { proposals: proposals.iter().map(allowed).collect(), of_the_kind: limited })
    }
}

/// A command's meaning and features.
pub struct EncodedCommand {
    /// The text and its meaning.
    pub parsed: ParsedCommand,
    /// The other readings of the text, as [`ParsedCommand::other_readings`].
    pub others: Vec<EncodedCommand>,
    /// The objects that a conversation limits it to.
    pub scope: Scope,
    /// Sentence and noun phrase.
    pub features: TextFeatures,
    /// Words that the bank of words does not have.
    pub own_words: OwnWords,
    /// The spatial words in it that HybridGL evaluates.
    pub spatial: SpatialWords,
    /// How the text is cut to what the model reads, if it is.
    pub cut: Option<TextCut>,
    /// What HybridGL encodes beside it; encoded when it is first needed.
    pub(super) hybrid: OnceLock<HybridText>,
    /// What it depends on beside the text; equal to the segmenter's text fingerprint when it was made.
    pub fingerprint: Fingerprint,
    /// How long the encoding took.
    pub time: Duration,
}

impl EncodedCommand {
    /// A reason, with the fact that the model did not read all of the text if it did not.
    pub(super) fn reason_with_cut(&self, reason: String) -> String {
        let Some(TextCut { tokens, read }) = self.cut else { return reason };
        let cut = format!("the model reads {read} of the text's {tokens} tokens; its end was not compared");
        joined([reason, cut])
    }
}

impl EncodedFrame {
    /// This encoding for another frame that shows the same, seen with its own depth.
    pub fn for_same_view(self, depth: Option<&DepthImage>) -> EncodedFrame {
        let layout = Layout::of(&self.proposals, &self.frame, depth);
        let depth = depth.cloned();
        EncodedFrame { layout, depth, proposals_time: Duration::ZERO, features_time: Duration::ZERO, ..self }
    }

    /// HybridGL's guidance of a command on this frame, whose proposals have these features, `[n, d]`.
    ///
    /// # Errors
    /// When the vocabulary can't express the words or the device fails.
    pub(super) fn hybrid_guidance(
        &self,
        command: &EncodedCommand,
        config: &Config,
        family: &dyn ModelFamily,
        features: &Tensor,
    ) -> Result<HybridGuidance<'_>> {
        let absent = |what: &str| Error::Computation(format!("guidance without {what}; this is a bug"));
        let seen = Seen {
            proposals: &self.proposals,
            features,
            places: self.places.as_ref().ok_or_else(|| absent("features of places"))?,
            places_side: family.place_encoder().ok_or_else(|| absent("an encoder of places"))?.image_size(),
            logit_scale: family.logit_scale(),
        };
        if command.hybrid.get().is_none() {
            let phrase = &command.parsed.target.phrase;
            let text = HybridText::encode(phrase, &command.spatial.others, config.words.closed, family)?;
            let _ = command.hybrid.set(text);
        }
        let text = command.hybrid.get().ok_or_else(|| absent("the words"))?;
        HybridGuidance::new(&seen, &command.spatial, text, config.hybridgl.as_published)
    }
}
