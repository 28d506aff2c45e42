//! placeholder
use super::*;
/// x
pub struct Regions;
impl Regions { /// x
 pub fn new(_: &ProposalSettings) -> Self { Regions } }
impl ProposeMasks for Regions { fn propose(&mut self, _: &Frame) -> Result<Vec<Proposal>> { Ok(vec![]) } }
